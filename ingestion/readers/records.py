"""CSV records one by one: those that span lines, and lines whose quote is never closed."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

RECORD_LINES_MAX = 10_000
RECORD_CHARACTERS_MAX = 32 * 1024**2
csv.field_size_limit(2 * RECORD_CHARACTERS_MAX)  # never reached: a longer record is refused as such


class Record(NamedTuple):
    """A record's first physical line and its fields, or the text of a line whose quote is never closed."""

    line_no: int
    fields: list[str] | str


class Remainder:
    """What is left of a file to be read: texts of whole lines, and the number of the next line."""

    def __init__(self, blocks: Iterator[str]) -> None:
        self._blocks = blocks
        self._waiting: list[str] = []
        self.line_no = 1

    def take(self) -> str:
        """The next text; an empty one at the end."""
        return self._waiting.pop() if self._waiting else next(self._blocks, "")

    def put_back(self, text: str) -> None:
        """It will be taken next."""
        if text:
            self._waiting.append(text)


def records(text: str, rest: Remainder, delimiter: str) -> Iterator[Record]:
    """The records that begin in the text, which has been taken from `rest`. Blank lines are none.

    The last may take lines from `rest`. Its number is moved on; what was taken too much is put back at the end.
    """
    lines = _Lines(text, rest)
    reader = csv.reader(lines, delimiter=delimiter)
    while lines.own > 0:
        try:
            fields = next(reader, None)
        except csv.Error:
            fields = None
        if fields is None or (lines.exhausted and _is_open(lines.record, delimiter)):
            yield Record(rest.line_no, lines.give_back_all_but_first().rstrip("\r\n"))
            reader = csv.reader(lines, delimiter=delimiter)
        elif fields:
            yield Record(rest.line_no, fields)
        lines.finish_record()
    rest.put_back(lines.unread())


class _Lines:
    """Physical lines for csv.reader that remembers those of the record being read, and can take some back."""

    def __init__(self, text: str, rest: Remainder) -> None:
        self._rest = rest
        self._coming = deque(io.StringIO(text, newline=""))
        self.own = len(self._coming)  # lines of the text that are in no finished record
        self.record: list[str] = []
        self._characters = 0
        self.exhausted = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.record) >= RECORD_LINES_MAX or self._characters > RECORD_CHARACTERS_MAX:
            raise csv.Error("record too long")
        if not self._coming:
            self._coming.extend(io.StringIO(self._rest.take(), newline=""))
        if not self._coming:
            self.exhausted = True
            raise StopIteration
        line = self._coming.popleft()
        self.record.append(line)
        self._characters += len(line)
        return line

    def give_back_all_but_first(self) -> str:
        """The first line of the record; the others will be read again."""
        first, *others = self.record
        self._coming.extendleft(reversed(others))
        self.record = [first]
        self.exhausted = False
        return first

    def finish_record(self) -> None:
        """The next line begins a new one."""
        self._rest.line_no += len(self.record)
        self.own -= len(self.record)
        self.record = []
        self._characters = 0

    def unread(self) -> str:
        """What has been taken and is in no record."""
        return "".join(self._coming)


def _is_open(record: list[str], delimiter: str) -> bool:
    """Whether the text ends inside a quoted field: one more line would belong to it."""
    return len(list(csv.reader([*record, "x"], delimiter=delimiter))) == 1
