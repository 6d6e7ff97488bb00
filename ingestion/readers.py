"""From bytes to frames of text columns, in bounded chunks. Never more is read into memory than one chunk."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import json
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import polars as pl

from ingestion.errors import FileRejected
from ingestion.profiles import Feed

READER_VERSION = "1"
CHUNK_ROWS = 50_000
_RECORD_LINES_MAX = 10_000
_FIELD_BYTES_MAX = 64 * 1024 * 1024
_SPARE = "\x00"  # stands for what no database can hold; such a text is refused later


@dataclass(frozen=True)
class Misfit:
    """A row that could not be split into columns."""

    line_no: int
    code: str
    text: str


@dataclass
class Chunk:
    """Some rows of a file: source columns as text (empty is null), their physical lines, and rows without shape."""

    frame: pl.DataFrame
    line_nos: list[int]
    misfits: list[Misfit] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows of either kind."""
        return len(self.line_nos) + len(self.misfits)


def chunks(path: Path, feed: Feed, size: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """Read a file as its feed says; any way in which it can't be read is one `FileRejected`."""
    read = {"csv": _csv_chunks, "jsonl": _jsonl_chunks}[feed.format]
    try:
        with _text(path, feed.encoding) as lines:
            yield from read(lines, feed, size)
    except UnicodeDecodeError as error:
        raise FileRejected("E-FILE-ENCODING", f"{error.encoding}, {error.reason}") from None
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise FileRejected("E-FILE-GZIP", str(error)) from None
    except OSError as error:
        raise FileRejected("E-FILE-UNREADABLE", error.strerror or type(error).__name__) from None


@contextmanager
def _text(path: Path, encoding: str) -> Iterator[Iterator[str]]:
    with _bytes(path) as raw:
        chosen = _encoding(path, raw, encoding)
        with io.TextIOWrapper(raw, encoding=chosen, errors="strict", newline="") as text:
            yield iter(text)


def _bytes(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb")  # type: ignore[return-value]


def _encoding(path: Path, raw: IO[bytes], declared: str) -> str:
    """A UTF-8 byte order mark always wins; `auto` is UTF-8 when the whole file is, else GB18030."""
    start = raw.read(len(codecs.BOM_UTF8))
    raw.seek(0)
    if not start:
        raise FileRejected("E-FILE-EMPTY")
    if start == codecs.BOM_UTF8:
        return "utf-8-sig"
    return declared if declared != "auto" else _detected(path)


def _detected(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _bytes(path) as raw:
        try:
            while block := raw.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "gb18030"
    return "utf-8"


# -- CSV ---------------------------------------------------------------------------------------------------------------


def _csv_chunks(lines: Iterator[str], feed: Feed, size: int) -> Iterator[Chunk]:
    records = _records(lines, feed.delimiter)
    header = _header(records)
    feed.check_header(header)
    while batch := list(itertools.islice(records, size)):
        good = [
            (line_no, record) for line_no, record in batch if isinstance(record, list) and len(record) == len(header)
        ]
        misfits = [
            Misfit(line_no, "E-SCHEMA-FIELDS", feed.delimiter.join(record) if isinstance(record, list) else record)
            for line_no, record in batch
            if not isinstance(record, list) or len(record) != len(header)
        ]
        yield Chunk(_frame(header, [record for _, record in good]), [line_no for line_no, _ in good], misfits)


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


# -- JSON Lines --------------------------------------------------------------------------------------------------------


def _jsonl_chunks(lines: Iterator[str], feed: Feed, size: int) -> Iterator[Chunk]:
    seen: set[str] = set()
    numbered = ((number, line.strip()) for number, line in enumerate(_joined(lines), start=1))
    filled = ((number, line) for number, line in numbered if line)
    while batch := list(itertools.islice(filled, size)):
        parsed = [(number, line, _json_object(line)) for number, line in batch]
        good = [(number, record) for number, _, record in parsed if record is not None]
        names = list(dict.fromkeys(itertools.chain.from_iterable(record for _, record in good)))
        feed.check_names(names)
        seen.update(names)
        misfits = [Misfit(number, "E-SCHEMA-JSON", line) for number, line, record in parsed if record is None]
        rows = [[record.get(name) for name in names] for _, record in good]
        yield Chunk(_frame(names, rows), [number for number, _ in good], misfits)
    if seen:
        feed.check_mandatory(sorted(seen))


def _joined(lines: Iterator[str]) -> Iterator[str]:
    """Lines ended by LF only: a lone CR, which the text layer also ends a line at, belongs to the line."""
    part = ""
    for line in lines:
        part += line
        if part.endswith("\n"):
            yield part
            part = ""
    if part:
        yield part


def _json_object(line: str) -> dict[str, str | None] | None:
    """Plain fields as text with numbers as written; None for anything else."""
    try:
        pairs = json.loads(line, object_pairs_hook=list, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    if not line.startswith("{"):
        return None
    names = [name for name, _ in pairs]
    if not names or len(set(names)) < len(names) or any(isinstance(value, list | dict) for _, value in pairs):
        return None
    return {_storable(name): _json_text(value) for name, value in pairs}


def _json_text(value: str | bool | None) -> str | None:
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).lower()
    return _storable(str(value))


def _storable(text: str) -> str:
    """Lone surrogates, which JSON can spell, exist in no encoding."""
    return text if _encodable(text) else _SPARE


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _frame(names: list[str], rows: list[list[Any]]) -> pl.DataFrame:
    """Text columns, trimmed, empty as null."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    frame = pl.DataFrame(dict(zip(names, columns, strict=True)), schema=dict.fromkeys(names, pl.String))
    trimmed = frame.with_columns(pl.all().str.strip_chars())
    return trimmed.with_columns(pl.when(pl.all() != "").then(pl.all()))
