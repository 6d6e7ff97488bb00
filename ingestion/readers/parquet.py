"""Parquet: typed columns as exact text, a slice at a time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError

from ingestion.errors import FileRejected
from ingestion.profiles import Feed
from ingestion.readers.cells import LOST_FROM, plain
from ingestion.readers.chunk import Chunk, tidy

ROWS_MAX = 50_000_000
_TRIAL = Path(__file__).with_name("parquet_trial.py")
_TRIAL_SECONDS_MAX = 600
_TIME_ZONE = "Asia/Shanghai"  # business dates are Beijing dates
_FLOATS = (pl.Float32, pl.Float64)


def parquet_chunks(path: Path, feed: Feed, size: int) -> Iterator[Chunk]:
    """Rows by slices; their line is their number plus one, as if a header stood above them."""
    with path.open("rb") as stream:
        if not stream.read(1):
            raise FileRejected("E-FILE-EMPTY")
    _try(path)
    yield from slices(path, feed, size)


def _try(path: Path) -> None:
    """Let another process decode the file first: what is damaged may abort it."""
    command = [sys.executable, "-I", str(_TRIAL), str(path)]
    try:
        tried = subprocess.run(command, capture_output=True, timeout=_TRIAL_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        raise FileRejected("E-FILE-TOO-LARGE", f"{_TRIAL_SECONDS_MAX} s") from None
    if tried.returncode:
        lines = tried.stderr.decode(errors="replace").splitlines()
        said = next((line for line in lines if "memory allocation" in line), lines[-1] if lines else "")
        raise FileRejected("E-FILE-PARQUET", said[:200])


def slices(path: Path, feed: Feed, size: int) -> Iterator[Chunk]:
    """The same of a file that is known to be sound."""
    try:
        yield from _slices(pl.scan_parquet(path, glob=False, hive_partitioning=False), feed, size)
    except (PolarsError, PanicException) as error:
        raise FileRejected("E-FILE-PARQUET", str(error).partition("\n")[0][:200]) from None


def _slices(source: pl.LazyFrame, feed: Feed, size: int) -> Iterator[Chunk]:
    schema = source.collect_schema()
    if not schema:
        raise FileRejected("E-FILE-EMPTY")
    feed.check_header(list(schema))
    readable = [name for name, dtype in schema.items() if _is_plain(dtype)]
    unreadable = [name for name in schema if name not in readable and name not in feed.ignore]
    if unreadable:
        raise FileRejected("E-FILE-TYPE", ", ".join(f"{name[:80]} {schema[name]}"[:120] for name in unreadable[:30]))
    line_no = 2
    for frame in source.select(readable).collect_batches(chunk_size=size, maintain_order=True):
        if line_no + frame.height > ROWS_MAX:
            raise FileRejected("E-FILE-TOO-LARGE", f"{ROWS_MAX:,}")
        if frame.height:
            lines = list(range(line_no, line_no + frame.height))
            yield Chunk(tidy(frame.select(_text(frame[name]) for name in readable)), lines, faults=_lost(frame, feed))
        line_no += frame.height


def _is_plain(dtype: pl.DataType) -> bool:
    return not dtype.is_nested() and dtype not in (pl.Binary, pl.Object, pl.Duration, pl.Unknown)


def _text(values: pl.Series) -> pl.Series:
    """Exact text: numbers without exponent or idle zeros, dates ISO, a time of day only where there is one."""
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime):
        return _moments(values)
    if dtype in _FLOATS or isinstance(dtype, pl.Decimal):
        return _mapped(values.cast(pl.String), _number)
    if isinstance(dtype, pl.Time):
        return values.dt.to_string("%H:%M:%S")
    return values.cast(pl.String)


def _mapped(texts: pl.Series, spell: Callable[[str], str]) -> pl.Series:
    return pl.Series(texts.name, [None if text is None else spell(text) for text in texts], dtype=pl.String)


def _number(text: str) -> str:
    value = Decimal(text)
    return plain(value) if value.is_finite() else text


def _moments(values: pl.Series) -> pl.Series:
    assert isinstance(values.dtype, pl.Datetime)
    local = values if values.dtype.time_zone is None else values.dt.convert_time_zone(_TIME_ZONE)
    date = pl.col(values.name).dt.to_string("%Y-%m-%d")
    whole = pl.col(values.name).dt.to_string("%Y-%m-%d %H:%M:%S%.f")
    is_midnight = pl.col(values.name).dt.time() == pl.time(0, 0, 0)
    return local.to_frame().select(pl.when(is_midnight).then(date).otherwise(whole).alias(values.name)).to_series()


def _lost(frame: pl.DataFrame, feed: Feed) -> dict[int, list[tuple[str, tuple[str, ...]]]]:
    """Binary fractions hold no whole number of more than 15 digits for sure, here as little as in a worksheet."""
    suspects = [name for name, dtype in frame.schema.items() if dtype in _FLOATS and name not in feed.ignore]
    columns: dict[int, list[str]] = {}
    for name in suspects:
        large = frame[name].is_finite() & (frame[name].abs() >= float(LOST_FROM))
        for row in large.arg_true():
            columns.setdefault(row, []).append(name)
    return {row: [("E-SCHEMA-CELL-DIGITS", tuple(names))] for row, names in columns.items()}
