"""The same rows as CSV, JSON Lines, XLSX and Parquet: the same content, the same quarantine, nothing in clear."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from tests.integration.ingestion_support import CERTIFICATE, files, land, run, select

PROFILE = """
source_system: people
defaults: {constants: {event_type: enrollment.started, region_code: "320100"}}
feeds:
"""
FEED = """
  - family: registration
    pattern: "*.NAME"
    format: NAME
    columns:
      key: source_event_key
      day: occurred_on
      person: person_no
      certificate: certificate_no
      kind: insurance_type
      category: {to: enrollment_category, values: {在职: employee, 灵活: flexible}}
      employer: employer_no
      base: contribution_base
    ignore: [姓名]
"""
NAMES = ["key", "day", "person", "certificate", "kind", "category", "employer", "base", "姓名"]
ROWS: list[list[str]] = [
    ["K1", "2019-01-01", "P1", CERTIFICATE, "310", "在职", "E1", "8000.55", "张三"],
    ["K2", "2019-01-02", "P2", "", "310", "灵活", "", "", "李四"],
    ["K3", "2019-01-03", "P3", "110105194912310021", "310", "在职", "E1", "100", "王五"],
    ["K4", "2019-01-04", "P4", "", "310", "退休", "", "1.234", "赵六"],
]
FORMATS = ("csv", "jsonl", "xlsx", "parquet")


def _csv() -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([NAMES, *ROWS])
    return buffer.getvalue().encode()


def _jsonl() -> bytes:
    return "".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in ROWS).encode()


def _xlsx() -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "d/m/yy"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, NAMES)
        for number, row in enumerate(ROWS, start=1):
            sheet.write_row(number, 0, row)
            sheet.write_datetime(number, 1, date.fromisoformat(row[1]))
            if row[7]:
                sheet.write_number(number, 7, float(row[7]))
                sheet.write_number(number, 4, float(row[4]))
    return buffer.getvalue()


def _parquet() -> bytes:
    frame = pl.DataFrame(ROWS, schema=dict.fromkeys(NAMES, pl.String), orient="row")
    buffer = io.BytesIO()
    frame.with_columns(
        pl.col("day").str.to_date(), pl.col("kind").cast(pl.Int16), pl.col("base").cast(pl.Float64, strict=False)
    ).write_parquet(buffer)
    return buffer.getvalue()


@pytest.fixture
def people(migrated_warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that sends every format."""
    assert migrated_warehouse
    monkeypatch.setenv("FUND_SOURCES_DIR", str(tmp_path))
    feeds = (FEED.replace("NAME", name) for name in FORMATS)
    (tmp_path / "people.yml").write_text(PROFILE + "".join(feeds), encoding="utf-8")


@pytest.mark.usefixtures("people")
def test_every_format_leaves_the_same_content_and_the_same_quarantine() -> None:
    contents = {"csv": _csv(), "jsonl": _jsonl(), "xlsx": _xlsx(), "parquet": _parquet()}
    told = {"row_count": 4, "control_totals": {"contribution_base": "8101.784"}}
    for place, (name, content) in enumerate(contents.items()):
        land(f"{place}.{name}.manifest.json", json.dumps(told), "people")
        land(f"{place}.{name}", content, "people")
    run()
    found = files()
    assert found.pop("0.csv") == ("loaded", None, 4, 2, 0, 2, 2)
    assert set(found.values()) == {("loaded", None, 4, 0, 2, 2, 0)}, "equal hashes: all of them duplicates"

    stored = select(
        "SELECT source_event_key, occurred_on::text, certificate_pseudonym, contribution_base::text, line_no"
        " FROM events.event ORDER BY line_no"
    )
    assert [(key, day, base, line) for key, day, _, base, line in stored] == [
        ("K1", "2019-01-01", "8000.55", 2),
        ("K2", "2019-01-02", None, 3),
    ]
    assert CERTIFICATE not in str(stored)

    held = select(
        "SELECT f.file_name, q.line_no, q.source_event_key, q.region_code, q.error_codes, q.raw, q.amount"
        " FROM events.quarantine AS q INNER JOIN events.file_registry AS f USING (file_id)"
        " ORDER BY f.file_name, q.line_no"
    )
    refused = {name: [row[1:] for row in held if row[0].endswith(name)] for name in FORMATS}
    refused["jsonl"] = [(line_no + 1, *rest) for line_no, *rest in refused["jsonl"]]  # no header above them
    assert refused["csv"] == refused["jsonl"] == refused["xlsx"] == refused["parquet"]
    assert [row[3] for row in refused["csv"]] == [["E-VALUE-CERTIFICATE"], ["E-VALUE-MAP", "E-TYPE-AMOUNT"]]
    assert all(secret not in str(held) for secret in ("110105194912310021", "王五", "赵六"))


@pytest.mark.usefixtures("people")
def test_what_is_wrong_in_a_cell_is_said_of_its_row_and_settled_by_the_corrected_one() -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, NAMES)
        sheet.write_row(1, 0, ROWS[0])
        sheet.write_number(1, 3, 110105194912310000)
        sheet.write_formula(1, 7, "=#REF!", None, "#REF!")
    land("wrong.xlsx", buffer.getvalue(), "people")
    run()
    ((key, region, codes, messages, raw),) = select(
        "SELECT source_event_key, region_code, error_codes, messages, raw FROM events.quarantine_open"
    )
    assert (key, region) == ("K1", "320100")
    assert codes[:2] == ["E-SCHEMA-CELL-DIGITS", "E-SCHEMA-CELL-ERROR"]
    assert "wrong.xlsx:2" in messages[0]
    assert "文本格式" in messages[0]
    assert "#REF!" in raw
    assert "110105194912310000" not in raw

    land("right.xlsx", _xlsx(), "people")
    run()
    assert select("SELECT source_event_key FROM events.quarantine_open ORDER BY 1") == [("K3",), ("K4",)]
