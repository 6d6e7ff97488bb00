"""Open rows go back to their sender as a workbook, come back corrected and are settled, whatever the source sends."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from ingestion.__main__ import main
from ingestion.corrections import ADDED, FILE, LINE, NUMBER, REASON_EN, REASON_ZH, SHEET
from ingestion.corrections.explanation import HOW_TO_SHEET
from ingestion.settings import Settings
from tests.integration.corrections_support import (
    SOURCES,
    Sent,
    cells,
    corrected,
    exported,
    fact,
    feed_of,
    native,
    numbers,
    open_state,
)
from tests.integration.ingestion_support import (
    CERTIFICATE,
    files,
    land,
    land_rows,
    payment,
    premium,
    quarantined,
    run,
    select,
)
from tests.unit.ingestion.valid_rows import sound_row

pytestmark = pytest.mark.usefixtures("migrated_warehouse")
_BALANCE = "SELECT count(*) FROM events.file WHERE rows <> loaded + duplicate + quarantined"


def _spoilt(sent: Sent) -> tuple[list[dict[str, str]], dict[int, dict[str, str | None]], list[str]]:
    """A sound row, one of an unknown region, one without a key; what makes them good; the columns at fault."""
    feed = feed_of(sent.source_system, sent.file_name)
    source = {column.to: column.source for column in feed.columns}
    good = [native(feed, fact(feed, f"K{number}", f"{number}00.00")) for number in (1, 2, 3)]
    bad = [good[0], good[1] | {source["region_code"]: "999999"}, good[2] | {source["source_event_key"]: ""}]
    fills: dict[int, dict[str, str | None]] = {
        sent.first_line + 1: {source["region_code"]: "320100"},
        sent.first_line + 2: {source["source_event_key"]: "K3"},
    }
    return bad, fills, [source["region_code"], source["source_event_key"]]


@pytest.mark.parametrize("sent", SOURCES, ids=lambda sent: sent.source_system)
def test_rows_go_out_and_come_back_corrected(sent: Sent, tmp_path: Path) -> None:
    rows, fills, at_fault = _spoilt(sent)
    feed = sent.land(rows)
    run()
    assert files()[sent.file_name][:6] == ("loaded", None, 3, 1, 0, 2)
    before = open_state()
    posted = 0 if "event_type" in feed.constants else 500
    assert before == (2, posted)

    (path,) = exported(sent.source_system, tmp_path)
    header, shown = cells(path)
    assert header == [*ADDED, *(column.source for column in feed.columns)]
    assert [(row[FILE], row[LINE]) for row in shown] == [(sent.file_name, str(line)) for line in fills]
    assert all(
        shown[n][name] == (rows[n + 1].get(name) or None) for n in (0, 1) for name in rows[n + 1] if name in header
    )
    assert f"[{at_fault[0]}=999999]" in str(shown[0][REASON_ZH])
    assert "E-VALUE-REGION 统筹区" in str(shown[0][REASON_ZH])
    assert "E-SCHEMA-REQUIRED required fields" in str(shown[1][REASON_EN])

    land(path.name, path.read_bytes(), sent.source_system)  # as it is
    run()
    assert files()[path.name][:6] == ("loaded", None, 2, 0, 0, 2)
    assert open_state() == before
    assert set(quarantined(only_open=True)) == {(sent.file_name, line) for line in fills}, "nothing new was said"

    land(path.name.replace("-1.xlsx", " 已更正.xlsx"), corrected(path, fills), sent.source_system)
    run()
    assert open_state() == (0, 0)
    assert select("SELECT source_event_key, amount FROM events.event ORDER BY 1") == [
        ("K1", Decimal("100.00")),
        ("K2", Decimal("200.00")),
        ("K3", Decimal("300.00")),
    ]
    assert select(_BALANCE) == [(0,)]
    settled = select(
        "SELECT q.line_no, r.resolution, e.source_event_key FROM events.quarantine_resolution AS r"
        " INNER JOIN events.quarantine AS q USING (quarantine_id) INNER JOIN events.event AS e"
        " ON e.region_code = r.region_code AND e.seq = r.resolved_by_seq ORDER BY 1"
    )
    assert settled == [(line, "corrected", key) for line, key in zip(fills, ("K2", "K3"), strict=True)]
    assert exported(sent.source_system, tmp_path) == []


def test_what_is_exported_is_coloured_frozen_filtered_and_explained(tmp_path: Path) -> None:
    land_rows("a.claim.1.csv", payment("K1", pooled_amount="1.234"))
    run()
    (path,) = exported("demo", tmp_path)
    book = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref is not None
    header = {cell.value: cell.column for cell in sheet[1]}
    assert sheet.cell(2, header["pooled_amount"]).fill.start_color.rgb == "FFF8CBAD"
    assert sheet.cell(2, header["claim_no"]).fill.fill_type is None
    assert all(cell.number_format == "@" for cell in sheet[2])
    words = " ".join(str(cell.value) for row in book[HOW_TO_SHEET].iter_rows() for cell in row)
    assert "隔离编号" in words
    assert "keeps its quarantine number" in words
    assert "claim.paid" not in words  # event types of a canonical file are no list of its columns
    assert "inpatient" in words


def test_nothing_in_a_workbook_is_a_formula(tmp_path: Path) -> None:
    wicked = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "{=1}", "_x0041_", "http://x.y", "00123"]
    rows = [
        payment(f"K{n}", pooled_amount="x", claim_no=text, region_code="320100")
        for n, text in enumerate(wicked, start=1)
    ]
    land_rows("a.claim.1.csv", *rows)
    run()
    (path,) = exported("demo", tmp_path)
    sheet = openpyxl.load_workbook(path)[SHEET]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    fills = {line: {"pooled_amount": "1.00"} for line in range(2, 10)}
    land("corrections.demo.claim.3.back.xlsx", corrected(path, fills))
    run()
    assert open_state()[0] == 0
    assert [claim for (claim,) in select("SELECT claim_no FROM events.event ORDER BY seq")] == wicked


def test_masked_numbers_must_be_filled_in_again(tmp_path: Path) -> None:
    sent = Sent("huainan", "hn_registration_2019Q4.csv", SOURCES[0].content)
    feed = feed_of(sent.source_system, sent.file_name)
    row = native(feed, sound_row("enrollment.started", certificate_no=CERTIFICATE, employer_name=f"户 {CERTIFICATE}"))
    sent.land([row | {"出生日期": "19x0-01-02"}])
    run()
    ((told,),) = select("SELECT messages[1] FROM events.quarantine_open")
    assert "[出生日期=19x0-01-02]" in told
    (path,) = exported("huainan", tmp_path)
    ((_, shown),) = [cells(path)]
    assert shown[0]["证件号码"] == "110***********002X"
    assert shown[0]["单位名称"] == "户 110***********002X"
    assert "姓名" not in shown[0]
    assert "证件号码、" in str(shown[0][REASON_ZH]) or "、证件号码" in str(shown[0][REASON_ZH])
    sheet = openpyxl.load_workbook(path)[SHEET]
    header = {cell.value: cell.column for cell in sheet[1]}
    assert {sheet.cell(2, header[name]).fill.start_color.rgb for name in ("证件号码", "单位名称")} == {"FFFFE699"}

    land(
        "corrections.huainan.registration.1.half.xlsx", corrected(path, {2: {"出生日期": "1949年12月31日"}}), "huainan"
    )
    run()
    ((codes, line),) = select("SELECT error_codes, line_no FROM events.quarantine_open")
    assert "E-VALUE-MASKED" in codes
    assert line == 2
    assert select("SELECT count(*) FROM events.event") == [(0,)], "a mask is nobody's name"

    whole = {"出生日期": "1949-12-31", "证件号码": CERTIFICATE, "单位名称": "甲"}
    land("corrections.huainan.registration.1.whole.xlsx", corrected(path, {2: whole}), "huainan")
    run()
    assert open_state()[0] == 0
    assert select("SELECT birth_date::text, employer_name FROM events.event") == [("1949-12-31", "甲")]
    assert all(CERTIFICATE not in str(told) for told in select("SELECT to_jsonb(q) FROM events.quarantine AS q"))


def test_rows_without_shape_are_listed_and_settled_by_their_number(tmp_path: Path) -> None:
    canonical = "event_type,source_event_key,occurred_on,region_code,fund_code,account,sub_fund,amount\n"
    good = "interest.credited,K1,2019-10-01,320100,EMI,income,pooled,1.00"
    land("a.treasury.1.csv", f"{canonical}{good},one too many\n")
    feed = feed_of("nanjing", "nj_treasury_1.csv")
    header = [column.source for column in feed.columns]
    land("nj_treasury_1.csv", ",".join(header) + "\n" + "张三," * 99 + "\n", "nanjing")
    run()
    for source, kept in (("demo", good), ("nanjing", "原文未留存")):
        (path,) = exported(source, tmp_path / source)
        words = [[str(c.value) for c in row] for row in openpyxl.load_workbook(path)[HOW_TO_SHEET].iter_rows()]
        ((number, name, line, text),) = [
            row for row in words if row[1].endswith("treasury_1.csv") or row[1] == "a.treasury.1.csv"
        ]
        assert (numbers(cells(path)[1]), line) == ([int(number)], "2"), name
        assert kept in text
        land(path.name, path.read_bytes(), source)
    run()
    assert set(quarantined(only_open=True)) == {("a.treasury.1.csv", 2), ("nj_treasury_1.csv", 2)}
    assert "张三" not in str(select("SELECT to_jsonb(q) FROM events.quarantine AS q"))

    (path,) = exported("demo", tmp_path / "again")
    fill = dict(zip(canonical.strip().split(","), good.split(","), strict=True))
    land("corrections.demo.treasury.4.x.xlsx", corrected(path, {2: dict(fill)}))
    run()
    assert set(quarantined(only_open=True)) == {("nj_treasury_1.csv", 2)}


def test_the_same_workbook_may_be_worked_on_in_steps(tmp_path: Path) -> None:
    """Its numbers still mean the right entries after a first attempt has failed."""
    land_rows("a.claim.1.csv", payment("", pooled_amount="x"), payment("", pooled_amount="y"))
    run()
    (path,) = exported("demo", tmp_path)
    land("corrections.demo.claim.3.one.xlsx", corrected(path, {2: {"pooled_amount": "1.00"}}))
    run()
    assert quarantined(only_open=True) == {
        ("corrections.demo.claim.3.one.xlsx", 2): {"E-SCHEMA-REQUIRED"},
        ("a.claim.1.csv", 3): {"E-SCHEMA-REQUIRED", "E-TYPE-AMOUNT"},
    }
    assert open_state() == (2, Decimal("1.00"))
    both = {line: {"pooled_amount": "1.00", "source_event_key": f"K{line}"} for line in (2, 3)}
    land("corrections.demo.claim.3.two.xlsx", corrected(path, both))
    run()
    assert open_state()[0] == 0
    assert select("SELECT count(*) FROM events.event") == [(2,)]


def test_a_conflict_is_answered_by_agreeing_or_under_a_new_key(tmp_path: Path) -> None:
    land_rows("a.claim.1.csv", payment("K1"), payment("K2"))
    land_rows("b.claim.1.csv", payment("K1", pooled_amount="1.00"), payment("K2", pooled_amount="2.00"))
    run()
    assert open_state() == (2, Decimal("3.00"))
    (path,) = exported("demo", tmp_path)
    land(
        "corrections.demo.claim.3.x.xlsx",
        corrected(path, {2: {"pooled_amount": "100.00"}, 3: {"source_event_key": "K3"}}),
    )
    run()
    assert open_state()[0] == 0
    resolutions = select("SELECT resolution FROM events.quarantine_resolution ORDER BY quarantine_id")
    assert resolutions == [("duplicate",), ("corrected",)]
    assert files()["corrections.demo.claim.3.x.xlsx"] == ("loaded", None, 2, 1, 1, 0, 1)


def test_numbers_of_another_source_settle_nothing(tmp_path: Path) -> None:
    land_rows("a.claim.1.csv", payment("", pooled_amount="1.00"))
    land_rows("a.claim.1.csv", payment(""), source="other")
    run()
    (path,) = exported("demo", tmp_path)
    ((foreign,),) = select("SELECT quarantine_id FROM events.quarantine WHERE source_system = 'other'")
    fill = {"source_event_key": "K1", NUMBER: str(foreign)}
    land("corrections.demo.claim.3.x.xlsx", corrected(path, {2: fill}))
    run()
    assert open_state()[0] == 2
    assert select("SELECT count(*) FROM events.quarantine_resolution") == [(0,)]


@pytest.mark.parametrize(
    "name", ["corrections.huainan.claim.3.x.xlsx", "corrections.demo.claim.1.x.xlsx", "corrections.demo.claim.9.x.xlsx"]
)
def test_corrections_of_another_source_or_feed_are_refused(name: str, tmp_path: Path) -> None:
    land_rows("a.claim.1.csv", payment("K1", pooled_amount="x"))
    run()
    (path,) = exported("demo", tmp_path)
    land(name, path.read_bytes())
    run()
    assert files()[name][:2] == ("rejected", "E-FILE-NAME")


def test_rows_of_one_region_alone_can_be_exported(tmp_path: Path) -> None:
    land_rows("a.claim.1.csv", payment("K1", pooled_amount="x"), payment("K2", pooled_amount="x", region_code="340400"))
    run()
    (path,) = exported("demo", tmp_path, "--region", "340400")
    assert [row["source_event_key"] for row in cells(path)[1]] == ["K2"]


def test_a_second_export_never_overwrites_the_first(tmp_path: Path) -> None:
    land_rows("a.claim.1.csv", payment("K1", pooled_amount="x"))
    run()
    written = [exported("demo", tmp_path)[0] for _ in range(3)]
    assert len(set(written)) == 3
    assert not list(tmp_path.glob("*.part"))


def test_rows_that_the_profile_no_longer_reads_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = tmp_path / "sources"
    shutil.copytree(Settings.from_env().sources_dir, sources)
    monkeypatch.setenv("FUND_SOURCES_DIR", str(sources))
    sent = SOURCES[0]
    sent.land(_spoilt(sent)[0])
    run()
    text = (sources / "nanjing.yml").read_text(encoding="utf-8")
    (sources / "nanjing.yml").write_text(text.replace("nj_treasury_*", "new_treasury_*"), encoding="utf-8")
    assert main(["quarantine", "export", "--source", "nanjing", "--to", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().out.count('"left_out"') == 2


def test_numbers_of_another_family_settle_nothing(tmp_path: Path) -> None:
    land_rows("a.claim.1.csv", payment("K1", pooled_amount="x"))
    land_rows("a.contribution.1.csv", premium("", employer_amount="1.00"))
    land_rows("b.claim.1.csv", payment("K2"))
    run()
    claims, _ = exported("demo", tmp_path)
    ((foreign,),) = select("SELECT quarantine_id FROM events.quarantine WHERE family = 'contribution'")
    for name, key in (("loaded", "K3"), ("duplicate", "K2"), ("refused", "")):
        fill = {"pooled_amount": "100.00", "source_event_key": key, NUMBER: str(foreign)}
        land(f"corrections.demo.claim.3.{name}.xlsx", corrected(claims, {2: fill}))
    run()
    assert select("SELECT family FROM events.quarantine_open ORDER BY quarantine_id") == [
        ("contribution",),
        ("claim",),
        ("claim",),
    ]
