"""Sheets of a size and with texts that samples don't have."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from ingestion.contracts.columns import BENEFIT_ITEM
from reporting import files
from reporting.books import Head, Line, Region, TrialBalanceLine
from reporting.names import BENEFIT_ITEMS, Name
from reporting.quality import CUT_OFF, CheckResult, Finding
from reporting.workbook_accounts import YEAR, monthly_sheet, trial_balance_sheet
from reporting.workbook_cells import Book
from reporting.workbook_checks import FINDINGS_MOST, Standing, findings_sheet, results_sheet
from reporting.workbook_cover import COVER, open_cover, warn_on_cover
from reporting.workbook_page import Frame, Layout, finish, open_sheet, spread

MOMENT = datetime(2020, 7, 3, tzinfo=UTC)
HOSTILE = "=cmd|'/C calc'!A0 &8&P\x1b"


def frame(name: str = "南京市") -> Frame:
    head = Head(41_449, "5d" * 32, "e1" * 32, MOMENT, f"run {name}")
    region = Region("320100", name, name, date(2020, 1, 1), head, ("EMI",), date(2020, 6, 1))
    return Frame(region, head, "EMI", date(2020, 6, 1))


def written(fill: Callable[[Book], Any]) -> openpyxl.Workbook:
    book = Book({}, MOMENT)
    fill(book)
    return openpyxl.load_workbook(BytesIO(book.close()), data_only=True)


def pages(sheet: Worksheet) -> tuple[int, int]:
    """How many pages wide and high a sheet prints; a file leaves out a one."""
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    wide, high = sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight
    return (1 if wide is None else wide, 1 if high is None else high)


def width(sheet: Worksheet, column: int) -> float:
    """A column's width; neighbours of the same width share an entry."""
    return next(each.width for each in sheet.column_dimensions.values() if each.min <= column <= each.max)


def finding(number: int, **changes: object) -> Finding:
    item = {"region_code": "320100", "event_seq": number, "source_file": f"nj_claim_{number}.csv", "source_line": 7}
    values: dict[str, Any] = {"code": "C10", "key": str(number), "item": item, "amount": Decimal(number), **changes}
    return Finding("320100", **values, first_seen_run="run", first_seen_at=MOMENT, age_days=3)


def test_thousands_of_findings_are_limited_and_what_is_left_out_is_said() -> None:
    found = [finding(n) for n in range(FINDINGS_MOST)]
    sheet = written(lambda book: findings_sheet(book, frame(), "F", found, 5_000))["F"]
    codes = [row[0].value for row in sheet.iter_rows(min_row=5)]
    assert codes.count("C10") == FINDINGS_MOST
    left_out = next(code for code in codes if str(code).startswith("另有 3,000 条未列出"))
    assert "quality.finding（run_id = 'run 南京市'，region_code = '320100'）" in left_out


def test_findings_say_who_acts_whether_they_are_accepted_and_what_they_come_to() -> None:
    found = [finding(1, amount=Decimal("1.10")), finding(2, amount=Decimal("-3.00")), finding(3, amount=None)]
    standing = Standing({"C10": "data_operations"}, {("C10", "2"): 41_450})
    book = Book({}, MOMENT)
    findings_sheet(book, frame(), "F", found, 3, standing)
    content = book.close()
    sheet = openpyxl.load_workbook(BytesIO(content), data_only=True)["F"]
    assert [cell.value for cell in sheet["C"][4:7]] == ["未处理\nopen", "已接受 seq 41,450\naccepted", "未处理\nopen"]
    assert [cell.value for cell in sheet["D"][4:7]] == ["数据运维"] * 3
    assert [cell.value for cell in sheet["G"][4:7]] == [3, 3, 3]
    assert openpyxl.load_workbook(BytesIO(content))["F"]["E8"].value == "=E5+E6"
    assert sheet["E8"].value == -1.9


def test_a_list_that_was_cut_says_how_many_were_kept_and_where_the_rest_is() -> None:
    note = {"item": CUT_OFF, "listed": 200, "found": 9_950}
    found = [finding(1, code="C05", key=CUT_OFF, item=note), finding(2, code="B02", key=CUT_OFF, item=note)]
    sheet = written(lambda book: findings_sheet(book, frame(), "F", found, 2))["F"]
    assert "至多记录 200" in sheet["B5"].value
    assert "查出：9950" in sheet["B5"].value
    assert "quality.quarantine_open" in sheet["B5"].value
    assert "下次检查" in sheet["B6"].value


