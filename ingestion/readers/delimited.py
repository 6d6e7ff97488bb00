"""CSV: what is written plainly is split in bulk, the rest record by record."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import polars as pl

from ingestion.errors import FileRejected
from ingestion.profiles import Feed
from ingestion.readers.chunk import Chunk, Misfit, regrouped, text_frame, tidy
from ingestion.readers.records import Record, Remainder, records

_CAREFUL_CHARACTERS = 1 << 15  # a text is halved down to this in search of what is not plain


def csv_chunks(blocks: Iterator[str], feed: Feed, size: int) -> Iterator[Chunk]:
    """Rows of a CSV file below its header."""
    rest = Remainder(blocks)
    header = _header(rest, feed.delimiter)
    feed.check_header(header)
    return regrouped(_parts(rest, header, feed.delimiter), size)


def _header(rest: Remainder, delimiter: str) -> list[str]:
    while text := rest.take():
        end = _line_end(text, 0)
        rest.put_back(text[end:])
        for record in list(records(text[:end], rest, delimiter)):
            if isinstance(record.fields, str):
                raise FileRejected("E-FILE-HEADER", record.fields[:80])
            return [name.strip() for name in record.fields]
    raise FileRejected("E-FILE-EMPTY")


def _parts(rest: Remainder, header: list[str], delimiter: str) -> Iterator[Chunk]:
    """Chunks of any size. A text that is not plain throughout is halved until what is not plain stands alone."""
    while text := rest.take():
        if not text.strip("\r\n"):
            rest.line_no += _line_ends(text)
            continue
        frame = _plain_frame(text, header, delimiter)
        if frame is not None:
            first, rest.line_no = rest.line_no, rest.line_no + frame.height
            yield Chunk(frame, list(range(first, rest.line_no)))
        elif len(text) > _CAREFUL_CHARACTERS and (end := _line_end(text, len(text) // 2)) < len(text):
            rest.put_back(text[end:])
            rest.put_back(text[:end])
        else:
            yield _careful(list(records(text, rest, delimiter)), header, delimiter)


def _line_ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _line_end(text: str, start: int) -> int:
    """Behind the first line end at or after `start`, of a text whose lines are whole."""
    ends = [place for place in (text.find("\n", start), text.find("\r", start)) if place >= 0]
    if not ends:
        return len(text)
    end = min(ends)
    return end + 2 if text.startswith("\r\n", end) else end + 1


def _plain_frame(text: str, header: list[str], delimiter: str) -> pl.DataFrame | None:
    """The rows of a text that every reader of CSV splits alike, a row a line; None for any other."""
    if not delimiter.isascii():
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.endswith("\n"):
        text += "\n"
    whole = pl.Series([text])
    tight, plain = _patterns(len(header), delimiter)
    is_tight = bool(whole.str.contains(tight).item())
    if not is_tight and not whole.str.contains(plain).item():
        return None
    # With a header of its own, so that whatever the text begins with is a value and nothing else.
    content = delimiter.join(str(place) for place in range(len(header))) + "\n" + text
    frame = pl.read_csv(content.encode(), separator=delimiter, infer_schema=False)
    if frame.height != text.count("\n"):
        return None
    frame.columns = header
    return frame if is_tight else tidy(frame)


@lru_cache
def _patterns(columns: int, delimiter: str) -> tuple[str, str]:
    """Texts of lines of that many fields, quoted entirely or not at all: without blanks at their ends, and with.

    A single field is never empty here: such a line is blank.
    """
    mark = rf"\x{{{ord(delimiter):x}}}"
    words = rf'[^\s"{mark}]+(?:[^\S\n{mark}]+[^\s"{mark}]+)*'
    tight = rf'(?:{words}|"{words}")' + ("?" if columns > 1 else "")
    bare = rf'[^"\n{mark}]' + ("*" if columns > 1 else "+")
    loose = rf'(?:{bare}|"(?:[^"\n]|"")*")'
    return _lines_of(tight, mark, columns), _lines_of(loose, mark, columns)


def _lines_of(field: str, mark: str, columns: int) -> str:
    return rf"\A(?:{field}(?:{mark}{field}){{{columns - 1}}}\n)+\z"


def _careful(found: list[Record], header: list[str], delimiter: str) -> Chunk:
    good: list[tuple[int, list[str]]] = []
    misfits = []
    for line_no, fields in found:
        if isinstance(fields, list) and len(fields) == len(header):
            good.append((line_no, fields))
        else:
            text = fields if isinstance(fields, str) else delimiter.join(fields)
            misfits.append(Misfit(line_no, "E-SCHEMA-FIELDS", text))
    return Chunk(text_frame(header, [fields for _, fields in good]), [line_no for line_no, _ in good], misfits)
