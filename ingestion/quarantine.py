"""Quarantine: rows that were refused, those that wait for another to come, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg2.extensions import cursor as Cursor

_ADD = """
INSERT INTO events.quarantine
    (file_id, line_no, region_code, family, source_system, source_event_key, error_codes, messages, raw, canonical,
     amount, quarantined_at)
SELECT %(file_id)s, r.line_no, r.region_code, %(family)s, %(source_system)s, r.source_event_key, r.error_codes,
       r.messages, r.raw, r.canonical, r.posting_amount, clock_timestamp()
FROM refused AS r
ORDER BY r.line_no
"""
# An event settles what is open under its own key: itself, when it had waited, and what came before it.
_SETTLE = """
INSERT INTO events.quarantine_resolution (quarantine_id, resolution, region_code, resolved_by_seq, resolved_at)
SELECT q.quarantine_id,
       CASE WHEN q.file_id = %(file_id)s AND q.line_no = e.line_no THEN 'loaded'
            WHEN q.canonical ->> 'content_hash' = e.content_hash::text THEN 'duplicate'
            ELSE 'corrected' END,
       e.region_code, e.seq, clock_timestamp()
FROM (SELECT unnest(%(regions)s::text[]) AS region_code, unnest(%(first_seqs)s::bigint[]) AS first_seq) AS added
INNER JOIN events.quarantine_open AS q ON q.region_code = added.region_code
INNER JOIN events.event AS e
    ON e.region_code = q.region_code AND e.source_system = q.source_system AND e.family = q.family
    AND e.source_event_key = q.source_event_key
WHERE e.seq >= added.first_seq AND NOT (q.file_id = %(file_id)s AND q.line_no > e.line_no)
"""
_WAITING = """
FROM events.quarantine_open AS q
WHERE q.canonical IS NOT NULL
"""
_TAKE_UP = f"""
INSERT INTO incoming SELECT (jsonb_populate_record(NULL::pg_temp.incoming, q.canonical)).* {_WAITING} AND q.file_id = %s
"""
# A waiting row that was neither added nor refused again equals what has come in the meantime.
_SETTLE_DUPLICATES = f"""
INSERT INTO events.quarantine_resolution (quarantine_id, resolution, region_code, resolved_by_seq, resolved_at)
SELECT q.quarantine_id, 'duplicate', e.region_code, e.seq, clock_timestamp()
FROM (SELECT * {_WAITING} AND q.file_id = %(file_id)s) AS q
INNER JOIN events.event AS e USING (region_code, source_system, family, source_event_key)
WHERE NOT EXISTS (SELECT FROM refused AS r WHERE r.line_no = q.line_no)
"""


def add(cursor: Cursor, file_id: int, family: str, source_system: str) -> int:
    """Record the rows of temp table `refused`; returns how many."""
    cursor.execute(_ADD, {"file_id": file_id, "family": family, "source_system": source_system})
    return int(cursor.rowcount)


def settle(cursor: Cursor, file_id: int, added: Mapping[str, int]) -> int:
    """Resolve what the file's events settle, given where they begin in each region; returns how many rows."""
    cursor.execute(_SETTLE, {"file_id": file_id, "regions": list(added), "first_seqs": list(added.values())})
    return int(cursor.rowcount)


def settle_duplicates(cursor: Cursor, file_id: int) -> int:
    """After a retry: resolve waiting rows of the file that equal an event of the log."""
    cursor.execute(_SETTLE_DUPLICATES, {"file_id": file_id})
    return int(cursor.rowcount)


def files_waiting(cursor: Cursor) -> list[tuple[int, str, str]]:
    """(file_id, sha256, file_name) of files with rows to try again, in the order in which they came."""
    cursor.execute(
        f"SELECT f.file_id, f.sha256, f.file_name FROM events.file_registry AS f"
        f" WHERE f.file_id IN (SELECT q.file_id {_WAITING}) ORDER BY f.file_id"
    )
    return list(cursor.fetchall())


def regions_waiting(cursor: Cursor, file_id: int) -> list[str]:
    """Regions of a file's waiting rows."""
    cursor.execute(f"SELECT DISTINCT q.region_code {_WAITING} AND q.file_id = %s", (file_id,))
    return [region for (region,) in cursor.fetchall()]


def take_up(cursor: Cursor, file_id: int) -> int:
    """Put a file's waiting rows into temp table `incoming`; returns how many."""
    cursor.execute(_TAKE_UP, (file_id,))
    return int(cursor.rowcount)
