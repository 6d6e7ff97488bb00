"""Reading the log for verification: stored columns as texts, a chunk at a time, all in one snapshot.

Everything is read as the text that PostgreSQL writes, so that no value can hide behind a conversion (an infinite date,
a day inside a month column, NaN). CSV tells null (nothing) from the empty text (quoted).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl
from psycopg2.extensions import cursor as Cursor

from ingestion.canonical import ADDED, all_columns
from ingestion.contracts import FAMILIES

CHUNK_ROWS = 50_000
BATCHES_A_TIME = 1_000
KNOWN_FAMILIES = (*FAMILIES, "control")
_LOWEST = -(2**63)
_FRAME = ("seq", "batch_id", "recorded_at", "proof", "strays", *ADDED)
_PLACE = frozenset({"seq", "batch_id", "recorded_at", "line_no", "content_hash", *ADDED})
_UTC = """CASE WHEN isfinite({0}) THEN to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    ELSE {0}::text END"""
_SELECTED = {
    "proof": "encode(e.content_hash || int4send(e.line_no), 'hex')",
    "approved_at": _UTC.format("e.approved_at"),
}
_BATCHES = f"""
SELECT b.batch_id, b.first_seq, b.last_seq, {_UTC.format("b.recorded_at")}, b.recorded_at::text,
       b.file_id, b.file_sha256, f.sha256, b.prev_batch_hash, b.batch_hash, b.derived_hash
FROM events.batch AS b
LEFT JOIN events.file_registry AS f ON f.file_id = b.file_id
WHERE b.region_code = %s AND b.batch_id > %s
ORDER BY b.batch_id LIMIT {BATCHES_A_TIME}
"""
# Regions by steps over the index, not by reading every row.
_REGIONS = """
WITH RECURSIVE region AS (
    (SELECT region_code FROM events.event ORDER BY region_code LIMIT 1)
    UNION ALL
    SELECT (SELECT e.region_code FROM events.event AS e WHERE e.region_code > r.region_code ORDER BY 1 LIMIT 1)
    FROM region AS r WHERE r.region_code IS NOT NULL
)
SELECT region_code FROM region WHERE region_code IS NOT NULL
UNION
SELECT region_code FROM events.batch
"""


@dataclass(frozen=True)
class Batch:
    """A row of `events.batch`; `recorded` is recorded_at in canonical form, `registered` the hash in the registry."""

    batch_id: int
    first_seq: int
    last_seq: int
    recorded: str
    recorded_at: str
    file_id: int | None
    file_sha256: str | None
    registered: str | None
    prev_batch_hash: bytes | None
    batch_hash: bytes | None
    derived_hash: bytes | None


@dataclass(frozen=True)
class Events:
    """Events of one family, by seq, as texts: `proof` is content_hash and line_no in hex, `strays` how many columns
    of other families have a value.
    """

    family: str
    frame: pl.DataFrame


@dataclass(frozen=True)
class Chunk:
    """A stretch of a region's log and the batches that begin before its end, as far as they were not handed out yet."""

    batches: Sequence[Batch]
    events: Sequence[Events]


class Log:
    """The log of all regions in the snapshot of the cursor's transaction."""

    def __init__(self, cursor: Cursor, chunk_rows: int = CHUNK_ROWS) -> None:
        self._cursor = cursor
        self._chunk_rows = chunk_rows
        cursor.execute(
            "SELECT attname FROM pg_attribute"
            " WHERE attrelid = 'events.event'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
        self._columns = [str(name) for (name,) in cursor.fetchall()]

    def regions(self) -> list[str]:
        """Regions that have events or batches."""
        self._cursor.execute(_REGIONS)
        return sorted(region for (region,) in self._cursor.fetchall())

    def chunks(self, region: str) -> Iterator[Chunk]:
        """The whole log of a region; the last chunks may have batches only."""
        batches = _Pages(self._cursor, region)
        after, family = _LOWEST, KNOWN_FAMILIES[0]
        while (frame := self._frame(region, family, f"e.seq > {after}", limit=True)).height:
            until = int(frame["seq"][-1])
            families = frame["family"].unique(maintain_order=True).to_list()
            events = [self._of_family(region, family, name, frame, (after, until)) for name in families]
            after, family = until, str(frame["family"][-1])
            yield Chunk(batches.begun_before(until), events)
        while rest := batches.next():
            yield Chunk(rest, ())

    def _of_family(
        self, region: str, read_as: str, family: str | None, frame: pl.DataFrame, span: tuple[int, int]
    ) -> Events:
        """The rows of one family, read anew with its own columns when the chunk was read with those of another."""
        own = frame.filter(pl.col("family").eq_missing(pl.lit(family, dtype=pl.String)))
        if family in KNOWN_FAMILIES and family != read_as:
            own = self._frame(region, family, f"e.seq > {span[0]} AND e.seq <= {span[1]} AND e.family = '{family}'")
        return Events(family or "", own)

    def _frame(self, region: str, family: str, condition: str, *, limit: bool = False) -> pl.DataFrame:
        fields = all_columns(family if family in KNOWN_FAMILIES else KNOWN_FAMILIES[0])
        strays = [f"e.{name}" for name in self._columns if name not in _PLACE.union(fields)]
        selected = _SELECTED | {"strays": f"nullif(num_nonnulls({', '.join(strays)}), 0)"}
        names = [*_FRAME, *(name for name in fields if name != "region_code")]
        query = (
            f"SELECT {', '.join(selected.get(name, f'e.{name}') for name in names)} FROM events.event AS e"
            f" WHERE e.region_code = {self._literal(region)} AND {condition} ORDER BY e.seq"
        )
        text = io.BytesIO()
        self._cursor.copy_expert(
            f"COPY ({query}{f' LIMIT {self._chunk_rows}' if limit else ''}) TO STDOUT (FORMAT csv)", text
        )
        frame = _texts(text, names)
        assert frame.height == self._cursor.rowcount, "the rows that PostgreSQL sent were not read as it wrote them"
        return frame.with_columns(pl.lit(region).alias("region_code"))

    def _literal(self, text: str) -> str:
        return str(self._cursor.mogrify("%s", (text,)).decode())


class _Pages:
    """The batches of a region by number, some at a time."""

    def __init__(self, cursor: Cursor, region: str) -> None:
        self._cursor = cursor
        self._region = region
        self._after = _LOWEST
        self._reached = _LOWEST

    def begun_before(self, seq: int) -> list[Batch]:
        """Further batches, until one ends at or beyond `seq`."""
        found: list[Batch] = []
        while self._reached < seq and (page := self.next()):
            found += page
        return found

    def next(self) -> list[Batch]:
        """The next page."""
        self._cursor.execute(_BATCHES, (self._region, self._after))
        page = [Batch(*row[:8], *(hash_ and bytes(hash_) for hash_ in row[8:])) for row in self._cursor.fetchall()]
        if page:
            self._after = page[-1].batch_id
            self._reached = max(self._reached, page[-1].last_seq)
        return page


def _texts(text: io.BytesIO, names: Sequence[str]) -> pl.DataFrame:
    schema: dict[str, type[pl.DataType]] = {name: pl.Int64 if name == "seq" else pl.String for name in names}
    if not text.tell():
        return pl.DataFrame(schema=schema)
    text.seek(0)
    return pl.read_csv(text, has_header=False, schema=schema)