def test_items_are_told_in_chinese_in_beijing_time_and_in_percent() -> None:
    item = {
        **{"item": "a.csv/3", "error_codes": ["E-VALUE-LIST"], "source_system": "demo", "source_file": "a.csv"},
        **{"source_line": 3, "fund_code": "EMI", "row_share": "0.0074", "quarantined_at": "2026-11-22T17:27:11+00:00"},
    }
    sheet = written(lambda book: findings_sheet(book, frame(), "F", [finding(1, item=item)], 1))["F"]
    assert sheet["B5"].value == (
        "a.csv/3；E-VALUE-LIST 取值不在允许范围内，请使用约定代码；文件：demo/a.csv；行：3；"
        "基金：职工基本医疗保险基金；隔离时间：2026-11-23 01:27；行数占比：0.74%"
    )


def test_what_leads_to_a_person_is_not_printed_wherever_it_stands_in_an_item() -> None:
    quoted = 'stored {"amount": 1.00, "sex": "2", "person_no": "P99", "birth_date": "1990-02-03"}；new {"sex": null}'
    item = {
        **{"event_seq": 7, "person_no": "P77", "birth_date": "1991-01-02", "reason": f"P77: {quoted}"},
        "rows": [{"claim_no": "C33", "amount": Decimal("3.00"), "text": "C33 of P77"}],
    }
    sheet = written(lambda book: findings_sheet(book, frame(), "F", [finding(1, item=item)], 1))["F"]
    shown = sheet["B5"].value
    assert "事件：7" in shown
    assert '"amount": 1.00' in shown
    assert not [part for part in ("P77", "P99", "C33", "1990", "1991", '"2"', "claim_no") if part in shown]


def test_hostile_names_and_findings_stay_text_and_say_that_a_list_was_cut() -> None:
    found = [finding(1, item={HOSTILE: HOSTILE * 3_000}), finding(2, key=CUT_OFF, amount=None)]
    book = Book({"title": HOSTILE}, MOMENT)
    findings_sheet(book, frame(HOSTILE), "F", found, len(found))
    content = book.close()
    sheet = openpyxl.load_workbook(BytesIO(content))["F"]
    kinds = {cell.coordinate: cell.data_type for row in sheet.iter_rows() for cell in row}
    assert kinds.pop("E7") == "f", "the total of what is listed"
    assert set(kinds.values()) <= set("sn")
    assert sheet["B5"].value.startswith("=cmd")
    assert sheet["B5"].quotePrefix
    assert sheet["B6"].value.startswith("（清单已截断")
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert "A0 ＆8＆P␛" in archive.read("xl/worksheets/sheet1.xml").decode()


@pytest.mark.parametrize("text", ["&" * 300, "&G", "&[Picture]", "𠮷" * 300, "<r><evil/></r>"])
def test_headers_and_footers_stay_whatever_a_name_says(text: str) -> None:
    book = Book({}, MOMENT)
    open_sheet(book, frame(text), Layout("S", (10.0,)))
    sheet = openpyxl.load_workbook(BytesIO(book.close()))["S"]
    assert (sheet.oddHeader.left.text or "").strip().startswith(text[:40].replace("&", "＆"))
    assert "2020年6月" in sheet.oddHeader.right.text
    assert "第 &P 页 共 &N 页" in sheet.oddFooter.center.text


def result(severity: str, success: bool) -> CheckResult:
    return CheckResult(
        *("320100", "balance", "B09", severity, success, 12, int(not success), Decimal("3.50"), "收入户", "income"),
        *("fund_accounting", "", MOMENT, None if success else MOMENT, None if success else 0),
    )


@pytest.mark.parametrize(
    ("severity", "success", "shown", "colour"),
    [("warn", False, "提示", "FFB45F06"), ("fail", False, "不通过", "FFC00000"), ("fail", True, "通过", None)],
)
def test_checks_that_did_not_pass_are_marked_by_what_they_do(
    severity: str, success: bool, shown: str, colour: str | None
) -> None:
    sheet = written(lambda book: results_sheet(book, frame(), "R", [result(severity, success)]))["R"]
    row = [sheet.cell(5, column).value for column in (1, 2, 5, 6, 7, 8)]
    assert row == ["平衡", "B09", shown, 12, int(not success), 3.5]
    assert (sheet["E5"].font.color.rgb if colour else None) == colour
    assert ("均已通过" in sheet["A6"].value) == (shown != "不通过")


