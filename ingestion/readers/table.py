"""What makes a table of a worksheet: the names in its header, and the row that adds it up."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from ingestion.errors import FileRejected
from ingestion.normal import HALF
from ingestion.readers.cells import Fault, Value, moment
from ingestion.readers.package import damaged
from ingestion.readers.sheet import COLUMNS_MAX, Merge

_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_DAY = re.compile("[1-9][0-9]{4}")
_HALF = str.maketrans(HALF)
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:[,，][0-9]{3})+(?:\.[0-9]+)?")


def header_names(
    cells: Mapping[tuple[int, int], str], merged: Iterable[Merge], top: int, bottom: int
) -> dict[int, str]:
    """Names by column: the parts from top to bottom joined with "/", merged text carried over its range only."""
    origins = {
        (row, column): (merge.top, merge.left)
        for merge in merged
        for row in range(merge.top, merge.bottom + 1)
        for column in range(merge.left, merge.right + 1)
    }
    names: dict[int, str] = {}
    for column in sorted({column for _, column in (*cells, *origins)}):
        places = dict.fromkeys(origins.get((row, column), (row, column)) for row in range(top, bottom + 1))
        parts = (" ".join(cells.get(place, "").split()) for place in places)
        name = "/".join(part for part in parts if part)
        if name:
            names[column] = name
    return names


def within(merged: Iterable[Merge], top: int, bottom: int) -> list[Merge]:
    """Merged ranges that begin between the two rows, cut off at the lower one."""
    found = [merge._replace(bottom=min(merge.bottom, bottom)) for merge in merged if top <= merge.top <= bottom]
    area = sum(max(0, (merge.bottom - merge.top + 1) * (merge.right - merge.left + 1)) for merge in found)
    if area > 2 * COLUMNS_MAX * (bottom - top + 1):  # more than all there is: they overlap
        raise damaged("merged cells")
    return found


class Covered:
    """Which cells of a row lie under a merged one, whose value stands elsewhere. Rows come from top to bottom."""

    def __init__(self, merged: Iterable[Merge], columns: Sequence[int]) -> None:
        spans = ((merge, [column for column in columns if merge.left <= column <= merge.right]) for merge in merged)
        self._coming = deque((merge, span) for merge, span in spans if span)
        self._most = len(columns)
        self._open: list[tuple[Merge, list[int]]] = []

    def of(self, row: int) -> list[int]:
        """Columns covered in this row."""
        while self._coming and self._coming[0][0].top <= row:
            self._open = [held for held in self._open if held[0].bottom >= self._coming[0][0].top]
            self._open.append(self._coming.popleft())
            if len(self._open) > self._most:  # more than there are columns: they overlap
                raise damaged("merged cells")
        self._open = [held for held in self._open if held[0].bottom >= row]
        return [column for merge, span in self._open for column in span if (row, column) != (merge.top, merge.left)]


class DayNumbers:
    """Dates that stand in their cells as the plain numbers by which Excel counts days."""

    def __init__(self, columns: Sequence[int], *, since_1904: bool) -> None:
        self._columns = columns
        self._since_1904 = since_1904

    def of(self, cells: Mapping[int, Value]) -> dict[int, Value]:
        """ISO dates by column. Five digits only: six are a month, eight a date written in digits."""
        found: dict[int, Value] = {}
        for column in self._columns:
            value = cells.get(column)
            if isinstance(value, str) and _DAY.fullmatch(value):
                found[column] = moment(value, since_1904=self._since_1904)
        return found


class Totals:
    """Adds the columns up and compares them with the row of totals, which is no row of the table."""

    def __init__(self, mark: str | None, ignored: Sequence[bool]) -> None:
        self._mark = mark
        self._ignored = ignored
        self._sums = [Decimal(0)] * len(ignored)
        self._seen = False

    def take(self, values: list[Value]) -> bool:
        """Whether these are totals; `E-FILE-TOTAL` when they are and disagree with the rows before."""
        if self._mark is None:
            return False
        texts = [value.shown if isinstance(value, Fault) else value for value in values]
        numbers = [_number(text) for text in texts]
        if "".join(next((text for text in texts if text.strip()), "").split()) != self._mark:
            self._sums = [total + (value or 0) for total, value in zip(self._sums, numbers, strict=True)]
            return False
        self._compare(values, numbers)
        self._seen = True
        return True

    def _compare(self, values: list[Value], numbers: list[Decimal | None]) -> None:
        """A total that can't be read, or a row of totals without any, says as little as none."""
        kept = [place for place, is_ignored in enumerate(self._ignored) if not is_ignored]
        fault = next((value for place in kept if isinstance(value := values[place], Fault)), None)
        if fault is not None:
            raise FileRejected("E-FILE-TOTAL", f"{self._mark}, {fault.code} {fault.shown[:40]}")
        if all(numbers[place] is None for place in kept):
            raise FileRejected("E-FILE-TOTAL", f"{self._mark}, no number")
        for said, total in zip(numbers, self._sums, strict=True):
            if said is not None and said != total:
                raise FileRejected("E-FILE-TOTAL", f"{said}, rows {total}")

    def finish(self) -> None:
        """Refuse a table without the totals it should end with: it may be cut off."""
        if self._mark is not None and not self._seen:
            raise FileRejected("E-FILE-TOTAL", self._mark)


def _number(text: str) -> Decimal | None:
    plain = text.strip() if text.isascii() else text.translate(_HALF).strip()
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "").replace("，", "")
    return Decimal(plain) if _NUMBER.fullmatch(plain) else None
