"""The same table as CSV, JSON Lines, XLSX and Parquet is the same frame, whatever is written into it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.profiles import Feed
from ingestion.readers import Chunk, chunks
from ingestion.readers.parquet import slices
from tests.unit.ingestion.workbooks import NAMES, feed, table

Rows = list[tuple[str, str, date, str, Decimal]]
# No control characters: XML can't hold them as they are, which is a matter of the escapes tested elsewhere.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8).filter(lambda text: "_x" not in text)
DAYS = st.dates(date(1900, 3, 1), date(2999, 12, 31))
AMOUNTS = st.integers(-(10**15) + 1, 10**15 - 1).map(lambda fen: Decimal(fen).scaleb(-2))
# The first column is never blank, so that no row is: a blank row is no row in some formats and one in others.
TABLES = st.lists(st.tuples(TEXT.map(lambda text: f"x{text}"), TEXT, DAYS, TEXT, AMOUNTS), min_size=1, max_size=12)


def spelt(rows: Rows) -> list[list[str]]:
    """Dates ISO, amounts without idle zeros."""
    return [[kind, key, f"{day}", region, _plain(amount)] for kind, key, day, region, amount in rows]


def _plain(amount: Decimal) -> str:
    return f"{amount:f}".rstrip("0").rstrip(".").replace("-0", "0") if amount == 0 else _unpadded(f"{amount:f}")


def _unpadded(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def as_csv(rows: Rows) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([NAMES, *spelt(rows)])
    return buffer.getvalue().encode()


def as_jsonl(rows: Rows) -> bytes:
    return "".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in spelt(rows)).encode()


def as_xlsx(rows: Rows) -> bytes:
    return table(*([kind, key, day, region, float(amount)] for kind, key, day, region, amount in rows), typed=True)


def as_parquet(rows: Rows) -> bytes:
    buffer = io.BytesIO()
    schema = dict(zip(NAMES, (pl.String, pl.String, pl.Date, pl.String, pl.Decimal(18, 2)), strict=True))
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(buffer)
    return buffer.getvalue()


FORMATS: dict[str, Callable[[Rows], bytes]] = {
    "csv": as_csv,
    "jsonl": as_jsonl,
    "xlsx": as_xlsx,
    "parquet": as_parquet,
}


def read(path: Path, how: Feed) -> list[Chunk]:
    return list(slices(path, how, 5) if how.format == "parquet" else chunks(path, how, 5))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TABLES)
def test_a_table_reads_the_same_from_every_format(tmp_path: Path, rows: Rows) -> None:
    frames = {}
    for name, write in FORMATS.items():
        path = tmp_path / name
        path.write_bytes(write(rows))
        found = read(path, replace(feed(), format=name))
        assert not any(chunk.faults or chunk.misfits for chunk in found)
        frames[name] = pl.concat([chunk.frame.select(NAMES) for chunk in found]).rows()
    assert frames["csv"] == frames["jsonl"] == frames["xlsx"] == frames["parquet"]
    assert len(frames["csv"]) == len(rows)
