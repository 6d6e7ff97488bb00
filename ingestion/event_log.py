"""Appending to the event log: the region's lock, gapless positions, the chain of batch hashes.

One `Appender` a transaction. It locks a region, reads its head, copies events in with the positions that follow, and
seals them as one batch a region. Whoever reads by seq misses nothing: positions are given under the lock, which is
held until the transaction ends.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl
from psycopg2.extensions import cursor as Cursor

from ingestion.canonical import GENESIS, BatchHead, Body, derived_hash_of_body, sealed_hash

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('merged_fund.region.' || %s, 0))"
_TRY_LOCK = _LOCK.replace("pg_advisory", "pg_try_advisory")
_HEAD = """
SELECT b.batch_id, b.last_seq, b.batch_hash, greatest(clock_timestamp(), b.recorded_at),
       (SELECT d.derived_hash FROM events.batch AS d
        WHERE d.region_code = %(region)s AND d.derived_hash IS NOT NULL ORDER BY d.batch_id DESC LIMIT 1)
FROM (VALUES (1)) AS one
LEFT JOIN (SELECT * FROM events.batch WHERE region_code = %(region)s ORDER BY batch_id DESC LIMIT 1) AS b ON true
"""
_SEAL = """
INSERT INTO events.batch
    (region_code, batch_id, file_id, file_sha256, first_seq, last_seq, recorded_at, prev_batch_hash, batch_hash,
     derived_hash)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
# A batch that the pipeline writes itself has no file: in the place of the file's hash stands that of no bytes.
NO_FILE_SHA256 = hashlib.sha256(b"").hexdigest()
_SLICE_ROWS = 2_000  # encoded while the server is busy with the slice before


class RegionsOutOfOrder(Exception):
    """A region has to be locked whose turn was before one that is held: start again with all of `regions`."""

    def __init__(self, regions: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(regions)))
        self.regions = regions


@dataclass(frozen=True)
class Origin:
    """The file that a batch comes from."""

    file_id: int
    sha256: str


@dataclass
class _Batch:
    """What a region's open batch follows, and what it holds so far."""

    batch_id: int
    first_seq: int
    recorded_at: datetime
    previous: bytes
    previous_derived: bytes
    events: int = 0
    body: Body = field(default_factory=Body)

    @property
    def next_seq(self) -> int:
        return self.first_seq + self.events


class Appender:
    """Adds the events of one file to the log, within the caller's transaction.

    Without an origin the events are the pipeline's own, all of family control.
    """

    def __init__(self, cursor: Cursor, origin: Origin | None) -> None:
        self._cursor = cursor
        self._origin = origin
        self._batches: dict[str, _Batch] = {}

    def lock(self, regions: Iterable[str]) -> None:
        """Lock regions until the transaction ends, in ascending order, so that no two files wait for each other.

        `RegionsOutOfOrder` when a region is wanted late that another transaction holds.
        """
        for region in sorted({*regions} - self._batches.keys()):
            if any(held > region for held in self._batches):
                self._cursor.execute(_TRY_LOCK, (region,))
                if self._cursor.fetchone() == (False,):
                    raise RegionsOutOfOrder(frozenset({*self._batches, *regions}))
            else:
                lock_region(self._cursor, region)
            self._batches[region] = self._open(region)

    def last_seqs(self) -> dict[str, int]:
        """The last position taken in each locked region."""
        return {region: batch.next_seq - 1 for region, batch in self._batches.items()}

    def add(self, rows: pl.DataFrame) -> None:
        """Copy events in, in their order. Columns: those of `events.event` without what is given here, as text."""
        placed = [self._placed(of_region) for of_region in _by_region(rows)]
        for events in placed:
            copy(self._cursor, "events.event", events)
        for events in placed:  # only now: the caller may take a copy back that the log objects to
            batch = self._batches[events["region_code"][0]]
            batch.body.add(events)
            batch.events += events.height

    def seal(self) -> None:
        """Close the batch of every region that has got events."""
        for region, batch in sorted(self._batches.items()):
            if batch.events:
                self._seal(region, batch)

    def first_seqs(self) -> dict[str, int]:
        """Where the events of this file begin, by region."""
        return {region: batch.first_seq for region, batch in sorted(self._batches.items()) if batch.events}

    def _open(self, region: str) -> _Batch:
        self._cursor.execute(_HEAD, {"region": region})
        batch_id, last_seq, previous, recorded_at, derived = self._cursor.fetchone()
        return _Batch(
            batch_id=(batch_id or 0) + 1,
            first_seq=(last_seq or 0) + 1,
            recorded_at=recorded_at,  # never before an earlier one
            previous=GENESIS if previous is None else bytes(previous),
            previous_derived=GENESIS if derived is None else bytes(derived),
        )

    def _placed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Events of one region with the positions that follow."""
        batch = self._batches[rows["region_code"][0]]
        return rows.with_columns(
            pl.int_range(batch.next_seq, batch.next_seq + rows.height).alias("seq"),
            pl.lit(batch.batch_id).alias("batch_id"),
            pl.lit(batch.recorded_at.isoformat()).alias("recorded_at"),
        )

    def _seal(self, region: str, batch: _Batch) -> None:
        span = (batch.first_seq, batch.next_seq - 1)
        origin = (self._origin.file_id, self._origin.sha256) if self._origin else (None, NO_FILE_SHA256)
        head = BatchHead(region, batch.batch_id, *span, batch.recorded_at, origin[1])
        digest = sealed_hash(batch.previous, head, batch.body.content)
        derived = derived_hash_of_body(batch.previous_derived, digest, batch.body.derived)
        self._cursor.execute(
            _SEAL, (region, batch.batch_id, *origin, *span, batch.recorded_at, batch.previous, digest, derived)
        )


def lock_region(cursor: Cursor, region: str) -> None:
    """Wait until nobody else appends to a region, and keep it so until the transaction ends."""
    cursor.execute(_LOCK, (region,))


def _by_region(rows: pl.DataFrame) -> list[pl.DataFrame]:
    if not rows.height:
        return []
    is_one = (rows["region_code"] == rows["region_code"][0]).all()
    return [rows] if is_one else rows.partition_by("region_code", maintain_order=True)


def copy(cursor: Cursor, table: str, rows: pl.DataFrame) -> None:
    """COPY texts and whole numbers, `content_hash` in hex; null is an empty field, an empty text a quoted one."""
    if rows.height:
        texts = rows.with_columns(pl.format(r"\x{}", "content_hash").alias("content_hash"))
        cursor.copy_expert(f"COPY {table} ({', '.join(rows.columns)}) FROM STDIN (FORMAT csv)", _Csv(texts))


class _Csv:
    """A frame as the file that COPY reads, a slice at a time."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self._slices: Iterator[pl.DataFrame] = rows.iter_slices(_SLICE_ROWS)

    def read(self, _: int) -> bytes:
        """The next slice; nothing at the end."""
        rows = next(self._slices, None)
        buffer = io.BytesIO()
        if rows is not None:
            rows.write_csv(buffer, include_header=False)
        return buffer.getvalue()
