"""How CSV is to be read, written plainly: line by line, one record after the other."""

from __future__ import annotations

import csv
import io

import polars as pl

Rows = list[tuple[int, list[str | None]]]
Misfits = list[tuple[int, str]]


def read_plainly(
    content: bytes, encoding: str, delimiter: str, lines_max: int | None = None
) -> tuple[list[str], Rows, Misfits]:
    """The header, (line, fields) of rows that fit it, (line, text) of those that don't. The file has a header.

    A record of more than `lines_max` lines counts as one that never ends.
    """
    text = content.decode("utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else encoding)
    lines = list(io.StringIO(text, newline=""))
    header: list[str] | None = None
    rows: Rows = []
    misfits: Misfits = []
    at = 0
    while at < len(lines):
        fields, taken = _record(lines[at:][:lines_max], delimiter)
        if not fields:
            pass  # a blank line
        elif header is None:
            assert isinstance(fields, list)
            header = [name.strip() for name in fields]
        elif isinstance(fields, list) and len(fields) == len(header):
            rows.append((at + 1, [_trimmed(field) for field in fields]))
        else:
            misfits.append((at + 1, fields if isinstance(fields, str) else delimiter.join(fields)))
        at += taken
    assert header is not None
    return header, rows, misfits


def _record(lines: list[str], delimiter: str) -> tuple[list[str] | str, int]:
    """The first record and its number of lines; only the first line, as text, where the record never ends."""
    for taken in range(1, len(lines) + 1):
        fields, *beyond = csv.reader([*lines[:taken], "x"], delimiter=delimiter)
        if beyond:
            return fields, taken
    return lines[0].rstrip("\r\n"), 1


def _trimmed(field: str) -> str | None:
    return pl.Series([field]).str.strip_chars().item() or None
