"""CSV records one by one: those that span lines, and lines whose quote is never closed."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from ingestion.readers.text import lines_of

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
        self._waiting: list[str] = []  # the next one last
        self._drawn: deque[str] = deque()  # to be taken after them
        self.line_no = 1
        self.lookout: Lookout | None = None

    def take(self) -> str:
        """The next text; an empty one at the end."""
        if self._waiting:
            return self._waiting.pop()
        return self._drawn.popleft() if self._drawn else next(self._blocks, "")

    def put_back(self, text: str) -> None:
        """It will be taken next."""
        if text:
            self._waiting.append(text)

    def ahead(self) -> Iterator[str]:
        """The texts to come, which can still be taken."""
        return chain([*reversed(self._waiting), *self._drawn], self._draw())

    def _draw(self) -> Iterator[str]:
        for block in self._blocks:
            self._drawn.append(block)
            yield block


class Lookout:
    """Looks ahead for the line that closes a quote: at each line once, however many lines leave a quote open.

    For whether a line closes a quote that was open before it depends on that line alone.
    """

    def __init__(self, lines: Iterable[str], line_no: int, delimiter: str) -> None:
        self._lines = iter(lines)
        self.line_no = line_no  # of the next line to look at
        self._delimiter = delimiter
        self._lengths: deque[int] = deque()  # of the lines before it, none of which closes a quote
        self._characters = 0

    def finds_end(self, line_no: int, length: int) -> bool:
        """Whether the record of which this line leaves a quote open ends, and is not too long.

        `length` is the line's, in characters. Asked of lines in their order.
        """
        while self._lengths and self.line_no - len(self._lengths) <= line_no:
            self._characters -= self._lengths.popleft()
        for _ in range(self.line_no, line_no + 1):
            self._next()
        while self.line_no - line_no < RECORD_LINES_MAX and length + self._characters <= RECORD_CHARACTERS_MAX:
            line = self._next()
            if not line:
                return False
            if self._closes(line):
                self._lengths.clear()
                self._characters = 0
                return True
            self._lengths.append(len(line))
            self._characters += len(line)
        return False

    def _next(self) -> str:
        line = next(self._lines, "")
        self.line_no += 1 if line else 0
        return line

    def _closes(self, line: str) -> bool:
        """Whether what follows begins a new record when the line itself began inside a quoted field."""
        return '"' in line and len(list(csv.reader(['"', line, "x"], delimiter=self._delimiter))) == 2


def records(text: str, rest: Remainder, delimiter: str) -> Iterator[Record]:
    """The records that begin in the text, which has been taken from `rest`. Blank lines are none.

    The last may take lines from `rest`. Its number is moved on; what was taken too much is put back at the end.
    """
    lines = _Lines(text, rest, delimiter)
    reader = csv.reader(lines, delimiter=delimiter)
    while lines.own > 0:
        try:
            fields = next(reader)
        except csv.Error:
            yield Record(rest.line_no, lines.first.rstrip("\r\n"))
            reader = csv.reader(lines, delimiter=delimiter)
        else:
            if fields:
                yield Record(rest.line_no, fields)
        lines.finish_record()
    rest.put_back(lines.unread())


class _Lines:
    """Physical lines for csv.reader. A record is given its second only when it is known to end."""

    def __init__(self, text: str, rest: Remainder, delimiter: str) -> None:
        self._rest = rest
        self._delimiter = delimiter
        self._coming = deque(io.StringIO(text, newline=""))
        self.own = len(self._coming)  # lines of the text that are in no finished record
        self.first = ""  # line of the record that is being read
        self._given = 0  # lines of that record
        if rest.lookout is not None and rest.lookout.line_no <= rest.line_no:
            rest.lookout = None  # the lines that it was to look at are gone

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._given == 1 and not self._record_ends():
            raise csv.Error("the quote is never closed")
        if not self._coming:
            self._coming.extend(io.StringIO(self._rest.take(), newline=""))
        line = self._coming.popleft()
        if not self._given:
            self.first = line
        self._given += 1
        return line

    def _record_ends(self) -> bool:
        rest = self._rest
        if rest.lookout is None:
            lines = chain(tuple(self._coming), lines_of(rest.ahead()))
            rest.lookout = Lookout(lines, rest.line_no + 1, self._delimiter)
        return rest.lookout.finds_end(rest.line_no, len(self.first))

    def finish_record(self) -> None:
        """The next line begins a new one."""
        self._rest.line_no += self._given
        self.own -= self._given
        self._given = 0

    def unread(self) -> str:
        """What has been taken and is in no record."""
        return "".join(self._coming)
