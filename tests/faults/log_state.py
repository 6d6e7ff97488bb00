"""What a warehouse holds after a fault: the log's content to compare, and an audit that recomputes the chain itself.

Written from the contract of the log alone, without the appender's code.
"""

from __future__ import annotations

import hashlib
import struct
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import psycopg2
from psycopg2.extensions import cursor as Cursor

Rows = list[tuple[Any, ...]]

# Where and when a fact was recorded is not its content; the place of its original is told by the original's key.
_PLACE = ("seq", "batch_id", "recorded_at", "original_seq")
_COLUMNS = """
SELECT string_agg(quote_ident(attname), ', e.' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = 'events.event'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> ALL(%s)
"""
_EVENTS = """
SELECT e.region_code, e.seq, e.batch_id, e.source_system, e.family, e.source_event_key, encode(e.content_hash, 'hex'),
       md5(ROW(e.{columns})::text), f.file_name, o.source_event_key
FROM events.event AS e
INNER JOIN events.batch AS b USING (region_code, batch_id)
LEFT JOIN events.file_registry AS f USING (file_id)
LEFT JOIN events.event AS o ON o.region_code = e.region_code AND o.seq = e.original_seq
ORDER BY e.region_code, e.seq
"""
_FILES = """
SELECT source_system, file_name, sha256, state, error_code, rows, loaded, duplicate, quarantined, now_loaded
FROM events.file ORDER BY source_system, file_name
"""
_QUARANTINE = """
SELECT f.source_system, f.file_name, q.line_no, q.region_code, q.family, q.source_event_key, q.error_codes, q.messages,
       q.raw, q.canonical, q.amount, r.resolution, e.source_event_key
FROM events.quarantine AS q
INNER JOIN events.file_registry AS f USING (file_id)
LEFT JOIN events.quarantine_resolution AS r USING (quarantine_id)
LEFT JOIN events.event AS e ON e.region_code = r.region_code AND e.seq = r.resolved_by_seq
ORDER BY f.source_system, f.file_name, q.line_no
"""
_FAULTS = {
    "a file without a decision": """
        SELECT file_id FROM events.file_registry EXCEPT SELECT file_id FROM events.file_outcome""",
    "a file that is decided for good more than once": """
        SELECT file_id FROM events.file_outcome WHERE state <> 'rejected' GROUP BY file_id HAVING count(*) > 1""",
    "rows that do not add up": """
        SELECT file_id FROM events.file_outcome WHERE rows <> loaded + duplicate + quarantined""",
    "fewer or more rows set aside than the file's decision says": """
        SELECT file_id FROM (SELECT file_id, count(*) AS found FROM events.quarantine GROUP BY file_id) AS q
        FULL JOIN (SELECT file_id, quarantined FROM events.file_outcome WHERE quarantined > 0) AS o USING (file_id)
        WHERE found IS DISTINCT FROM quarantined""",
    "fewer or more rows in the log than the file's decision and its retries say": """
        SELECT file_id FROM (
            SELECT file_id, sum(last_seq - first_seq + 1) AS found FROM events.batch GROUP BY file_id
        ) AS b
        FULL JOIN (
            SELECT o.file_id, o.loaded + (
                SELECT count(*) FROM events.quarantine AS q
                INNER JOIN events.quarantine_resolution AS r USING (quarantine_id)
                WHERE q.file_id = o.file_id AND r.resolution = 'loaded') AS told
            FROM events.file_outcome AS o WHERE o.state = 'loaded'
        ) AS o USING (file_id)
        WHERE coalesce(found, 0) IS DISTINCT FROM told""",
    "a resolution without its event": """
        SELECT quarantine_id FROM events.quarantine_resolution AS r
        WHERE NOT EXISTS (
            SELECT FROM events.event AS e WHERE e.region_code = r.region_code AND e.seq = r.resolved_by_seq)""",
    "an event outside its batch": """
        SELECT e.region_code, e.seq FROM events.event AS e LEFT JOIN events.batch AS b USING (region_code, batch_id)
        WHERE e.seq BETWEEN b.first_seq AND b.last_seq AND e.recorded_at = b.recorded_at IS NOT TRUE""",
    "an original that comes from nowhere": """
        SELECT e.region_code, e.seq FROM events.event AS e
        LEFT JOIN events.event AS o ON o.region_code = e.region_code AND o.seq = e.original_seq
        WHERE e.original_seq IS NOT NULL AND o.source_event_key IS DISTINCT FROM e.original_event_key""",
}
_FAULTS_OF_CONTENT = {
    "a content hash that is not its row's": """
        SELECT e.region_code, e.seq FROM events.event AS e WHERE e.content_hash <> events.content_hash(e)""",
    "a batch hash that is not its batch's": """
        SELECT region_code, batch_id FROM events.batch WHERE batch_hash <> events.batch_hash(region_code, batch_id)""",
}
_LEFT_OVER = {
    "a session of the pipeline": """
        SELECT pid, state, query FROM pg_stat_activity
        WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()""",
    "a lock": """
        SELECT pid, locktype, mode FROM pg_locks WHERE pid <> pg_backend_pid() AND locktype = 'advisory'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())""",
}


