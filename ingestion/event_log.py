"""Appending to the event log: the region's lock, gapless positions, the chain of batch hashes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from psycopg2.extensions import cursor as Cursor

from ingestion.canonical import ADDED, DERIVABLE, GENESIS, BatchHead, batch_hash, derived_bytes, derived_hash

_PLACE = """
CREATE TEMP TABLE placed ON COMMIT DROP AS
SELECT i.line_no, i.region_code,
       coalesce(h.last_seq, 0) + row_number() OVER (PARTITION BY i.region_code ORDER BY i.line_no) AS seq
FROM incoming AS i
INNER JOIN (
    SELECT r.region_code,
           (SELECT max(b.last_seq) FROM events.batch AS b WHERE b.region_code = r.region_code) AS last_seq
    FROM (SELECT DISTINCT region_code FROM incoming) AS r
) AS h USING (region_code);
CREATE UNIQUE INDEX ON pg_temp.placed (line_no);
ANALYZE placed
"""
_HEAD = """
SELECT b.batch_id, b.last_seq, b.batch_hash, greatest(clock_timestamp(), b.recorded_at)
FROM (VALUES (1)) AS one
LEFT JOIN (SELECT * FROM events.batch WHERE region_code = %s ORDER BY batch_id DESC LIMIT 1) AS b ON true
"""
_HASHED = """
SELECT i.content_hash, i.line_no FROM incoming AS i INNER JOIN placed AS p USING (line_no)
WHERE p.region_code = %s ORDER BY p.seq
"""
_ADD_BATCH = """
INSERT INTO events.batch
    (region_code, batch_id, file_id, file_sha256, first_seq, last_seq, recorded_at, prev_batch_hash, batch_hash,
     derived_hash)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_PLACED = """
FROM placed AS p INNER JOIN incoming AS i USING (line_no) LEFT JOIN credit AS c USING (line_no)
LEFT JOIN resolved AS r USING (line_no) LEFT JOIN placed AS o ON o.line_no = r.original_line
WHERE p.region_code = %(region)s
"""
_EFFECTIVE = {
    "region_code": "i.region_code",
    "seq": "p.seq",
    "recorded_at": "%(recorded_at)s",
    "batch_id": "%(batch_id)s",
    "original_seq": "coalesce(r.original_seq, o.seq)",
    "sub_fund": "coalesce(i.sub_fund, r.sub_fund)",
    "personal_account_credit": """coalesce(
        i.personal_account_credit, r.personal_account_credit, c.personal_account_credit)""",
    "derived_columns": """nullif(coalesce(i.derived_columns, '{}') || array_remove(ARRAY[
        CASE WHEN i.sub_fund IS NULL AND r.sub_fund IS NOT NULL THEN 'sub_fund' END,
        CASE WHEN i.personal_account_credit IS NULL
              AND coalesce(r.personal_account_credit, c.personal_account_credit) IS NOT NULL
             THEN 'personal_account_credit' END
        ], NULL), '{}')""",
}


@dataclass(frozen=True)
class Origin:
    """The file that a batch comes from."""

    file_id: int
    sha256: str


def lock_regions(cursor: Cursor, regions: Iterable[str]) -> None:
    """Take the appender's lock of each region, ascending, until the transaction ends."""
    for region in sorted(regions):
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('merged_fund.region.' || %s, 0))", (region,))


def append(cursor: Cursor, origin: Origin) -> int:
    """Add the rows of temp table `incoming` to the log, one batch a region; says how many.

    Derived values come from temp tables `credit` (line_no, personal_account_credit) and `resolved` (line_no,
    original_seq, original_line, sub_fund, personal_account_credit). Leaves temp table `placed` (line_no, region_code,
    seq).
    """
    cursor.execute(_PLACE)
    cursor.execute("SELECT region_code, min(seq), max(seq) FROM placed GROUP BY region_code ORDER BY region_code")
    added = 0
    for region, first_seq, last_seq in cursor.fetchall():
        _append_region(cursor, origin, region, (first_seq, last_seq))
        added += last_seq - first_seq + 1
    return added


def _append_region(cursor: Cursor, origin: Origin, region: str, span: tuple[int, int]) -> None:
    batch_id, last_seq, previous, recorded_at = _head(cursor, region)
    assert span[0] == last_seq + 1, f"region {region}: seq {span[0]} does not follow {last_seq}"
    head = BatchHead(region, batch_id + 1, span[0], span[1], recorded_at, origin.sha256)
    cursor.execute(_HASHED, (region,))
    rows = [(bytes(content), line_no) for content, line_no in cursor.fetchall()]
    assert len(rows) == span[1] - last_seq, f"region {region}: {len(rows)} rows for seq {span[0]} to {span[1]}"
    digest = batch_hash(previous, head, rows)
    added = _derived_hash(cursor, region, digest)
    cursor.execute(
        _ADD_BATCH, (region, head.batch_id, origin.file_id, origin.sha256, *span, recorded_at, previous, digest, added)
    )
    _insert_events(cursor, region, head)


def _head(cursor: Cursor, region: str) -> tuple[int, int, bytes, datetime]:
    """Last batch, last seq, its hash, and the time to record now: never before an earlier one."""
    cursor.execute(_HEAD, (region,))
    batch_id, last_seq, previous, recorded_at = cursor.fetchone()
    return batch_id or 0, last_seq or 0, GENESIS if previous is None else bytes(previous), recorded_at


def _derived_hash(cursor: Cursor, region: str, digest: bytes) -> bytes:
    """Hash over what acceptance adds to the events of the batch with this hash."""
    cursor.execute(
        "SELECT derived_hash FROM events.batch WHERE region_code = %s AND derived_hash IS NOT NULL"
        " ORDER BY batch_id DESC LIMIT 1",
        (region,),
    )
    found = cursor.fetchone()
    values = {name: f"({_EFFECTIVE.get(name, f'i.{name}')})::text" for name in ("seq", *ADDED, *DERIVABLE)}
    values["derived_columns"] = f"array_to_string({_EFFECTIVE['derived_columns']}, ',')"
    cursor.execute(f"SELECT {', '.join(values.values())} {_PLACED} ORDER BY p.seq", {"region": region})
    frame = pl.DataFrame(cursor.fetchall(), schema=dict.fromkeys(values, pl.String), orient="row")
    return derived_hash(bytes(found[0]) if found else GENESIS, digest, derived_bytes(frame))


def _insert_events(cursor: Cursor, region: str, head: BatchHead) -> None:
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'events.event'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    columns = [name for (name,) in cursor.fetchall()]
    values = ", ".join(_EFFECTIVE.get(name, f"i.{name}") for name in columns)
    cursor.execute(
        f"INSERT INTO events.event ({', '.join(columns)}) SELECT {values} {_PLACED} ORDER BY p.seq",
        {"region": region, "recorded_at": head.recorded_at, "batch_id": head.batch_id},
    )
