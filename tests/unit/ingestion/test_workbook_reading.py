"""XLSX: every value as exact text, every row at its physical place, every workbook that can't be read refused."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from ingestion.errors import FileRejected
from ingestion.profiles import Feed
from ingestion.readers import package
from tests.unit.ingestion.workbooks import (
    NAMES,
    OFFICE,
    SPREADSHEET,
    by_hand,
    column,
    faults,
    feed,
    packed,
    parts,
    read,
    row,
    row_xml,
    table,
    workbook,
)

# -- values ------------------------------------------------------------------------------------------------------------


def test_every_type_of_value_becomes_its_text(tmp_path: Path) -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        day, moment = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": 22})
        sheet.write_row(0, 0, NAMES)
        sheet.write_row(1, 0, [True, "  00123 ", None, "320100", 0.1 + 0.2])
        sheet.write_row(2, 0, ["=1+1", "-x", "@a", "+b", 100], None)
        sheet.write_string(2, 0, "=text")
        sheet.write_datetime(1, 2, dt.date(2019, 11, 15), day)
        for place, value in enumerate((43784.3541666667, 0.3541666667, 5)):
            sheet.write_number(3 + place, 2, value, moment)
        sheet.write_rich_string(3, 0, "be", book.add_format({"bold": True}), "sides")
        sheet.write_string(4, 0, "a\x01b_x0041_")

    found = read(workbook(fill), tmp_path)
    assert column(found, "type") == ["true", "=text", "besides", "a\x01b_x0041_", None]
    assert column(found, "id")[:2] == ["00123", "-x"]
    assert column(found, "day") == ["2019-11-15", "@a", "2019-11-15 08:30:00", "08:30:00", "1900-01-05"]
    assert column(found, "sum")[:2] == ["0.3", "100"]
    assert faults(found) == {}


@pytest.mark.parametrize("since_1904", [False, True])
def test_dates_count_from_the_workbooks_own_first_day(tmp_path: Path, since_1904: bool) -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        sheet.write_row(0, 0, NAMES)
        sheet.write_row(1, 0, row())
        sheet.write_datetime(1, 2, dt.date(2020, 2, 29), book.add_format({"num_format": 14}))

    assert column(read(workbook(fill, date_1904=since_1904), tmp_path), "day") == ["2020-02-29"]


def test_a_date_that_is_none_stays_a_number(tmp_path: Path) -> None:
    styles = f'<styleSheet xmlns="{SPREADSHEET}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    rows = [row_xml(f'<c s="1"><v>{raw}</v></c>') for raw in ("60", "-5", "2958466", "59", "61", "2958465")]
    texts = ["60", "-5", "2958466", "1900-02-28", "1900-03-01", "9999-12-31"]
    assert column(read(by_hand(*rows, styles=styles), tmp_path), "sum") == texts
    iso = [
        row_xml(f'<c t="d"><v>{raw}</v></c>') for raw in ("2020-01-02", "2020-01-02T00:00:00", "2020-01-02T03:04:05")
    ]
    assert column(read(by_hand(*iso), tmp_path), "sum") == ["2020-01-02", "2020-01-02", "2020-01-02 03:04:05"]


def test_errors_lost_digits_and_formulas_without_result_are_faults_of_their_rows(tmp_path: Path) -> None:
    def fill(_: Workbook, sheet: Worksheet) -> None:
        sheet.write_row(0, 0, [*NAMES, "note"])
        for place in range(1, 6):
            sheet.write_row(place, 0, row(f"K{place}"))
        sheet.write_formula(1, 4, "=1/0", None, "#DIV/0!")
        sheet.write_formula(2, 4, "=1+1", None, "")
        sheet.write_number(3, 1, 320106198001010000)
        sheet.write_formula(4, 4, "=1+1", None, 2)
        sheet.write_formula(5, 5, "=NA()", None, "#N/A")

    found = read(workbook(fill), tmp_path, feed(ignore="note"))
    assert faults(found) == {
        2: [("E-SCHEMA-CELL-ERROR", ("sum",))],
        3: [("E-SCHEMA-CELL-FORMULA", ("sum",))],
        4: [("E-SCHEMA-CELL-DIGITS", ("id",))],
    }
    assert column(found, "sum") == ["#DIV/0!", "=", "1.5", "2", "1.5"]
    assert column(found, "id")[2] == "320106198001010000"


def test_openpyxl_writes_formulas_without_results(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(NAMES)
    book.active.append(["interest.credited", "K1", dt.date(2019, 11, 15), "320100", "=1+1"])
    buffer = io.BytesIO()
    book.save(buffer)
    found = read(buffer.getvalue(), tmp_path)
    assert column(found, "day") == ["2019-11-15"]
    assert faults(found) == {2: [("E-SCHEMA-CELL-FORMULA", ("sum",))]}


def test_pronunciations_and_escapes_are_no_part_of_a_text(tmp_path: Path) -> None:
    strings = (
        f'<x:sst xmlns:x="{SPREADSHEET}"><x:si><x:t>南京</x:t><x:rPh sb="0" eb="1"><x:t>nanjing</x:t></x:rPh></x:si>'
        "<x:si><x:r><x:t>a</x:t></x:r><x:r><x:t>_x000D_b</x:t></x:r></x:si><x:si><x:t>_xD800_</x:t></x:si></x:sst>"
    )
    rows = [row_xml(f'<c t="s"><v>{place}</v></c>') for place in range(3)]
    found = read(by_hand(*rows, strings=strings), tmp_path)
    assert column(found, "sum") == ["南京", "a\rb", "\x00"]


# -- rows --------------------------------------------------------------------------------------------------------------


def test_rows_keep_their_physical_numbers_hidden_ones_are_read_blank_ones_are_none(tmp_path: Path) -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        sheet.write_row(2, 1, NAMES)
        for place in (3, 5, 6, 9):
            sheet.write_row(place, 1, row(f"K{place}"))
        sheet.write_row(7, 1, ["  ", "", " "])
        sheet.write_blank(8, 1, None, book.add_format({"bold": True}))
        sheet.set_row(5, None, None, {"hidden": True})
        sheet.set_column(2, 2, None, None, {"hidden": True})

    found = read(workbook(fill), tmp_path)
    assert [number for chunk in found for number in chunk.line_nos] == [4, 6, 7, 10]
    assert column(found, "id") == ["K3", "K5", "K6", "K9"]


def test_rows_and_cells_without_reference_follow_one_another(tmp_path: Path) -> None:
    found = read(by_hand(row_xml("<c><v>1</v></c>"), row_xml("<c><v>2</v></c>", number=' r="7"')), tmp_path)
    assert ([n for chunk in found for n in chunk.line_nos], column(found, "sum")) == ([2, 7], ["1", "2"])


def test_a_value_beside_the_table_is_a_fault_of_its_row(tmp_path: Path) -> None:
    found = read(table([*row("K1"), "", "stray"], row("K2")), tmp_path)
    assert faults(found) == {2: [("E-SCHEMA-FIELDS", ("G",))]}


def test_a_name_merged_over_two_columns_is_two_columns_of_one_name(tmp_path: Path) -> None:
    def fill(_: Workbook, sheet: Worksheet) -> None:
        sheet.write_row("A1", [*NAMES, None])
        sheet.merge_range("E1:F2", "sum")

    with pytest.raises(FileRejected, match=r"E-FILE-DUPLICATE-COLUMN.*\[sum\]"):
        read(workbook(fill), tmp_path, feed("format: xlsx, header_rows: 2"))


def test_merged_header_text_is_carried_over_its_range_only(tmp_path: Path) -> None:
    def fill(_: Workbook, sheet: Worksheet) -> None:
        sheet.merge_range("A1:F2", "Statement")
        sheet.merge_range("A3:A4", "type")
        sheet.merge_range("B3:C3", "key")
        sheet.write_row("B4", ["id", "day"])
        sheet.merge_range("D3:D4", "region")
        sheet.write_row("E4", ["sum"])
        sheet.write_row("A5", row())

    how = feed("format: xlsx, header_row: 3, header_rows: 2", ", key/id: counterparty, key/day: accounting_month")
    (chunk,) = read(workbook(fill), tmp_path, _without(how, "id", "day"))
    assert chunk.frame.columns == ["type", "key/id", "key/day", "region", "sum"]
    assert chunk.line_nos == [5]


def _without(how: Feed, *names: str) -> Feed:
    kept = tuple(column for column in how.columns if column.source not in names)
    return replace(how, columns=kept, constants={"source_event_key": "K", "occurred_on": "2019-11-15"})


def test_the_row_of_totals_is_compared_and_is_no_row(tmp_path: Path) -> None:
    how = feed("format: xlsx, total_row: 合计")
    rows = [row("K1", 1.1), row("K2", "2,000.20")]
    (chunk,) = read(table(*rows, ["合 计", None, None, None, 2001.3]), tmp_path, how)
    assert chunk.line_nos == [2, 3]
    for total in ([], [["合计", None, None, None, 2001.31]]):
        with pytest.raises(FileRejected, match="E-FILE-TOTAL"):
            read(table(*rows, *total), tmp_path, how)


def test_a_row_of_totals_that_no_profile_speaks_of_stays_a_row(tmp_path: Path) -> None:
    found = read(table(row("K1"), ["合计", None, None, None, 1.5]), tmp_path)
    assert [number for chunk in found for number in chunk.line_nos] == [2, 3]


# -- sheets ------------------------------------------------------------------------------------------------------------


def _sheets(*names: str, hidden: tuple[str, ...] = (), empty: tuple[str, ...] = ()) -> bytes:
    def fill(book: Workbook, _: Worksheet) -> None:
        for name in names:
            added = book.add_worksheet(name)
            if name not in empty:
                for place, values in enumerate([NAMES, row(name)]):
                    added.write_row(place, 0, values)
            if name in hidden:
                added.very_hidden() if name.endswith("!") else added.hide()

    return workbook(fill)


def test_the_one_visible_sheet_with_content_is_read(tmp_path: Path) -> None:
    found = read(_sheets("a", "b", "c!", "d", hidden=("b", "c!"), empty=("d",)), tmp_path)
    assert column(found, "id") == ["a"]


def test_a_sheet_is_named_by_the_profile(tmp_path: Path) -> None:
    content = _sheets("2019Q4", "2020Q1", "note")
    assert column(read(content, tmp_path, feed("format: xlsx, sheet: '2020*'")), "id") == ["2020Q1"]
    for name in ("20*", "absent"):
        with pytest.raises(FileRejected, match=r"E-FILE-SHEET.*2019Q4, 2020Q1, note"):
            read(content, tmp_path, feed(f"format: xlsx, sheet: '{name}'"))


def test_a_hidden_sheet_is_not_read_even_when_named(tmp_path: Path) -> None:
    with pytest.raises(FileRejected, match="E-FILE-SHEET"):
        read(_sheets("a", "b", hidden=("b",)), tmp_path, feed("format: xlsx, sheet: b"))


# -- files that can't be read ------------------------------------------------------------------------------------------


def _state(state: str) -> str:
    return str(parts()["xl/workbook.xml"]).replace("<sheet ", f'<sheet state="{state}" ')


def _flagged_encrypted() -> bytes:
    content = bytearray(table(row()))
    place = content.find(b"PK\x01\x02")
    while place >= 0:
        content[place + 8] |= 1
        place = content.find(b"PK\x01\x02", place + 1)
    return bytes(content)


def _claiming(size: int) -> bytes:
    """A directory that says of its first entry that it unpacks to `size` bytes."""
    content = bytearray(by_hand(row_xml()))
    place = content.find(b"PK\x01\x02")
    struct.pack_into("<I", content, place + 24, size)
    return bytes(content)


OLE = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600)
DOCTYPE = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>'
CORNER = '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
NO_SHEETS = f'<workbook xmlns="{SPREADSHEET}" xmlns:r="{OFFICE}"><sheets/></workbook>'
BAD_WORKBOOKS: list[tuple[str, bytes]] = [
    ("E-FILE-EMPTY", b""),
    ("E-FILE-EMPTY", packed(parts(sheet=f'<worksheet xmlns="{SPREADSHEET}"><sheetData/></worksheet>'))),
    ("E-FILE-XLSX", b"type,id\n1,2\n"),
    ("E-FILE-XLSX", table(row())[:-30]),
    ("E-FILE-XLSX", table(row())[:400]),
    ("E-FILE-XLSX", packed({"readme.txt": "text"})),
    ("E-FILE-XLS", OLE),
    ("E-FILE-PASSWORD", OLE + "EncryptedPackage".encode("utf-16-le")),
    ("E-FILE-PASSWORD", _flagged_encrypted()),
    ("E-FILE-TOO-LARGE", _claiming(package.UNPACKED_BYTES_MAX + 1)),
    ("E-FILE-SHEET", by_hand(book=_state("hidden"))),
    ("E-FILE-SHEET", by_hand(book=_state("veryHidden"))),
    ("E-FILE-SHEET", by_hand(book=NO_SHEETS)),
    ("E-FILE-SHEET", _sheets("a", "b")),
    ("E-FILE-XLSX", by_hand(row_xml(), before=DOCTYPE)),
    ("E-FILE-XLSX", by_hand(strings=f'{DOCTYPE}<sst xmlns="{SPREADSHEET}"/>')),
    ("E-FILE-XLSX", by_hand(book=DOCTYPE + NO_SHEETS)),
    ("E-FILE-XLSX", by_hand("<row><c><v>1</v></c>")),
    ("E-FILE-XLSX", by_hand('<row r="1"><c><v>1</v></c></row>')),
    ("E-FILE-XLSX", by_hand('<row r="2"><c r="A3"><v>1</v></c></row>')),
    ("E-FILE-XLSX", by_hand('<row r="2"><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>')),
    ("E-FILE-XLSX", by_hand('<row r="2"><c r="XFE2"><v>1</v></c></row>')),
    ("E-FILE-XLSX", by_hand('<row r="1048577"><c><v>1</v></c></row>')),
    ("E-FILE-XLSX", by_hand('<row r="2"><c t="s"><v>9</v></c></row>')),
    ("E-FILE-XLSX", by_hand('<row r="2"><c t="z"><v>9</v></c></row>')),
    ("E-FILE-XLSX", by_hand(f'<row r="2"><c t="str"><v>{"x" * 1_000_001}</v></c></row>')),
    ("E-FILE-XLSX", by_hand(f'<row r="2" x="{"x" * 5_000_000}"/>')),
    ("E-FILE-XLSX", by_hand(f"<!--{'x' * 5_000_000}-->")),
    ("E-FILE-XLSX", by_hand(row_xml(), before='<?xml version="1.0" encoding="UTF-x"?>')),
    ("E-FILE-XLSX", by_hand(row_xml(), before='<?xml version="1.0" encoding="rot13"?>')),
    ("E-FILE-COLUMNS", table(row(), header=[*NAMES[:4], "colour"])),
    ("E-FILE-DUPLICATE-COLUMN", table(row(), header=[*NAMES[:4], "id"])),
    ("E-FILE-HEADER", table(row(), header=NAMES[1:])),
    ("E-FILE-COLUMNS", table(header=[f"c{number}" for number in range(16_384)])),
]


@pytest.mark.parametrize(("code", "content"), BAD_WORKBOOKS)
def test_a_workbook_that_cannot_be_read_is_refused_with_its_code(code: str, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(FileRejected) as refused:
        read(content, tmp_path)
    assert refused.value.code == code


def test_a_cell_in_the_last_corner_costs_nothing(tmp_path: Path) -> None:
    found = read(by_hand(row_xml("<c><v>1</v></c>"), CORNER), tmp_path)
    assert [number for chunk in found for number in chunk.line_nos] == [2, 1_048_576]
    assert faults(found) == {1_048_576: [("E-SCHEMA-FIELDS", ("XFD",))]}


def test_a_sheet_that_unpacks_to_more_than_its_directory_says_is_refused(tmp_path: Path) -> None:
    content = by_hand(*[row_xml("<c><v>1</v></c>")] * 5_000)
    place = content.find(b"PK\x01\x02", content.find(b"xl/worksheets/sheet1.xml", content.find(b"PK\x01\x02")) - 60)
    understated = bytearray(content)
    struct.pack_into("<I", understated, place + 24, 2_000)
    with pytest.raises(FileRejected, match="E-FILE-XLSX"):
        read(bytes(understated), tmp_path)


def test_more_entries_than_a_workbook_has_are_refused(tmp_path: Path) -> None:
    extra: dict[str, str | bytes] = {f"x/{number}": b"" for number in range(package.ENTRIES_MAX)}
    with pytest.raises(FileRejected, match="E-FILE-TOO-LARGE"):
        read(packed(parts() | extra), tmp_path)


def test_shared_strings_have_a_limit_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.readers.workbook.STRINGS_BYTES_MAX", 1_000)
    with pytest.raises(FileRejected, match="E-FILE-TOO-LARGE"):
        read(table(*[row(f"K{number}") for number in range(100)]), tmp_path)


def test_external_parts_are_never_followed(tmp_path: Path) -> None:
    content = parts()
    name = "xl/_rels/workbook.xml.rels"
    content[name] = str(content[name]).replace('Target="worksheets', 'TargetMode="External" Target="worksheets')
    with pytest.raises(FileRejected, match="E-FILE-SHEET"):
        read(packed(content), tmp_path)
    content[name] = str(parts()[name]).replace("worksheets/sheet1.xml", "../../../../etc/passwd")
    with pytest.raises(FileRejected, match="E-FILE-XLSX"):
        read(packed(content), tmp_path)


def test_a_damaged_workbook_is_read_or_refused_never_a_crash(tmp_path: Path) -> None:
    sound = table(*[row(f"K{number}") for number in range(20)])
    outcomes = {_outcome(_turned(sound, place), tmp_path) for place in range(0, len(sound), 67)}
    assert "E-FILE-XLSX" in outcomes
    assert all(outcome.startswith(("E-FILE-", "read")) for outcome in outcomes)


def _turned(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]


def _outcome(content: bytes, folder: Path) -> str:
    try:
        read(content, folder)
    except FileRejected as refused:
        return refused.code
    return "read"


def test_a_profile_may_not_speak_of_sheets_in_another_format() -> None:
    with pytest.raises(FileRejected, match="E-FILE-PROFILE"):
        feed("format: csv, header_row: 2")
    with pytest.raises(FileRejected, match="E-FILE-PROFILE"):
        feed("format: xlsx, header_rows: 0")


def test_zip64_is_read(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.use_zip64()
    sheet = book.add_worksheet()
    for place, values in enumerate([NAMES, row()]):
        sheet.write_row(place, 0, values)
    book.close()
    assert zipfile.is_zipfile(io.BytesIO(buffer.getvalue()))
    assert column(read(buffer.getvalue(), tmp_path), "id") == ["K1"]