def test_a_publication_without_results_does_not_stand_above_all_passed() -> None:
    sheet = written(lambda book: results_sheet(book, frame(), "R", []))["R"]
    assert "无检查记录" in sheet["A5"].value
    assert not [cell for row in sheet.iter_rows() for cell in row if "均已通过" in str(cell.value)]


def test_five_hundred_accounts_foot_and_print_on_several_pages() -> None:
    figures = {"opening_debit": "1.00", "opening_credit": "1.00", "debit_amount": "2.00", "credit_amount": "2.00"}
    amounts = {**figures, "closing_debit": "1.00", "closing_credit": "1.00"}

    def line(code: str, times: int, posting: bool = True) -> TrialBalanceLine:
        return TrialBalanceLine(
            *(code, "科目", "account", "pooled", 0, posting),
            **{column: Decimal(amount) * times for column, amount in amounts.items()},
        )

    lines = [*(line(f"{1000 + number}", 1) for number in range(500)), line("", 500, posting=False)]
    sheet = written(lambda book: trial_balance_sheet(book, frame(), "T", lines))["T"]
    assert [cell.value for cell in sheet[506]][4:] == [500, 500, 1000, 1000, 500, 500, "平"]
    assert pages(sheet) == (1, 0)


def test_thirty_six_months_side_by_side() -> None:
    months = [f"{2018 + number // 12}-{number % 12 + 1:02}" for number in range(36)]
    lines = [Line("I10", 10, "社会保险费收入", "Contributions", 0, False, ())]
    values = {("I10", month): Decimal("9999999999.99") for month in months}
    values["I10", YEAR] = Decimal("9999999999.99") * 36
    sheet = written(lambda book: monthly_sheet(book, frame(), "M", lines, values))["M"]
    assert sheet.cell(6, 4 + 37).value == pytest.approx(359999999999.64, abs=0.001)
    assert width(sheet, 4 + 37) > len("359,999,999,999.64")


def test_columns_are_as_wide_as_figures_of_ten_trillion() -> None:
    lines = [Line("I10", 10, "收入", "Income", 0, False, ())]
    largest = Decimal("-9999999999999.99")
    values = {("I10", "2020-01"): largest, ("I10", YEAR): largest}
    sheet = written(lambda book: monthly_sheet(book, frame(), "M", lines, values))["M"]
    assert width(sheet, 5) > len(f"{largest:,.2f}") + 1


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_signatures_share_the_width(parts: int) -> None:
    for widths in ((1.0,) * parts, (5.0, 6.5, 30.0, 30.0, *[13.5] * 6), (90.0, 1.0, 1.0, 1.0, 1.0)):
        groups = spread(widths, parts)
        assert [column for first, last in groups for column in range(first, last + 1)] == list(range(len(widths)))
        assert len(groups) == parts


def test_every_benefit_item_has_a_name() -> None:
    assert set(BENEFIT_ITEMS) >= set(BENEFIT_ITEM.values)


def test_a_replaced_file_is_whole_or_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = files.replace_file(tmp_path / "new" / "book.xlsx", b"first")
    assert target.stat().st_mode & 0o777 == 0o644

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        files.replace_file(target, b"second")
    assert target.read_bytes() == b"first"
    assert list(target.parent.iterdir()) == [target]


def test_print_settings_of_a_sheet() -> None:
    def fill(book: Book) -> None:
        layout = Layout("S", (10.0, 10.0), portrait=True, one_page=True)
        open_sheet(book, frame(), layout)
        finish(book, layout, 9)

    sheet = written(fill)["S"]
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "portrait")
    assert pages(sheet) == (1, 1)
    assert (sheet.print_area, sheet.print_title_rows, sheet.freeze_panes) == ("'S'!$A$1:$B$9", "$1:$5", "A6")
    assert "第 &P 页 共 &N 页" in sheet.oddFooter.center.text
    assert "2020年6月" in sheet.oddHeader.right.text


def test_a_freeze_is_told_on_the_cover_and_hides_nothing_there() -> None:
    def cover(book: Book) -> None:
        open_cover(book, frame())

    def warned(book: Book) -> None:
        cover(book)
        warn_on_cover(book, Name("已由王主任暂停发布", "publication was frozen"))

    plain, told = (written(fill)[COVER] for fill in (cover, warned))
    values = [cell.value for row in told.iter_rows() for cell in row if cell.value]
    assert values == ["注意：已由王主任暂停发布。 Attention: publication was frozen."]
    assert plain.max_row <= told.max_row < 5, "the facts begin in the fifth row"
