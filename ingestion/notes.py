"""Notes: rows that were taken although something in them is written otherwise than agreed. Counted by file and column.

Codes are stable. What a note says is in one table, as with errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from ingestion import normal
from ingestion.readers import Chunk

NAME_LENGTH_MAX = 200
SEPARATOR = "|N-"  # `<source column>|N-…` in a frame of canonical texts: whether the row has this note


@dataclass(frozen=True)
class NoteCode:
    """One code with its two sentences."""

    code: str
    zh: str
    en: str


_TABLE = (
    (
        normal.HALF_WIDTH,
        "全角数字、字母或标点已按半角读取",
        "full-width digits, letters or punctuation were read as half-width ones",
    ),
    (
        normal.EXPONENT,
        "科学计数法已按普通数字读取，请核对原系统中的金额",
        "a number with an exponent was read as a plain one; compare the amount with the source",
    ),
    (normal.DAY, "Excel日期序列号已按日期读取", "a day number of Excel was read as the date it stands for"),
)
CODES = {code: NoteCode(code, zh, en) for code, zh, en in _TABLE}


class Noted:
    """What has been noted of a file so far: (code, source column) -> rows, first line.

    Columns whose names begin with the same NAME_LENGTH_MAX characters count as one.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[int, int]] = {}

    def add(self, texts: pl.DataFrame, chunk: Chunk) -> None:
        """Take in a chunk and its canonical texts."""
        for (code, column), rows in chunk.notes.items():
            self._count(code, column, len(rows), chunk.line_nos[rows[0]])
        for name in texts.columns:
            column, mark, code = name.rpartition(SEPARATOR)
            if mark:
                noted = texts[name].arg_true()
                self._count(f"N-{code}", column, len(noted), chunk.line_nos[noted[0]])

    def _count(self, code: str, column: str, rows: int, line_no: int) -> None:
        key = (code, column[:NAME_LENGTH_MAX])
        before, first = self._found.get(key, (0, line_no))
        self._found[key] = (before + rows, min(first, line_no))

    def save(self, cursor: Cursor, file_id: int) -> None:
        """Record them with the file, in its transaction."""
        execute_values(
            cursor,
            "INSERT INTO events.file_note (file_id, note_code, column_name, row_count, first_line_no) VALUES %s",
            [(file_id, code, column, rows, line_no) for (code, column), (rows, line_no) in sorted(self._found.items())],
        )

    def messages(self) -> list[str]:
        """One sentence a note: `<code> <column> <rows> … <Chinese> / <English>`."""
        return [
            f"{code} [{column}: {rows:,}, {line_no}] {CODES[code].zh} / {CODES[code].en}"
            for (code, column), (rows, line_no) in sorted(self._found.items())
        ]
