"""XLSX: what a cell means by its formula, its format, its zone, its place below totals or under a merge."""

from __future__ import annotations

from pathlib import Path

import pytest
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from ingestion.errors import FileRejected
from tests.unit.ingestion.workbooks import (
    NAMES,
    SPREADSHEET,
    by_hand,
    column,
    faults,
    feed,
    read,
    row,
    row_xml,
    sheet_data,
    table,
    workbook,
)

TOTALS = feed("format: xlsx, total_row: 合计")


@pytest.mark.parametrize("kind", ["", "n", "str", "s", "b", "e", "d"])
def test_a_formula_without_result_is_a_fault_whatever_its_type(kind: str, tmp_path: Path) -> None:
    content = by_hand(row_xml(f'<c t="{kind}"><f>A1</f></c>' if kind else "<c><f>A1</f></c>"))
    assert faults(read(content, tmp_path)) == {2: [("E-SCHEMA-CELL-FORMULA", ("sum",))]}


def test_an_empty_text_is_a_result(tmp_path: Path) -> None:
    found = read(by_hand(row_xml('<c t="str"><f>A1</f><v></v></c>'), row_xml('<c t="s"><v/></c>')), tmp_path)
    assert (faults(found), column(found, "sum")) == ({}, [None, None])


@pytest.mark.parametrize(
    "total",
    [
        "<c><f>SUM(E2)</f></c>",
        '<c t="str"><f>SUM(E2)</f></c>',
        '<c t="e"><v>#REF!</v></c>',
        "<c><v>1234567890123456</v></c>",
        "",
        '<c t="str"><v>-</v></c>',
    ],
)
def test_totals_that_say_nothing_are_none(total: str, tmp_path: Path) -> None:
    last = f'<row><c t="str"><v>合计</v></c><c/><c/><c/>{total}</row>'
    with pytest.raises(FileRejected, match="E-FILE-TOTAL"):
        read(by_hand(row_xml("<c><v>5</v></c>"), last), tmp_path, TOTALS)


def test_totals_of_ignored_columns_are_nobodys_concern(tmp_path: Path) -> None:
    how = feed("format: xlsx, total_row: 合计", ignore="note")
    for note in (None, "n/a", "#REF!"):
        (chunk,) = read(
            table([*row("K1"), 7], ["合计", None, None, None, 1.5, note], header=[*NAMES, "note"]), tmp_path, how
        )
        assert chunk.line_nos == [2]
    with pytest.raises(FileRejected, match="E-FILE-TOTAL"):
        read(table([*row("K1"), 7], ["合计", None, None, None, None, 7], header=[*NAMES, "note"]), tmp_path, how)


def test_formats_of_conditions_are_not_those_of_cells(tmp_path: Path) -> None:
    styles = (
        f'<styleSheet xmlns="{SPREADSHEET}"><numFmts><numFmt numFmtId="164" formatCode="0.00"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs>'
        '<dxfs><dxf><numFmt numFmtId="164" formatCode="yyyy-mm-dd"/></dxf></dxfs></styleSheet>'
    )
    found = read(by_hand(row_xml('<c s="1"><v>43983</v></c>'), styles=styles), tmp_path)
    assert column(found, "sum") == ["43983"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("2020-06-30T23:00:00+00:00", "2020-07-01 07:00:00"),
        ("2020-06-30T16:00:00Z", "2020-07-01"),
        ("2020-06-30T23:00:00+08:00", "2020-06-30 23:00:00"),
        ("2020-06-30T00:00:00.000", "2020-06-30"),
    ],
)
def test_moments_with_a_zone_become_beijing_time(raw: str, text: str, tmp_path: Path) -> None:
    assert column(read(by_hand(row_xml(f'<c t="d"><v>{raw}</v></c>')), tmp_path), "sum") == [text]


@pytest.mark.parametrize("raw", ["2020-W27-1", "20200630", "9999-12-31T23:00:00-08:00", "soon"])
def test_what_is_no_plain_date_is_a_fault(raw: str, tmp_path: Path) -> None:
    found = read(by_hand(row_xml(f'<c t="d"><v>{raw}</v></c>')), tmp_path)
    assert faults(found) == {2: [("E-SCHEMA-CELL-ERROR", ("sum",))]}


def _merged(*references: str) -> bytes:
    cells = "".join(f'<mergeCell ref="{reference}"/>' for reference in references)
    rows = [row_xml("<c><v>5</v></c>")] * 3 + [row_xml()]
    sheet = sheet_data(*rows).replace("</worksheet>", f"<mergeCells>{cells}</mergeCells></worksheet>")
    return by_hand(sheet=sheet)


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        (["E2:E4"], {3: ("sum",), 4: ("sum",)}),
        (["D3:E3"], {3: ("sum",)}),
        (["A2:B3", "D4:E5"], {2: ("id",), 3: ("type", "id"), 4: ("sum",), 5: ("region", "sum")}),
        (["E2:F2", "E3:H3"], {}),
        (["A1:E1", "A6:E9", "B2:B2"], {}),
    ],
)
def test_a_cell_under_a_merged_one_is_never_silently_empty(
    references: list[str], expected: dict[int, tuple[str, ...]], tmp_path: Path
) -> None:
    found = faults(read(_merged(*references), tmp_path))
    assert found == {line: [("E-SCHEMA-CELL-MERGED", columns)] for line, columns in expected.items()}


def test_merged_totals_and_ignored_columns_are_no_fault(tmp_path: Path) -> None:
    def fill(_: Workbook, sheet: Worksheet) -> None:
        for place, values in enumerate([[*NAMES, "note"], row("K1"), row("K2")]):
            sheet.write_row(place, 0, values)
        sheet.merge_range("F2:F3", "both")
        sheet.merge_range("A4:D4", "合计")
        sheet.write_number("E4", 3)

    found = read(workbook(fill), tmp_path, feed("format: xlsx, total_row: 合计", ignore="note"))
    assert ([number for chunk in found for number in chunk.line_nos], faults(found)) == ([2, 3], {})


def test_merged_cells_that_overlap_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRejected, match="E-FILE-XLSX"):
        read(_merged(*["A2:E1000000"] * 6), tmp_path)


def test_filled_sheets_that_no_profile_names_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        for added in (sheet, book.add_worksheet("supplement")):
            for place, values in enumerate([NAMES, row(added.name)]):
                added.write_row(place, 0, values)
        book.add_worksheet("empty")

    assert column(read(workbook(fill), tmp_path, feed("format: xlsx, sheet: data")), "id") == ["data"]
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == ["supplement"]
