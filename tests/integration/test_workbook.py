"""The workbook of a region, read back: every figure is the books' own, and every formula comes to it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import psycopg2
import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from workbook_formulas import Sheets

from ingestion.database import Connection
from ingestion.settings import Settings
from reporting import books, workbook_record
from reporting.books import Region
from reporting.names import PERSONAL_COLUMNS
from reporting.publish import write_workbooks
from reporting.workbook import workbook

pytestmark = pytest.mark.slow

MONTH = date(2020, 6, 1)
REGIONS = ("320100", "340400")
SIGNED = ("收支表", "收支表(万元)", "资产负债表", "资产负债表(万元)", "试算平衡表", "生育待遇支出明细")
STATEMENT_COLUMNS = [(period, sub) for period in ("month", "year_to_date") for sub in ("total", "pooled", "personal")]
CENT = Decimal("0.01")
REQUIRED = os.environ.get("FUND_REQUIRE_OFFICE")  # read before each test clears FUND_*


@pytest.fixture(scope="module")
def connection(published_samples: str) -> Iterator[Connection]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", published_samples)
        settings = Settings.from_env()
    with books.one_state(settings) as opened:
        yield opened


@pytest.fixture(scope="module", params=REGIONS)
def region(connection: Connection, request: pytest.FixtureRequest) -> Region:
    return next(region for region in books.regions(connection) if region.region_code == request.param)


@pytest.fixture(scope="module")
def content(connection: Connection, region: Region) -> bytes:
    return workbook(connection, region)


@pytest.fixture(scope="module")
def shown(content: bytes) -> Workbook:
    """The values that a viewer shows which does not calculate."""
    return openpyxl.load_workbook(BytesIO(content), data_only=True)


@pytest.fixture(scope="module")
def formulas(content: bytes) -> Workbook:
    return openpyxl.load_workbook(BytesIO(content))


def ask(connection: Connection, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()


def money(value: object) -> Decimal:
    return Decimal(repr(value)).quantize(CENT)


def lines_of(sheet: Worksheet, code_column: int) -> dict[str, int]:
    """Row of each line code in a column, top to bottom."""
    found = {}
    for row in range(6, sheet.max_row + 1):
        code = sheet.cell(row, code_column).value
        if isinstance(code, str) and re.fullmatch(r"[A-Z]\d+", code):
            found[code] = row
    return found


def test_every_figure_of_the_statement_is_the_marts(connection: Connection, region: Region, shown: Workbook) -> None:
    sheet = shown["收支表"]
    rows = lines_of(sheet, 2)
    found = {
        (code, sub, period): money(sheet.cell(row, 5 + place).value)
        for code, row in rows.items()
        for place, (period, sub) in enumerate(STATEMENT_COLUMNS)
    }
    wanted = {}
    for code, sub, month, year in ask(
        connection,
        "SELECT line_code, sub_fund, amount_month, amount_year_to_date FROM marts.income_expenditure_statement"
        " WHERE region_code = %s AND fund_code = 'EMI' AND accounting_month = %s",
        *(region.region_code, MONTH),
    ):
        wanted[code, sub, "month"], wanted[code, sub, "year_to_date"] = month, year
    assert found == wanted
    assert len(found) == 32 * 6


def test_lines_stand_in_official_order_with_their_names(connection: Connection, shown: Workbook) -> None:
    lines = ask(
        connection,
        "SELECT statement, line_code, name_zh, name_en FROM marts.statement_line_name ORDER BY 1, line_order",
    )
    sheet = shown["收支表"]
    listed = [tuple(cell.value for cell in sheet[row][1:4]) for row in lines_of(sheet, 2).values()]
    assert listed == [line[1:] for line in lines if line[0] == "income_expenditure"]
    sheet = shown["资产负债表"]
    left, right = lines_of(sheet, 2), lines_of(sheet, 8)
    assert [*left, *right] == [line[1] for line in lines if line[0] == "balance_sheet"]
    assert left["A90"] == right["T90"]


def test_lines_are_indented_and_of_which_lines_marked(shown: Workbook) -> None:
    sheet = shown["收支表"]
    rows = lines_of(sheet, 2)
    indents = {code: sheet.cell(rows[code], 3).alignment.indent for code in ("E10", "E11", "E113", "E1131", "E1133")}
    assert indents == {"E10": 0, "E11": 1, "E113": 2, "E1131": 3, "E1133": 4}
    assert sheet.cell(rows["E1133"], 3).value.startswith("其中：")


def test_every_figure_of_the_balance_sheet_is_the_marts(
    connection: Connection, region: Region, shown: Workbook
) -> None:
    sheet = shown["资产负债表"]
    found = {
        code: tuple(money(sheet.cell(row, start + place).value) for place in range(3))
        for column, start in ((2, 4), (8, 10))
        for code, row in lines_of(sheet, column).items()
    }
    wanted = ask(
        connection,
        "SELECT line_code, first.opening_amount, month.opening_amount, month.closing_amount"
        " FROM marts.balance_sheet AS month JOIN marts.balance_sheet AS first"
        " USING (region_code, fund_code, line_code, sub_fund)"
        " WHERE region_code = %s AND fund_code = 'EMI' AND sub_fund = 'total'"
        " AND month.accounting_month = %s AND first.accounting_month = '2020-01-01'",
        *(region.region_code, MONTH),
    )
    assert found == {code: tuple(amounts) for code, *amounts in wanted}
    assert len(found) == 17


@pytest.mark.parametrize("fund", ["EMI", "MAT"])
def test_every_balance_of_the_trial_balance_is_the_marts(
    connection: Connection, region: Region, shown: Workbook, fund: str
) -> None:
    name = "试算平衡表" if fund == "EMI" else "生育保险试算平衡表"
    if name not in shown.sheetnames:
        assert (region.region_code, fund) == ("340400", "MAT"), "only a fund without months in the year has no sheets"
        return
    sub_funds = {"共用": "shared", "统筹基金": "pooled", "个人账户": "personal"}
    found = {}
    for row in shown[name].iter_rows(min_row=6, values_only=True):
        if row[3] in sub_funds:
            od, oc, debit, credit, cd, cc = map(money, row[4:10])
            found[row[0], sub_funds[row[3]]] = (od - oc, debit, credit, cd - cc)
            assert 0 in (od, oc), "a balance stands on one side"
    wanted = ask(
        connection,
        "SELECT account_code, sub_fund, opening_balance, debit_amount, credit_amount, closing_balance"
        " FROM marts.trial_balance WHERE region_code = %s AND fund_code = %s AND accounting_month = %s",
        *(region.region_code, fund, MONTH if fund == "EMI" else date(2020, 1, 1)),
    )
    assert found == {(code, sub): tuple(amounts) for code, sub, *amounts in wanted}


def test_the_maternity_detail_is_the_marts_and_adds_up_to_the_statement(
    connection: Connection, region: Region, shown: Workbook
) -> None:
    sheet, statement = shown["生育待遇支出明细"], shown["收支表"]
    details = [row for row in sheet.iter_rows(min_row=6, values_only=True) if row[2] and row[9] is not None]
    wanted = ask(
        connection,
        "SELECT sum(claim_count) FILTER (WHERE accounting_month = %s),"
        " sum(person_count) FILTER (WHERE accounting_month = %s),"
        " sum(amount) FILTER (WHERE accounting_month = %s), sum(claim_count), sum(person_count), sum(amount)"
        " FROM marts.maternity_expenditure WHERE region_code = %s AND fund_code = 'EMI'"
        " AND accounting_month BETWEEN '2020-01-01' AND %s GROUP BY account_code, benefit_item, payment_method",
        *(MONTH, MONTH, MONTH, region.region_code, MONTH),
    )
    found = sorted(tuple(money(value) for value in row[4:10]) for row in details)
    assert found == sorted(tuple(value or Decimal(0) for value in row) for row in wanted)
    total = next(row for row in sheet.iter_rows(min_row=6, values_only=True) if row[0] == "合计")
    row = lines_of(statement, 2)["E113"]
    assert (total[6], total[9]) == (statement.cell(row, 5).value, statement.cell(row, 8).value)
    states = next(row for row in sheet.iter_rows(min_row=6, values_only=True) if row[0] == "核对")
    assert (states[6], states[9]) == ("平", "平")


def test_every_formula_comes_to_the_value_beside_it(shown: Workbook, formulas: Workbook) -> None:
    computed, count = Sheets(formulas), 0
    for sheet in formulas:
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"):
            expected, value = shown[sheet.title][cell.coordinate].value, computed.value(sheet.title, cell.coordinate)
            same = value == expected if isinstance(expected, str) else money(expected) == value.quantize(CENT)
            assert same, f"{sheet.title}!{cell.coordinate} {cell.value}: {value} is not {expected}"
            count += 1
    assert count > 700


def test_totals_are_formulas_over_the_lines(formulas: Workbook) -> None:
    sheet = formulas["收支表"]
    rows = lines_of(sheet, 2)
    assert sheet.cell(rows["I10"], 6).value == "=" + "+".join(f"F{rows[code]}" for code in ("I11", "I12", "I13"))
    assert sheet.cell(rows["S30"], 6).value == "=" + "+".join(f"F{rows[code]}" for code in ("S20", "S10", "S25"))
    assert sheet.cell(rows["I11"], 5).value == f"=F{rows['I11']}+G{rows['I11']}"
    for code in ("I10", "I60", "I90", "E10", "E11", "E113", "E50", "E90", "S10", "S30"):
        assert all(sheet.cell(rows[code], column).data_type == "f" for column in range(5, 11))


def test_vouchers_are_added_up_and_come_to_the_turnover_of_the_accounts(formulas: Workbook, shown: Workbook) -> None:
    trial = next(row for row in shown["试算平衡表"].iter_rows(min_row=6, values_only=True) if row[1] == "合计")
    for name, debit in (("凭证登记簿", 5), ("凭证明细", 9)):
        (row,) = (cell.row for (cell,) in formulas[name].iter_rows(max_col=1) if cell.value == "合计 Total")
        for column, turnover in ((debit, trial[6]), (debit + 1, trial[7])):
            cell = formulas[name].cell(row, column)
            assert cell.value == f"=SUM({cell.column_letter}5:{cell.column_letter}{row - 1})"
            assert money(shown[name].cell(row, column).value) == money(turnover)


def test_differences_to_outside_statements_are_formulas(formulas: Workbook) -> None:
    sheet = formulas["对账"]
    rows = [row for row in range(5, sheet.max_row) if sheet.cell(row, 9).value]
    assert len(rows) >= 3
    for row in rows:
        assert sheet.cell(row, 5).value == f"=C{row}-D{row}"
        assert sheet.cell(row, 8).value == f"=E{row}-F{row}-G{row}"


def test_a_wrong_figure_makes_formulas_part_from_the_books(formulas: Workbook, shown: Workbook) -> None:
    sheet = formulas["收支表"]
    row = lines_of(sheet, 2)["I11"]
    before = sheet.cell(row, 6).value
    try:
        sheet.cell(row, 6).value = before + 1
        computed = Sheets(formulas)
        assert computed.value("封面", "C14") == "不平"
        assert computed.value("收支表", f"F{row - 1}") == money(shown["收支表"].cell(row - 1, 6).value) + 1
    finally:
        sheet.cell(row, 6).value = before


def test_every_cross_check_holds(shown: Workbook) -> None:
    states = [row[7] for row in shown["勾稽核对"].iter_rows(min_row=5, values_only=True) if row[0]]
    assert len(states) >= 23
    assert set(states) == {"平"}
    assert shown["封面"]["C14"].value == "平"


def test_the_sheets_in_ten_thousand_yuan_foot_and_stay_close(shown: Workbook) -> None:
    for name, columns in (("收支表", ((2, range(5, 11)),)), ("资产负债表", ((2, range(4, 7)), (8, range(10, 13))))):
        yuan, small = shown[name], shown[f"{name}(万元)"]
        for code_column, amounts in columns:
            rows, small_rows = lines_of(yuan, code_column), lines_of(small, code_column)
            assert list(rows) == list(small_rows)
            for code in rows:
                for column in amounts:
                    exact = money(yuan.cell(rows[code], column).value) / 10_000
                    assert abs(money(small.cell(small_rows[code], column).value) - exact) <= Decimal("0.11")
    rounding = [row for row in shown["收支表(万元)"].iter_rows(min_row=6, values_only=True) if row[2] == "四舍五入尾差"]
    assert len(rounding) == 1
    assert all(abs(money(value)) <= Decimal("0.12") for value in rounding[0][4:10])


def test_months_stand_side_by_side(connection: Connection, region: Region, shown: Workbook) -> None:
    sheet = shown["收支表逐月2020"]
    rows = lines_of(sheet, 2)
    months = ask(
        connection,
        "SELECT line_code, extract(month FROM accounting_month)::integer, amount_month"
        " FROM marts.income_expenditure_statement WHERE region_code = %s AND fund_code = 'EMI' AND sub_fund = 'total'"
        " AND accounting_month >= '2020-01-01'",
        region.region_code,
    )
    assert {(code, month): money(sheet.cell(rows[code], 4 + month).value) for code, month, _ in months} == {
        (code, month): amount for code, month, amount in months
    }


def test_sheets_to_be_signed_have_places_for_it_and_print_on_a4(shown: Workbook) -> None:
    for name in (*SIGNED, "封面"):
        sheet = shown[name]
        texts = {str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value}
        for wanted in ("单位负责人", "主管会计工作负责人", "会计机构负责人", "制表人", "（单位公章）", "报出日期"):
            assert any(text.startswith(wanted) for text in texts), f"{name} lacks {wanted}"
        assert sheet.page_setup.paperSize == 9
        assert sheet.page_setup.orientation == ("portrait" if name == "封面" else "landscape")
        assert sheet.print_area
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert shown["试算平衡表"].print_title_rows == "$1:$5"
    assert shown["收支表"].freeze_panes == "E6"


def test_no_column_is_too_narrow_for_its_figures(shown: Workbook) -> None:
    for sheet in shown:
        widths = {
            column: each.width
            for each in sheet.column_dimensions.values()
            for column in range(each.min, (each.max or each.min) + 1)
        }
        for cell in (cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, int | float)):
            places = 2 if "0.00" in cell.number_format else 0
            assert len(f"{cell.value:,.{places}f}") + 1 <= widths[cell.column], f"{sheet.title}!{cell.coordinate}"


def test_the_cover_says_what_is_published_and_links_to_every_sheet(region: Region, shown: Workbook) -> None:
    sheet = shown["封面"]
    texts = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value]
    assert region.head is not None
    assert {region.head.batch_hash, region.head.rules_sha256, region.head.run_id, f"{region.head.seq:,}"} <= set(texts)
    links = {cell.hyperlink.location for row in sheet.iter_rows() for cell in row if cell.hyperlink}
    assert links == {f"'{name}'!A1" for name in shown.sheetnames[1:]}
    assert ("生育保险收支表" in shown.sheetnames) == (region.region_code == "320100")
    assert shown.properties.title.startswith(region.name_zh)


def test_every_check_of_the_publishing_run_is_listed(connection: Connection, region: Region, shown: Workbook) -> None:
    assert region.head is not None
    codes = ask(
        connection,
        "SELECT DISTINCT code FROM quality.check_result WHERE region_code = %s AND run_id = %s",
        *(region.region_code, region.head.run_id),
    )
    listed = {row[1]: row[4] for row in shown["质量检查结果"].iter_rows(min_row=5, values_only=True) if row[1]}
    assert set(listed) == {code for (code,) in codes}
    assert set(listed.values()) == {"通过"}


def test_the_same_publication_gives_the_same_bytes(connection: Connection, tmp_path: Path) -> None:
    failures: dict[str, Exception] = {}
    first = {path.name: path.read_bytes() for path in write_workbooks(connection, tmp_path / "first", failures)}
    second = list(write_workbooks(connection, tmp_path / "second", failures))
    assert failures == {}
    assert list(first) == [f"merged_fund_{code}.xlsx" for code in REGIONS]
    for path in second:
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(first[path.name]).digest()
        assert path.stat().st_mode & 0o777 == 0o644
    assert {path.name for path in (tmp_path / "second").iterdir()} == set(first), "no temporary file is left"


def written(url: str, *statements: str) -> dict[str, bytes]:
    """The workbooks of all regions after these statements, each in a transaction of its own state."""
    with closing(psycopg2.connect(url)) as owner, owner, owner.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    with books.one_state() as connection:
        return {region.region_code: workbook(connection, region) for region in books.regions(connection)}


def test_what_is_recorded_after_a_publication_does_not_change_its_workbook(published_copy: str) -> None:
    before = written(published_copy)
    failing = '{"success": false, "unexpected_count": 7, "unexpected_amount": 7}'
    after = written(
        published_copy,
        *(
            f"""INSERT INTO quality.check_result SELECT (jsonb_populate_record(result, '{failing}'::jsonb
            || jsonb_build_object('run_id', '{run}', 'started_at', clock_timestamp()))).*
            FROM quality.check_result AS result WHERE run_id = 'samples'"""
            for run in ("later", "samples")
        ),
        *(
            f"""INSERT INTO quality.finding
                (run_id, region_code, code, finding_key, item, first_seen_run, first_seen_at)
            SELECT '{run}', region_code, 'B02', 'later', '{{"event_seq": 3}}', '{run}', clock_timestamp()
            FROM ledger.publication"""
            for run in ("later", "samples")
        ),
        """INSERT INTO quality.publication_decision (run_id, region_code, head_seq, decision, failed_checks)
        SELECT 'samples', region_code, seq, 'refused', '{B02}' FROM ledger.publication""",
        """INSERT INTO policy.policy_region SELECT (jsonb_populate_record(region,
        '{"name_zh": "改名市", "known_from": "2999-01-01"}')).*
        FROM policy.policy_region AS region""",
    )
    assert list(before) == list(REGIONS)
    assert after == before


def test_no_workbook_leads_to_a_person(published_copy: str) -> None:
    before = written(published_copy)
    after = written(
        published_copy,
        """INSERT INTO quality.finding
            (run_id, region_code, code, finding_key, item, first_seen_run, first_seen_at, found_at)
        SELECT DISTINCT ON (event.person_no) head.run_id, head.region_code, 'M03', event.person_no,
            to_jsonb(event) || jsonb_build_object('reason', 'stored ' || to_jsonb(event)::text), head.run_id,
            head.published_at, head.published_at
        FROM events.event AS event INNER JOIN ledger.publication AS head USING (region_code)
        WHERE region_code = '320100' AND person_no IS NOT NULL ORDER BY event.person_no, event.seq DESC""",
    )
    assert after["340400"] == before["340400"], "items of another region are not read"
    with zipfile.ZipFile(BytesIO(after["320100"])) as archive:
        text = "\n".join(archive.read(name).decode() for name in archive.namelist())
    assert text.count("事件：") > 100
    sheets = pl.Series([text])
    assert sheets.str.extract_many(["不会出现的文字", "事件："]).explode().to_list()[0] == "事件：", (
        "what is there is found"
    )
    personal = ("person_no", "claim_no", "account_holder_no", "certificate_pseudonym", "birth_date", "source_event_key")
    assert set(personal) <= PERSONAL_COLUMNS
    with closing(psycopg2.connect(published_copy)) as connection:
        for column in personal:
            listed = ask(connection, f"SELECT DISTINCT {column}::text FROM events.event WHERE {column} IS NOT NULL")
            assert listed, f"the samples have no {column}"
            assert sheets.str.extract_many([value for (value,) in listed]).explode().drop_nulls().to_list() == []
    assert [column for column in PERSONAL_COLUMNS if re.search(rf"\b{column}=", text)] == []


def test_nothing_is_read_twice(connection: Connection, region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    read = books.rows

    def counted(source: Connection, query: str, parameters: object = None) -> list[books.Row]:
        asked.append((query, repr(parameters)))
        return read(source, query, parameters)

    monkeypatch.setattr(books, "rows", counted)
    monkeypatch.setattr(workbook_record, "rows", counted)
    workbook(connection, region)
    assert len(asked) == len(set(asked))
    assert len(asked) <= 7 + 7 * len(region.funds)


def test_libreoffice_comes_to_the_same_figures(content: bytes, shown: Workbook, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        assert not REQUIRED, "FUND_REQUIRE_OFFICE=1, and LibreOffice (soffice) is not installed"
        pytest.skip("LibreOffice is not installed")
    (tmp_path / "book.xlsx").write_bytes(without_values(content))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [office, profile, "--headless", "--convert-to", "xlsx", "--outdir", "out", "book.xlsx"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=240)
    computed = openpyxl.load_workbook(tmp_path / "out" / "book.xlsx", data_only=True)
    for sheet in shown:
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.value is not None):
            found = computed[sheet.title][cell.coordinate].value
            same = found == cell.value if isinstance(cell.value, str) else money(found) == money(cell.value)
            assert same, f"{sheet.title}!{cell.coordinate}: {found!r} is not {cell.value!r}"


def without_values(content: bytes) -> bytes:
    """The workbook without the values beside its formulas, so that whoever opens it must calculate."""
    stripped = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as source, zipfile.ZipFile(stripped, "w") as target:
        for name in source.namelist():
            target.writestr(name, re.sub(rb"</f><v>[^<]*</v>", b"</f>", source.read(name)))
    return stripped.getvalue()
