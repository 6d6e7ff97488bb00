"""Workbooks for tests: real ones from XlsxWriter, and ones whose parts are written by hand."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import xlsxwriter
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from ingestion.profiles import Feed, parse_profile
from ingestion.readers import Chunk, chunks

NAMES = ["type", "id", "day", "region", "sum"]
SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def feed(reading: str = "format: xlsx", columns: str = "", ignore: str = "") -> Feed:
    """Treasury rows under short names; `columns` adds more."""
    mapped = "type: event_type, id: source_event_key, day: occurred_on, region: region_code, sum: amount"
    text = (
        f"source_system: s\ndefaults: {{{reading}}}\n"
        f"feeds: [{{family: treasury, pattern: '*', columns: {{{mapped}{columns}}}, ignore: [{ignore}]}}]"
    )
    return parse_profile(text.encode(), "s").feed_of("x")


def workbook(fill: Callable[[Workbook, Worksheet], object], **options: bool | str) -> bytes:
    """What XlsxWriter makes of `fill(book, first sheet)`."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, **options}) as book:
        fill(book, book.add_worksheet("data"))
    return buffer.getvalue()


def table(*rows: list[object], header: list[str] = NAMES, typed: bool = False) -> bytes:
    """A sheet with a header in its first row; `typed`: texts are never taken for formulas or links."""

    def fill(_: Workbook, sheet: Worksheet) -> None:
        for number, values in enumerate([header, *rows]):
            sheet.write_row(number, 0, values)

    plain = {"strings_to_formulas": not typed, "strings_to_urls": not typed, "default_date_format": "yyyy-mm-dd"}
    return workbook(fill, **plain)


def row(key: str = "K1", amount: object = 1.5, day: object = "2019-11-15") -> list[object]:
    """A row that holds."""
    return ["interest.credited", key, day, "320100", amount]


def parts(**changes: str | bytes) -> dict[str, str | bytes]:
    """The parts of a small workbook; `sheet`, `strings`, `styles`, `book` replace one."""
    plain: dict[str, str | bytes] = {
        "book": f'<workbook xmlns="{SPREADSHEET}" xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="data" sheetId="1" r:id="r1"/></sheets></workbook>',
        "sheet": sheet_data(),
        "strings": f'<sst xmlns="{SPREADSHEET}"/>',
        "styles": f'<styleSheet xmlns="{SPREADSHEET}"/>',
    } | changes
    relations = f'<Relationships xmlns="{_RELATIONS}">{{}}</Relationships>'
    one = f'<Relationship Id="{{}}" Type="{OFFICE}/{{}}" Target="{{}}"/>'
    return {
        "_rels/.rels": relations.format(one.format("r0", "officeDocument", "xl/workbook.xml")),
        "xl/_rels/workbook.xml.rels": relations.format(
            one.format("r1", "worksheet", "worksheets/sheet1.xml")
            + one.format("r2", "sharedStrings", "/xl/sharedStrings.xml")
            + one.format("r3", "styles", "styles.xml")
        ),
        "xl/workbook.xml": plain["book"],
        "xl/worksheets/sheet1.xml": plain["sheet"],
        "xl/sharedStrings.xml": plain["strings"],
        "xl/styles.xml": plain["styles"],
    }


def packed(content: dict[str, str | bytes]) -> bytes:
    """The archive of these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    return buffer.getvalue()


def sheet_data(*rows: str, before: str = "", after: str = "") -> str:
    """A worksheet with the usual header and these rows of XML."""
    header = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in NAMES)
    body = "".join(rows)
    return (
        f'{before}<worksheet xmlns="{SPREADSHEET}"><sheetData><row>{header}</row>{body}</sheetData>{after}</worksheet>'
    )


def row_xml(*cells: str, number: str = "") -> str:
    """A row of the usual first four values and these cells."""
    first = "".join(f'<c t="str"><v>{value}</v></c>' for value in row()[:4])
    return f"<row{number}>{first}{''.join(cells)}</row>"


def by_hand(*rows: str, before: str = "", after: str = "", **changes: str | bytes) -> bytes:
    """A workbook with these rows of XML below the usual header."""
    return packed(parts(**({"sheet": sheet_data(*rows, before=before, after=after)} | changes)))


def read(content: bytes, folder: Path, how: Feed | None = None, size: int = 2) -> list[Chunk]:
    """What the reader makes of these bytes, in chunks of `size` rows."""
    path = folder / "x.xlsx"
    path.write_bytes(content)
    return list(chunks(path, how or feed(), size))


def column(found: list[Chunk], name: str) -> list[str | None]:
    """The texts of one column."""
    return [value for chunk in found for value in chunk.frame[name]]


def faults(found: list[Chunk]) -> dict[int, list[tuple[str, tuple[str, ...]]]]:
    """What the reader found wrong, by physical row."""
    return {chunk.line_nos[place]: said for chunk in found for place, said in chunk.faults.items()}
