"""XLSX: values only, read as a stream. Formulas are never evaluated; hidden sheets are not read, hidden rows are."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from ingestion.contracts import FAMILIES
from ingestion.contracts.columns import Kind
from ingestion.errors import FileRejected
from ingestion.normal import DAY
from ingestion.profiles import Feed
from ingestion.readers import sheet
from ingestion.readers.cells import Fault, Value, is_date_format, unescaped
from ingestion.readers.chunk import Chunk, batches, text_frame
from ingestion.readers.package import (
    STRINGS_BYTES_MAX,
    UNPACKED_BYTES_MAX,
    Package,
    damaged,
    local,
    open_package,
)
from ingestion.readers.sheet import Merge, SheetRow, Values, column_letters
from ingestion.readers.table import Covered, DayNumbers, Totals, header_names, within

_log = logging.getLogger(__name__)
_VISIBLE = ("", "visible")
_MERGE = tuple("mergeCell".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))
_OVERLAP = max(map(len, _MERGE))


def xlsx_chunks(path: Path, feed: Feed, size: int) -> Iterator[Chunk]:
    """Rows of the one sheet that the feed means, below its header."""
    with open_package(path) as package:
        book = _read_book(package)
        part = _choose(package, book, feed.sheet.name)
        with closing(sheet.rows(package.blocks(part, UNPACKED_BYTES_MAX), book.values)) as rows:
            merged = _merges(package, part)
            names, data = _header(merged, rows, feed)
            feed.check_header(list(names.values()))
            covered = Covered(merged, [column for column, name in names.items() if name not in feed.ignore])
            days = DayNumbers(_dated(names, feed), since_1904=book.values.since_1904)
            yield from _body(data, names, _Reading(covered, days, feed), size)


@dataclass(frozen=True)
class _Book:
    sheets: tuple[tuple[str, str], ...]  # (name, part) of visible worksheets
    values: Values


def _read_book(package: Package) -> _Book:
    main = next((part for kind, part in package.relations("").values() if kind == "officeDocument"), None)
    if main is None:
        raise damaged("no workbook")
    relations = package.relations(main)
    sheets: list[tuple[str, str]] = []
    properties: dict[str, str] = {}

    def start(element: str, attributes: dict[str, str]) -> None:
        name = local(element)
        if name == "workbookPr":
            properties.update(attributes)
        elif name == "sheet" and attributes.get("state", "") in _VISIBLE:
            identity = next((value for key, value in attributes.items() if local(key) == "id"), "")
            kind, part = relations.get(identity, ("", ""))
            if kind == "worksheet":
                sheets.append((attributes.get("name", ""), part))

    package.parse(main, start)
    parts = {kind: part for kind, part in relations.values() if kind in ("sharedStrings", "styles")}
    values = Values(
        strings=_strings(package, parts.get("sharedStrings")),
        date_styles=_date_styles(package, parts.get("styles")),
        since_1904=properties.get("date1904", "0") in ("1", "true"),
    )
    return _Book(tuple(sheets), values)


def _strings(package: Package, part: str | None) -> list[str]:
    """The shared strings; pronunciations (`rPh`) are no part of a text."""
    found: list[str] = []
    held: list[str] = []
    length = 0
    inside = {"t": 0, "rPh": 0}

    def start(element: str, _: dict[str, str]) -> None:
        name = local(element)
        if name in inside:
            inside[name] += 1

    def end(element: str) -> None:
        nonlocal length
        name = local(element)
        if name in inside:
            inside[name] -= 1
        elif name == "si":
            found.append(unescaped("".join(held)))
            held.clear()
            length = 0

    def text(characters: str) -> None:
        nonlocal length
        if inside["t"] and not inside["rPh"]:
            held.append(characters)
            length += len(characters)
            if length > sheet.TEXT_LENGTH_MAX:
                raise damaged(f"shared string {len(found)} too long")

    if part is not None and part in package:
        package.parse(part, start, end, text, STRINGS_BYTES_MAX)
    return found


def _date_styles(package: Package, part: str | None) -> frozenset[str]:
    """Numbers of the cell styles that show a number as a date."""
    codes: dict[str, str] = {}
    formats: list[str] = []
    within = ""  # `dxfs`, among others, holds formats of its own under the same numbers

    def start(element: str, attributes: dict[str, str]) -> None:
        nonlocal within
        name = local(element)
        if name in ("numFmts", "cellXfs"):
            within = name
        elif name == "numFmt" and within == "numFmts":
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "xf" and within == "cellXfs":
            formats.append(attributes.get("numFmtId", "0"))

    def end(element: str) -> None:
        nonlocal within
        if local(element) == within:
            within = ""

    if part is not None and part in package:
        package.parse(part, start, end)
    dates = {name for name in set(formats) if is_date_format(int(name), codes.get(name))}
    return frozenset(str(place) for place, name in enumerate(formats) if name in dates)


def _choose(package: Package, book: _Book, pattern: str | None) -> str:
    """The visible sheet that the feed names, or else the only visible one that is not empty."""
    if not book.sheets:
        raise FileRejected("E-FILE-SHEET")
    if pattern is not None:
        fitting = [part for name, part in book.sheets if fnmatchcase(name, pattern)]
    else:
        fitting = [part for _, part in book.sheets if _is_filled(package, part, book.values)]
        if not fitting:
            raise FileRejected("E-FILE-EMPTY")
    if len(fitting) != 1:
        raise FileRejected("E-FILE-SHEET", ", ".join(name[:40] for name, _ in book.sheets[:20]))
    left = [name for name, part in book.sheets if part != fitting[0] and _is_filled(package, part, book.values)]
    if left:
        _log.warning("visible sheets that the profile does not name are not read: %s", ", ".join(left)[:400])
    return fitting[0]


def _is_filled(package: Package, part: str, values: Values) -> bool:
    with closing(sheet.rows(package.blocks(part, UNPACKED_BYTES_MAX), values)) as rows:
        return next(rows, None) is not None


def _merges(package: Package, part: str) -> list[Merge]:
    """They stand behind the rows they are about; a sheet without any is only searched, not parsed twice."""
    end = b""
    for block in package.blocks(part, UNPACKED_BYTES_MAX):
        if any(name in end + block for name in _MERGE):
            return sheet.merges(package.blocks(part, UNPACKED_BYTES_MAX))
        end = block[-_OVERLAP:]
    return []


def _header(merged: list[Merge], rows: Iterator[SheetRow], feed: Feed) -> tuple[dict[int, str], Iterator[SheetRow]]:
    """Names by column, and the rows that follow."""
    form = feed.sheet
    filled = (row for row in rows if row.number >= (form.header_row or 1) and _has_content(row))
    row = next(filled, None)
    if row is None:
        raise FileRejected("E-FILE-EMPTY")
    top = form.header_row or row.number
    bottom = top + form.header_rows - 1
    cells: dict[tuple[int, int], str] = {}
    while row is not None and row.number <= bottom:
        cells |= {(row.number, column): _text(value) for column, value in row.cells.items()}
        row = next(filled, None)
    spread = within(merged, top, bottom) if form.header_rows > 1 else []
    return header_names(cells, spread, top, bottom), itertools.chain([] if row is None else [row], filled)


def _has_content(row: SheetRow) -> bool:
    return any(_text(value).strip() for value in row.cells.values())


def _text(value: Value) -> str:
    return value.shown if isinstance(value, Fault) else value


class _Reading(NamedTuple):
    """What the cells of the body are read by."""

    covered: Covered
    days: DayNumbers
    feed: Feed


def _dated(names: dict[int, str], feed: Feed) -> list[int]:
    """Columns of the sheet that fill dates or months."""
    family = FAMILIES[feed.family]
    dated = {said.source for said in feed.columns if family.column(said.to).kind in (Kind.DATE, Kind.MONTH)}
    return [column for column, name in names.items() if name in dated]


def _body(rows: Iterator[SheetRow], names: dict[int, str], reading: _Reading, size: int) -> Iterator[Chunk]:
    feed = reading.feed
    totals = Totals(feed.sheet.total_row, [name in feed.ignore for name in names.values()])
    counted = (row for row in rows if not totals.take([row.cells.get(column, "") for column in names]))
    slim = (_row(row, names, reading) for row in counted)
    for batch in batches(slim, size, lambda row: sum(map(len, row.texts))):
        yield Chunk(
            text_frame(list(names.values()), [row.texts for row in batch]),
            [row.number for row in batch],
            faults={place: row.faults for place, row in enumerate(batch) if row.faults},
            notes=_notes(batch),
        )
    totals.finish()


class _Row(NamedTuple):
    """What is kept of a row until its chunk is full: nothing of the columns that have no name but theirs."""

    number: int
    texts: list[str]
    faults: list[tuple[str, tuple[str, ...]]]
    day_numbers: list[str]


def _row(row: SheetRow, names: dict[int, str], reading: _Reading) -> _Row:
    days = reading.days.of(row.cells)
    cells = row.cells | days
    texts = [_text(cells.get(column, "")) for column in names]
    faults = _faults(row.cells, names, reading.feed)
    if under := reading.covered.of(row.number):
        faults.append(("E-SCHEMA-CELL-MERGED", tuple(names[column] for column in under[:30])))
    return _Row(row.number, texts, faults, [names[column] for column in days])


def _notes(batch: list[_Row]) -> dict[tuple[str, str], list[int]]:
    notes: dict[tuple[str, str], list[int]] = {}
    for place, row in enumerate(batch):
        for name in row.day_numbers:
            notes.setdefault((DAY, name), []).append(place)
    return notes


def _faults(cells: dict[int, Value], names: dict[int, str], feed: Feed) -> list[tuple[str, tuple[str, ...]]]:
    """Codes with the columns they are about; what stands in ignored columns is nobody's concern."""
    broken: dict[str, list[str]] = {}
    for column, value in cells.items():
        if column not in names:
            if _text(value).strip():
                broken.setdefault("E-SCHEMA-FIELDS", []).append(column_letters(column))
        elif isinstance(value, Fault) and names[column] not in feed.ignore:
            broken.setdefault(value.code, []).append(names[column])
    return [(code, tuple(columns[:30])) for code, columns in broken.items()]