@dataclass(frozen=True)
class LogState:
    """Everything that a run decides, with no trace of when it ran or of how often it was interrupted."""

    files: Rows
    facts: Rows
    places: Rows
    quarantine: Rows


def log_state(url: str) -> LogState:
    """Read the whole state; places are (region, seq, batch, source, family, key) in order."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        (columns,) = _all(cursor, _COLUMNS, [*_PLACE])[0]
        events = _all(cursor, _EVENTS.format(columns=columns))
        return LogState(
            files=_all(cursor, _FILES),
            facts=[(row[0], *row[3:]) for row in events],
            places=[row[:6] for row in events],
            quarantine=_all(cursor, _QUARANTINE),
        )


def audit(url: str, *, contents: bool = False) -> list[str]:
    """What is wrong with the log; whatever the fault was and whether or not a run has followed it, nothing may be.

    `contents`: hash every row again, which takes its time; a state equal to a good one needs no more of that.
    """
    faults = _FAULTS | _FAULTS_OF_CONTENT if contents else _FAULTS
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        found = [f"{what}: {rows}" for what, query in faults.items() if (rows := _all(cursor, query)[:5])]
        return found + _chain_faults(cursor)


def left_over(url: str) -> list[str]:
    """Sessions and locks that nobody needs any more."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        return [f"{what}: {rows}" for what, query in _LEFT_OVER.items() if (rows := _all(cursor, query))]


def _chain_faults(cursor: Cursor) -> list[str]:
    batches = _all(
        cursor,
        "SELECT region_code, batch_id, first_seq, last_seq, recorded_at, file_sha256, prev_batch_hash, batch_hash"
        " FROM events.batch ORDER BY region_code, batch_id",
    )
    events = _all(cursor, "SELECT region_code, seq, content_hash, line_no FROM events.event ORDER BY region_code, seq")
    by_region = {region: list(rows) for region, rows in groupby(events, itemgetter(0))}
    found = [f"region {region} has events but no batch" for region in by_region.keys() - {row[0] for row in batches}]
    for region, rows in groupby(batches, itemgetter(0)):
        found += _region_faults(region, list(rows), by_region.get(region, []))
    return found


def _region_faults(region: str, batches: Rows, events: Rows) -> list[str]:
    found = []
    if [row[1] for row in events] != list(range(1, len(events) + 1)):
        found.append(f"region {region}: seq has gaps")
    head, last_seq, before = bytes(32), 0, datetime.min.replace(tzinfo=UTC)
    for number, (_, batch_id, first, last, recorded_at, sha256, previous, digest) in enumerate(batches, start=1):
        rows = events[first - 1 : last]
        expected = _batch_hash(head, (region, batch_id, first, last, _instant(recorded_at), sha256), rows)
        if (batch_id, first, bytes(previous)) != (number, last_seq + 1, head) or recorded_at < before:
            found.append(f"region {region}: batch {batch_id} does not follow the one before it")
        if bytes(digest) != expected:
            found.append(f"region {region}: batch {batch_id} has not the hash of what it holds")
        head, last_seq, before = bytes(digest), last, recorded_at
    if last_seq != len(events):
        found.append(f"region {region}: {len(events)} events, the last batch ends with {last_seq}")
    return found


def _batch_hash(previous: bytes, told: tuple[object, ...], rows: Rows) -> bytes:
    inner = hashlib.sha256(b"".join(bytes(content) + struct.pack(">i", line_no) for _, _, content, line_no in rows))
    texts = [str(part) for part in told]
    fields = "".join(f"{len(text.encode())}:{text}" for text in texts)
    return hashlib.sha256(b"\x02" + previous + fields.encode() + inner.digest()).digest()


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _all(cursor: Cursor, query: str, *values: object) -> Rows:
    cursor.execute(query, values or None)
    return list(cursor.fetchall())
