"""From the bytes of a canonical file to rows of typed values (E1, E3, E4)."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import sha256

from .vocabulary import AMOUNTS, COLUMNS, DATES, EVENT_TYPES, INTEGERS, MONTHS, SHARED

Value = str | int | date | Decimal
_AMOUNT = re.compile(r"-?0*\d{1,13}(\.\d{1,2})?")


@dataclass(frozen=True)
class LandedFile:
    """One file as it lies in `<landing>/<source_system>/<file_name>`, with its sidecar if it has one."""

    source_system: str
    file_name: str
    content: bytes
    manifest: str | None = None

    @property
    def sha256(self) -> str:
        """What the file is known by (E1)."""
        return sha256(self.content).hexdigest()

    @property
    def family(self) -> str | None:
        """E1: `<anything>.<family>.<anything>.csv` or `.csv.gz`."""
        stem = re.fullmatch(r"(.+)\.csv(\.gz)?", self.file_name)
        parts = stem.group(1).split(".") if stem else []
        named = [part for part in parts[1:-1] if part in EVENT_TYPES]
        return named[0] if named else None


class FileRejected(Exception):
    """The whole file is refused: one `E-FILE-*` code (E4)."""


@dataclass
class Row:
    """One line: raw text by column, typed values by column, reasons why it can't load."""

    line_no: int
    text: dict[str, str]
    values: dict[str, Value] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)

    def amount(self, column: str) -> Decimal:
        """Zero when the field is empty."""
        value = self.values.get(column)
        return value if isinstance(value, Decimal) else Decimal(0)


def read(file: LandedFile) -> list[Row]:
    """Typed rows of a canonical file; `FileRejected` when it can't be read at all."""
    family = file.family
    if family is None:
        raise FileRejected("E-FILE-NAME")
    lines = list(csv.reader(io.StringIO(_decode(file), newline="")))
    if not lines:
        raise FileRejected("E-FILE-EMPTY")
    header = lines[0]
    _check_header(header, family)
    rows = [_row(line_no, header, cells) for line_no, cells in _numbered(lines[1:])]
    _check_manifest(file, rows)
    return rows


def _numbered(lines: list[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """L6.4: the header is line 1."""
    return ((number, cells) for number, cells in enumerate(lines, start=2) if cells)


def _decode(file: LandedFile) -> str:
    try:
        content = gzip.decompress(file.content) if file.file_name.endswith(".gz") else file.content
        return content.decode("utf-8-sig")
    except (UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
        raise FileRejected("E-FILE-UNREADABLE") from error


def _check_header(header: list[str], family: str) -> None:
    """E3: a column not known rejects the file; of absent ones only the four shared do."""
    if set(header) - COLUMNS[family] or len(set(header)) != len(header):
        raise FileRejected("E-FILE-COLUMNS")
    if set(SHARED) - set(header):
        raise FileRejected("E-FILE-MISSING-COLUMN")


def _check_manifest(file: LandedFile, rows: list[Row]) -> None:
    """E1: a manifest that disagrees with its file rejects the whole file."""
    if file.manifest is None:
        return
    said = json.loads(file.manifest)
    totals = {
        column: sum((Decimal(row.text.get(column) or "0") for row in rows), Decimal(0))
        for column in said.get("control_totals", {})
    }
    agrees = (
        said.get("row_count", len(rows)) == len(rows)
        and said.get("sha256", file.sha256) == file.sha256
        and all(Decimal(total) == totals[column] for column, total in said.get("control_totals", {}).items())
    )
    if not agrees:
        raise FileRejected("E-FILE-MANIFEST")


def _row(line_no: int, header: list[str], cells: list[str]) -> Row:
    row = Row(line_no, {column: cell for column, cell in zip(header, cells, strict=False) if cell})
    if len(cells) != len(header):
        row.groups.add("E-SCHEMA")
        return row
    for column, cell in row.text.items():
        _take(row, column, cell)
    return row


def _take(row: Row, column: str, cell: str) -> None:
    try:
        row.values[column] = _typed(column, cell)
    except ValueError:
        row.groups.add("E-TYPE")
        return
    value = row.values[column]
    if isinstance(value, Decimal | int) and value < 0:
        row.groups.add("E-VALUE")  # E3: never negative


def _typed(column: str, cell: str) -> Value:
    if column in AMOUNTS:
        if not _AMOUNT.fullmatch(cell):
            raise ValueError(cell)
        return Decimal(cell)
    if column in DATES:
        return _iso_date(cell)
    if column in MONTHS:
        return _iso_date(f"{cell}-01")
    return int(cell) if column in INTEGERS else cell


def _iso_date(cell: str) -> date:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", cell):
        raise ValueError(cell)
    return date.fromisoformat(cell)
