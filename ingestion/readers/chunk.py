"""What a reader gives: frames of text columns, a chunk at a time, with the place of each row in its file."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import polars as pl

ROWS_MAX = 50_000_000  # of a file; beyond it is no table of a city's month, but a mistake
CHUNK_ROWS = 25_000
CHUNK_CHARACTERS = 8 * 1024**2
_LOOSE = r"\A\s|\s\z|\A\z"
_T = TypeVar("_T")


@dataclass(frozen=True)
class Misfit:
    """A row that could not be split into columns."""

    line_no: int
    code: str
    text: str


@dataclass
class Chunk:
    """Some rows of a file: source columns as text (empty is null), their physical lines, and rows without shape.

    `faults`: what the reader itself found wrong with a row of the frame, as (code, columns).
    `notes`: (code, column) -> rows of the frame in which the reader took something otherwise than it is written.
    """

    frame: pl.DataFrame
    line_nos: list[int]
    misfits: list[Misfit] = field(default_factory=list)
    faults: dict[int, list[tuple[str, tuple[str, ...]]]] = field(default_factory=dict)
    notes: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of either kind."""
        return len(self.line_nos) + len(self.misfits)


def batches(rows: Iterable[_T], size: int, length: Callable[[_T], int]) -> Iterator[list[_T]]:
    """At most `size` rows at a time, fewer where their texts are long; `length` tells the characters of a row."""
    batch: list[_T] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += length(row)
        if len(batch) >= size or characters >= CHUNK_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def regrouped(parts: Iterable[Chunk], size: int) -> Iterator[Chunk]:
    """The same rows in chunks of at most `size`, small parts together and large ones cut. None has faults or notes."""
    held: list[Chunk] = []
    rows = weight = 0
    for part in parts:
        if held and (rows + part.rows > size or weight > CHUNK_CHARACTERS):
            yield from _cut(_joined(held), size)
            held, rows, weight = [], 0, 0
        held.append(part)
        rows += part.rows
        weight += int(part.frame.estimated_size()) + sum(len(misfit.text) for misfit in part.misfits)
    if held:
        yield from _cut(_joined(held), size)


def _joined(parts: list[Chunk]) -> Chunk:
    if len(parts) == 1:
        return parts[0]
    return Chunk(
        pl.concat([part.frame for part in parts], rechunk=True),
        list(itertools.chain.from_iterable(part.line_nos for part in parts)),
        list(itertools.chain.from_iterable(part.misfits for part in parts)),
    )


def _cut(chunk: Chunk, size: int) -> Iterator[Chunk]:
    """Rows of the frame first, misfits with the last of them."""
    for start in range(0, chunk.rows, size):
        misfits = chunk.misfits[max(0, start - len(chunk.line_nos)) : max(0, start + size - len(chunk.line_nos))]
        yield Chunk(chunk.frame.slice(start, size), chunk.line_nos[start : start + size], misfits)


def text_frame(names: list[str], rows: list[list[Any]]) -> pl.DataFrame:
    """Text columns, trimmed, empty as null."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    frame = pl.DataFrame(dict(zip(names, columns, strict=True)), schema=dict.fromkeys(names, pl.String))
    return tidy(frame)


def tidy(frame: pl.DataFrame) -> pl.DataFrame:
    """The same text columns, trimmed, empty as null. Most columns are so already, which is told faster than done."""
    loose = frame.select(pl.all().str.contains(_LOOSE).any())
    names = [name for name in frame.columns if loose[name].item()] if frame.height else []
    trimmed = frame.with_columns(pl.col(names).str.strip_chars())
    return trimmed.with_columns(pl.when(pl.col(names) != "").then(pl.col(names)))
