"""CSV: records that may span lines, and lines whose quote is never closed."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator

from ingestion.errors import FileRejected
from ingestion.profiles import Feed
from ingestion.readers.chunk import Chunk, Misfit, batches, text_frame

_RECORD_LINES_MAX = 10_000
_FIELD_BYTES_MAX = 64 * 1024 * 1024


def csv_chunks(lines: Iterator[str], feed: Feed, size: int) -> Iterator[Chunk]:
    """Rows of a CSV file below its header."""
    records = _records(lines, feed.delimiter)
    header = _header(records)
    feed.check_header(header)
    for batch in batches(records, size, lambda record: sum(map(len, record[1]))):
        good = [
            (line_no, record) for line_no, record in batch if isinstance(record, list) and len(record) == len(header)
        ]
        misfits = [
            Misfit(line_no, "E-SCHEMA-FIELDS", feed.delimiter.join(record) if isinstance(record, list) else record)
            for line_no, record in batch
            if not isinstance(record, list) or len(record) != len(header)
        ]
        yield Chunk(text_frame(header, [record for _, record in good]), [line_no for line_no, _ in good], misfits)


def _header(records: Iterator[tuple[int, list[str] | str]]) -> list[str]:
    _, record = next(records, (0, ""))
    if isinstance(record, str):
        raise FileRejected("E-FILE-EMPTY" if not record else "E-FILE-HEADER", record[:80])
    return [name.strip() for name in record]


class _Lines:
    """Physical lines for csv.reader that remembers those of the record being read, and can take some back."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._again: deque[str] = deque()
        self.record: list[str] = []
        self.exhausted = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.record) >= _RECORD_LINES_MAX:
            raise csv.Error("record too long")
        try:
            line = self._again.popleft() if self._again else next(self._source)
        except StopIteration:
            self.exhausted = True
            raise
        self.record.append(line)
        return line

    def give_back_all_but_first(self) -> str:
        """The first line of the record; the others will be read again."""
        first, *others = self.record
        self._again.extendleft(reversed(others))
        self.record = []
        self.exhausted = False
        return first


def _records(source: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """(first physical line, fields), or the text of a line whose quote is never closed. Blank lines are no rows."""
    csv.field_size_limit(_FIELD_BYTES_MAX)
    lines = _Lines(source)
    line_no = 1
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            record = next(reader, None)
        except csv.Error:
            record = None
        if not lines.record:
            return
        if record is None or (lines.exhausted and _is_open(lines.record, delimiter)):
            yield line_no, lines.give_back_all_but_first().rstrip("\r\n")
            line_no += 1
            reader = csv.reader(lines, delimiter=delimiter)
            continue
        if record:
            yield line_no, record
        line_no += len(lines.record)
        lines.record = []


def _is_open(record: list[str], delimiter: str) -> bool:
    """Whether the text ends inside a quoted field."""
    try:
        for _ in csv.reader(record, delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False
