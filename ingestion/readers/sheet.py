"""The rows of one worksheet, read as a stream: no more of it is in memory than one block of its XML."""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from ingestion.readers.cells import Fault, Value, iso_moment, moment, number, unescaped
from ingestion.readers.package import damaged, local, new_parser, parsed

COLUMNS_MAX = 16_384
ROWS_MAX = 1_048_576
MERGES_MAX = 200_000
TEXT_LENGTH_MAX = 1_000_000  # of one cell; Excel itself stops at 32,767
_KNOWN = frozenset(["c", "v", "f", "t", "is", "row", "rPh", "sheetData", "mergeCell"])


class SheetRow(NamedTuple):
    """A row with its physical number and its filled cells by column, both counted from 1."""

    number: int
    cells: dict[int, Value]


class Merge(NamedTuple):
    """A range of merged cells; its text stands in the first."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Values:
    """What cells refer to: the workbook's shared strings, the styles that mean dates, its first day."""

    strings: Sequence[str]
    date_styles: Container[str]
    since_1904: bool = False


def column_number(letters: str) -> int:
    """A is 1, XFD is 16,384."""
    if len(letters) > 3:
        raise damaged(f"column {letters[:20]}")
    total = 0
    for letter in letters:
        if not "A" <= letter <= "Z":
            raise damaged(f"cell {letters}")
        total = total * 26 + ord(letter) - 64
    if not 1 <= total <= COLUMNS_MAX:
        raise damaged(f"column {letters}")
    return total


@lru_cache(maxsize=COLUMNS_MAX)
def column_letters(column: int) -> str:
    """The other way round."""
    letters = ""
    while column:
        column, place = divmod(column - 1, 26)
        letters = chr(65 + place) + letters
    return letters


def rows(blocks: Iterable[bytes], values: Values) -> Generator[SheetRow, None, None]:
    """Rows with at least one filled cell, in the order of the sheet, hidden ones like all others."""
    sheet = _Sheet(values)
    parser = new_parser(sheet.start, sheet.end, sheet.text)
    for _ in parsed(parser, blocks):
        yield from sheet.take()


def merges(blocks: Iterable[bytes]) -> list[Merge]:
    """Merged ranges of more than one cell, from top to bottom."""
    found: list[Merge] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if local(name) != "mergeCell":
            return
        first, _, last = attributes.get("ref", "").partition(":")
        merge = Merge(*place(first), *place(last or first))
        if merge.bottom > merge.top or merge.right > merge.left:
            found.append(merge)
        if len(found) > MERGES_MAX:
            raise damaged("too many merged cells")

    parser = new_parser(start)
    for _ in parsed(parser, blocks):
        pass
    return sorted(found)


def place(reference: str) -> tuple[int, int]:
    """Row and column of a cell such as AB12."""
    letters = reference.rstrip("0123456789")
    digits = reference[len(letters) :]
    if not digits or len(digits) > 7 or not 1 <= int(digits) <= ROWS_MAX:
        raise damaged(f"cell {reference}")
    return int(digits), column_number(letters)


@dataclass(slots=True)
class _Sheet:
    """Handlers of the XML events. Every cell passes here five times, so the usual way through them is short."""

    values: Values
    done: list[SheetRow] = field(default_factory=list)
    row: int = 0
    row_text: str = "0"
    column: int = 0
    cells: dict[int, Value] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)  # by the letters met so far
    inside: bool = False
    phonetic: bool = False
    kind: str = "n"
    style: str = "0"
    has_formula: bool = False
    held: str | None = None  # text of the cell so far
    open: bool = False  # inside an element whose text counts

    def take(self) -> list[SheetRow]:
        taken, self.done = self.done, []
        return taken

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name not in _KNOWN:
            name = local(name)
        if not self.inside:
            self.inside = name == "sheetData"
        elif name == "v":
            self.open = True
            if self.held is None:
                self.held = ""
        elif name == "c":
            self._start_cell(attributes)
        elif name == "row":
            self._start_row(attributes.get("r"))
        elif name == "t":
            self.open = not self.phonetic
        elif name == "f":
            self.has_formula = True
        elif name == "rPh":
            self.phonetic = True

    def text(self, text: str) -> None:
        if self.open:
            self.held = text if self.held is None else self.held + text
            if len(self.held) > TEXT_LENGTH_MAX:
                raise damaged(f"text of cell {column_letters(self.column)}{self.row} too long")

    def end(self, name: str) -> None:
        if name not in _KNOWN:
            name = local(name)
        self.open = False
        if name == "c" and self.inside:
            self._end_cell()
        elif name == "row" and self.inside:
            if self.cells:
                self.done.append(SheetRow(self.row, self.cells))
        elif name == "rPh":
            self.phonetic = False
        elif name == "sheetData":
            self.inside = False

    def _start_row(self, said: str | None) -> None:
        row = self.row + 1
        if said is not None:
            if not (said.isascii() and said.isdigit()) or len(said) > 7 or int(said) < row:
                raise damaged(f"row {said} after row {self.row}")
            row = int(said)
        if row > ROWS_MAX:
            raise damaged(f"row {row}")
        self.row, self.row_text, self.column, self.cells = row, str(row), 0, {}

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None:
            self.column += 1
        else:
            letters = reference[: -len(self.row_text)]
            if not reference.endswith(self.row_text) or not letters.isalpha():
                raise damaged(f"cell {reference} in row {self.row}")
            column = self.columns.get(letters)
            if column is None:
                column = self.columns[letters] = column_number(letters)
            self.column = column
        self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "0")
        self.held, self.has_formula = None, False

    def _end_cell(self) -> None:
        value = self._value(self.held)
        if value == "":
            return
        if self.column in self.cells or self.column > COLUMNS_MAX:
            raise damaged(f"cell {column_letters(self.column)}{self.row} twice")
        self.cells[self.column] = value

    def _value(self, raw: str | None) -> Value:
        if self.has_formula and (raw is None or (not raw and self.kind != "str")):  # "" is a result of its own
            return Fault("E-SCHEMA-CELL-FORMULA", "=")
        if self.kind == "s":
            return self._shared(raw)
        if self.kind == "n":
            if not raw:
                return ""
            is_date = self.style in self.values.date_styles
            return moment(raw, since_1904=self.values.since_1904) if is_date else number(raw)
        reading = _READINGS.get(self.kind)
        if reading is None:
            raise damaged(f"cell type {self.kind}")
        return reading(raw or "")

    def _shared(self, raw: str | None) -> str:
        if not raw:
            return ""
        if not (raw.isascii() and raw.isdigit()) or len(raw) > 9 or int(raw) >= len(self.values.strings):
            raise damaged(f"shared string {raw[:20]}")
        return self.values.strings[int(raw)]


def _truth(raw: str) -> Value:
    return "" if not raw else "true" if raw.strip() in ("1", "true") else "false"


def _error(raw: str) -> Value:
    return Fault("E-SCHEMA-CELL-ERROR", raw or "#")


_READINGS: dict[str, Callable[[str], Value]] = {
    "str": unescaped,
    "inlineStr": unescaped,
    "b": _truth,
    "e": _error,
    "d": iso_moment,
}
