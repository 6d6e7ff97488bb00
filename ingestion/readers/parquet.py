"""Parquet: typed columns as exact text, a slice at a time."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
from polars.exceptions import PanicException, PolarsError
from pyarrow import parquet

from ingestion.errors import FileRejected, ReadingInterrupted
from ingestion.profiles import Feed
from ingestion.readers import memory, parquet_trial
from ingestion.readers.cells import LOST_FROM, plain
from ingestion.readers.chunk import CHUNK_CHARACTERS, ROWS_MAX, Chunk, tidy

_TRIAL = Path(parquet_trial.__file__)
_TRIAL_SECONDS_MAX = 600
_MEMORY_BYTES_MAX = 2 * 1024**3
_BUFFER_BYTES = 1024**2
_PLAUSIBLE_BYTES = 1024**4  # what asks for more at once is damaged
_ALLOCATION = re.compile(r"(?:memory allocation|malloc|realloc)\D+([0-9]+) (?:bytes )?failed")
_CRASHES = (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP)
_TIME_ZONE = "Asia/Shanghai"  # business dates are Beijing dates
_PLAIN = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_float64,
    pa.types.is_decimal128,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_timestamp,
    pa.types.is_null,
)


def parquet_chunks(path: Path, feed: Feed, size: int) -> Iterator[Chunk]:
    """Rows by slices; their line is their number plus one, as if a header stood above them."""
    with path.open("rb") as stream:
        if not stream.read(1):
            raise FileRejected("E-FILE-EMPTY")
    largest = _try(path)
    yield from slices(path, feed, max(1, min(size, parquet_trial.BATCH_ROWS * CHUNK_CHARACTERS // (largest + 1))))


def _try(path: Path) -> int:
    """Let another process decode the file first: what is damaged may abort it. Gives the bytes of its largest batch.

    `ReadingInterrupted` when that process does not start or is killed from outside, which says nothing of the file.
    """
    limit = min(_MEMORY_BYTES_MAX, memory.total() // 2)
    command = [sys.executable, "-I", str(_TRIAL), str(path), str(limit)]
    try:
        tried = subprocess.run(command, capture_output=True, timeout=_TRIAL_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        raise FileRejected("E-FILE-TOO-LARGE", f"{_TRIAL_SECONDS_MAX} s") from None
    except OSError as error:
        raise ReadingInterrupted(f"{path.name}: the trial of the file did not start: {error.strerror}") from None
    if tried.returncode:
        raise _verdict(path, tried)
    return int(tried.stdout.split()[-1])


def _verdict(path: Path, tried: subprocess.CompletedProcess[bytes]) -> Exception:
    lines = tried.stderr.decode(errors="replace").splitlines()
    asked = next((found for line in lines if (found := _ALLOCATION.search(line))), None)
    said = (asked[0] if asked else lines[-1] if lines else "")[:200]
    if b"READY" not in tried.stdout or (tried.returncode < 0 and -tried.returncode not in _CRASHES):
        return ReadingInterrupted(
            f"{path.name}: the trial of the file was ended from outside ({tried.returncode}) {said}"
        )
    if asked and int(asked[1]) < _PLAUSIBLE_BYTES:  # a sound file that needs more than there is
        return FileRejected("E-FILE-TOO-LARGE", said)
    return FileRejected("E-FILE-PARQUET", said)


def slices(path: Path, feed: Feed, size: int) -> Iterator[Chunk]:
    """The same of a file that is known to be sound."""
    try:
        # Without buffers of its own and in pieces, so that a row group of any size is never in memory as a whole.
        with parquet.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False) as source:
            yield from _slices(source, feed, size)
    except (pa.ArrowException, PolarsError, PanicException) as error:
        raise FileRejected("E-FILE-PARQUET", str(error).partition("\n")[0][:200]) from None


def _slices(source: parquet.ParquetFile, feed: Feed, size: int) -> Iterator[Chunk]:
    schema = source.schema_arrow
    if not schema.names:
        raise FileRejected("E-FILE-EMPTY")
    feed.check_header(schema.names)
    readable = [field.name for field in schema if _is_plain(field.type)]
    unreadable = [field for field in schema if not _is_plain(field.type) and field.name not in feed.ignore]
    if unreadable:
        raise FileRejected(
            "E-FILE-TYPE", ", ".join(f"{field.name[:80]} {field.type}"[:120] for field in unreadable[:30])
        )
    if source.metadata.num_rows > ROWS_MAX:
        raise FileRejected("E-FILE-TOO-LARGE", f"{source.metadata.num_rows:,}")
    line_no = 2
    for batch in source.iter_batches(size, columns=readable, use_threads=False):
        frame = pl.DataFrame(pl.from_arrow(batch)).select(readable)
        if frame.height:
            lines = list(range(line_no, line_no + frame.height))
            yield Chunk(_texts(frame), lines, faults=_lost(frame, feed))
        line_no += frame.height


def _is_plain(kind: pa.DataType) -> bool:
    """Whether every value has exact text; single precision holds neither fen nor numbers of more than a few digits."""
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    return any(test(kind) for test in _PLAIN)


def _texts(frame: pl.DataFrame) -> pl.DataFrame:
    texts = frame.select(_text(values) for values in frame)
    return texts.with_columns(tidy(texts.select(name for name, dtype in frame.schema.items() if not _is_spelt(dtype))))


def _is_spelt(dtype: pl.DataType) -> bool:
    """Whether its texts are of our own making, and so never blank."""
    return dtype.is_numeric() or dtype.is_temporal()


def _text(values: pl.Series) -> pl.Series:
    """Exact text: numbers without exponent or idle zeros, dates ISO, a time of day only where there is one."""
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime):
        return _moments(values)
    if isinstance(dtype, pl.Decimal):
        return _unpadded(values.cast(pl.String)) if dtype.scale else values.cast(pl.String)
    if dtype == pl.Float64:
        return _floats(values.cast(pl.String))
    if isinstance(dtype, pl.Time):
        return values.dt.to_string("%H:%M:%S")
    return values.cast(pl.String)


def _unpadded(texts: pl.Series) -> pl.Series:
    """Without the zeros that end a fraction; each text has one."""
    return texts.str.strip_chars_end("0").str.strip_chars_end(".")


def _floats(texts: pl.Series) -> pl.Series:
    """The shortest spelling, but without exponent or negative zero; what is not finite has no point."""
    has_exponent = texts.str.contains("e", literal=True)
    short = _unpadded(texts).zip_with(texts.str.contains(".", literal=True) & ~has_exponent, texts)
    spelt = {text: plain(Decimal(text)) for text in texts.filter(has_exponent).unique()}
    return short.replace({"-0": "0"} | spelt)


def _moments(values: pl.Series) -> pl.Series:
    assert isinstance(values.dtype, pl.Datetime)
    local = values if values.dtype.time_zone is None else values.dt.convert_time_zone(_TIME_ZONE)
    date = pl.col(values.name).dt.to_string("%Y-%m-%d")
    whole = pl.col(values.name).dt.to_string("%Y-%m-%d %H:%M:%S%.f")
    is_midnight = pl.col(values.name).dt.time() == pl.time(0, 0, 0)
    return local.to_frame().select(pl.when(is_midnight).then(date).otherwise(whole).alias(values.name)).to_series()


def _lost(frame: pl.DataFrame, feed: Feed) -> dict[int, list[tuple[str, tuple[str, ...]]]]:
    """Binary fractions hold no whole number of more than 15 digits for sure, here as little as in a worksheet."""
    suspects = [name for name, dtype in frame.schema.items() if dtype == pl.Float64 and name not in feed.ignore]
    columns: dict[int, list[str]] = {}
    for name in suspects:
        large = frame[name].is_finite() & (frame[name].abs() >= float(LOST_FROM))
        for row in large.arg_true():
            columns.setdefault(row, []).append(name)
    return {row: [("E-SCHEMA-CELL-DIGITS", tuple(names))] for row, names in columns.items()}
