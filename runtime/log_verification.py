"""Whether the log in the database is whole: every hash recomputed, the chain, and heads kept outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from ingestion import heads
from ingestion.database import connect
from ingestion.settings import Settings

_CONTENT = """
SELECT region_code, min(seq) FROM events.event AS e WHERE content_hash IS DISTINCT FROM events.content_hash(e)
GROUP BY region_code ORDER BY region_code
"""
_PLACE = """
SELECT e.region_code, min(e.seq) FROM events.event AS e INNER JOIN events.batch AS b USING (region_code, batch_id)
WHERE e.seq NOT BETWEEN b.first_seq AND b.last_seq OR e.recorded_at <> b.recorded_at
GROUP BY e.region_code ORDER BY e.region_code
"""
_CHAIN = """
SELECT region_code, min(first_seq) FROM (
    SELECT b.region_code, b.first_seq,
        b.batch_hash IS DISTINCT FROM events.batch_hash(b.region_code, b.batch_id)
        OR b.batch_id <> row_number() OVER chain
        OR b.first_seq <> coalesce(lag(b.last_seq) OVER chain, 0) + 1
        OR b.prev_batch_hash <> coalesce(lag(b.batch_hash) OVER chain, decode(repeat('00', 32), 'hex'))
        OR b.last_seq - b.first_seq + 1 <> (
            SELECT count(*) FROM events.event AS e
            WHERE e.region_code = b.region_code AND e.batch_id = b.batch_id
                AND e.seq BETWEEN b.first_seq AND b.last_seq)
        AS broken
    FROM events.batch AS b WINDOW chain AS (PARTITION BY b.region_code ORDER BY b.batch_id)
) AS batch WHERE broken GROUP BY region_code ORDER BY region_code
"""


def problems(
    settings: Settings, expected: Mapping[str, Mapping[str, Any]], outside: Mapping[str, Sequence[heads.Head]]
) -> list[str]:
    """What is wrong with the log.

    `expected`: region -> batch_id, seq and batch_hash of the head it must have; `outside`: heads by name of their file.
    """
    with closing(connect(settings=settings)) as connection, connection.cursor() as cursor:
        cursor.execute(_CONTENT)
        found = [f"region {region}: seq {seq} is not what was recorded" for region, seq in cursor.fetchall()]
        cursor.execute(_PLACE)
        found += [f"region {region}: seq {seq} is not of its batch" for region, seq in cursor.fetchall()]
        cursor.execute(_CHAIN)
        found += [f"region {region}: the chain breaks at seq {seq}" for region, seq in cursor.fetchall()]
        now = {
            one: {"batch_id": batch, "seq": seq, "batch_hash": tip} for one, batch, seq, tip in heads.current(cursor)
        }
        regions = sorted(now.keys() | expected.keys())
        found += [f"region {one}: the head is another" for one in regions if now.get(one) != expected.get(one)]
        return found + heads.disagreements(cursor, outside)
