"""Quarantine: rows that were refused, those that wait for another to come, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

Answer = tuple[int, int, str, str | None, str | None]  # line, number of the entry, family, region, key

_ADD = """
INSERT INTO events.quarantine
    (file_id, line_no, region_code, family, source_system, source_event_key, error_codes, messages, raw, canonical,
     amount, quarantined_at)
SELECT %(file_id)s, r.line_no, r.region_code, %(family)s, %(source_system)s, r.source_event_key, r.error_codes,
       r.messages, r.raw, r.canonical, r.posting_amount, clock_timestamp()
FROM refused AS r
ORDER BY r.line_no
"""
# Rows of a file of corrections that say which entry they answer.
_CORRECTING = """
CREATE TEMP TABLE IF NOT EXISTS correcting (
    line_no integer, quarantine_id bigint, family text, region_code text, source_event_key text
) ON COMMIT DROP
"""
# The same numbers, followed to the entries that stand for them by now.
_ANSWERED = """
CREATE TEMP TABLE answered ON COMMIT DROP AS
WITH RECURSIVE answered AS (
    SELECT c.line_no, c.quarantine_id, c.family, c.region_code, c.source_event_key FROM correcting AS c
    UNION
    SELECT a.line_no, r.resolved_by_quarantine_id, a.family, a.region_code, a.source_event_key
    FROM answered AS a
    INNER JOIN events.quarantine_resolution AS r USING (quarantine_id)
    WHERE r.resolved_by_quarantine_id IS NOT NULL
)
TABLE answered;
ANALYZE answered
"""
# Where the file's events begin in each region.
_ADDED = """
CREATE TEMP TABLE added ON COMMIT DROP AS
SELECT unnest(%(regions)s::text[]) AS region_code, unnest(%(first_seqs)s::bigint[]) AS first_seq
"""
# An event settles what is open under its own key: itself, when it had waited, and what came before it.
_SETTLE = """
INSERT INTO events.quarantine_resolution (quarantine_id, resolution, region_code, resolved_by_seq, resolved_at)
SELECT q.quarantine_id,
       CASE WHEN q.file_id = %(file_id)s AND q.line_no = e.line_no THEN 'loaded'
            WHEN q.canonical ->> 'content_hash' = e.content_hash::text THEN 'duplicate'
            ELSE 'corrected' END,
       e.region_code, e.seq, clock_timestamp()
FROM added
INNER JOIN events.quarantine_open AS q ON q.region_code = added.region_code
INNER JOIN events.event AS e
    ON e.region_code = q.region_code AND e.source_system = q.source_system AND e.family = q.family
    AND e.source_event_key = q.source_event_key
WHERE e.seq >= added.first_seq AND NOT (q.file_id = %(file_id)s AND q.line_no > e.line_no)
ORDER BY q.quarantine_id
ON CONFLICT DO NOTHING
"""
# And the entry whose number its row brought back, also when the event was in the log already.
_SETTLE_ANSWERED = """
WITH asked AS MATERIALIZED (
    SELECT a.quarantine_id, q.source_system, a.family, a.line_no, a.region_code, a.source_event_key
    FROM answered AS a
    INNER JOIN events.quarantine_open AS q USING (quarantine_id, family)
    INNER JOIN events.file_registry AS f ON f.file_id = %(file_id)s AND f.source_system = q.source_system
    WHERE NOT EXISTS (SELECT FROM refused AS r WHERE r.line_no = a.line_no)
),
settled AS (
    SELECT a.quarantine_id, CASE WHEN e.seq >= n.first_seq THEN 'corrected' ELSE 'duplicate' END AS resolution,
        e.region_code, e.seq
    FROM asked AS a
    INNER JOIN events.event AS e USING (region_code, source_system, family, source_event_key)
    LEFT JOIN added AS n USING (region_code)
)
INSERT INTO events.quarantine_resolution (quarantine_id, resolution, region_code, resolved_by_seq, resolved_at)
SELECT DISTINCT ON (s.quarantine_id) s.quarantine_id, s.resolution, s.region_code, s.seq, clock_timestamp()
FROM settled AS s
ORDER BY s.quarantine_id, s.resolution, s.region_code, s.seq
ON CONFLICT DO NOTHING
"""
# What a row says, whatever the order of its columns. JSON of PostgreSQL holds no NUL: such a text is compared as it is.
_SAID = r"""
CASE WHEN strpos({row}.raw, '\u0000') > 0 THEN to_jsonb({row}.raw) ELSE jsonb_strip_nulls({row}.raw::jsonb) END
"""
_IS_KEYLESS = "({row}.region_code IS NULL OR {row}.source_event_key IS NULL) AND {row}.raw IS NOT NULL"
# A refused row and an entry of an earlier file that is about the same: by its key, by the number it brought back, or,
# where there is no key, by its text (the first such row answers the first such entry). Tables of their own, so that
# PostgreSQL knows how many rows there are when it joins them.
_FRESH = """
CREATE TEMP TABLE fresh ON COMMIT DROP AS
SELECT q.* FROM refused AS r
INNER JOIN events.quarantine_open AS q ON q.file_id = %(file_id)s AND q.line_no = r.line_no;
CREATE INDEX ON pg_temp.fresh (quarantine_id);
ANALYZE fresh
"""
_ABOUT = f"""
CREATE TEMP TABLE about ON COMMIT DROP AS
WITH keyless AS (
    SELECT n.*, row_number() OVER (PARTITION BY n.raw ORDER BY n.quarantine_id) AS place
    FROM fresh AS n
    WHERE {_IS_KEYLESS.format(row="n")} AND NOT EXISTS (SELECT FROM correcting AS c WHERE c.line_no = n.line_no)
),
keyless_before AS (
    SELECT o.*, row_number() OVER (PARTITION BY o.raw ORDER BY o.quarantine_id) AS place
    FROM events.quarantine_open AS o
    WHERE {_IS_KEYLESS.format(row="o")} AND o.file_id <> %(file_id)s
        AND (o.source_system, md5(o.raw)) IN (SELECT n.source_system, md5(n.raw) FROM keyless AS n)
)
SELECT n.quarantine_id AS fresh_id, o.quarantine_id AS before_id, false AS by_number
FROM fresh AS n
INNER JOIN events.quarantine AS o USING (region_code, source_system, family, source_event_key)
WHERE o.file_id <> %(file_id)s
UNION ALL
SELECT n.quarantine_id, a.quarantine_id, true
FROM fresh AS n INNER JOIN answered AS a USING (line_no)
UNION ALL
SELECT n.quarantine_id, o.quarantine_id, false
FROM keyless AS n INNER JOIN keyless_before AS o USING (source_system, family, raw, place);
ANALYZE about
"""
_PAIR = f"""
CREATE TEMP TABLE pair ON COMMIT DROP AS
SELECT p.fresh_id, p.before_id, p.by_number, o.canonical IS NOT NULL AS waits,
    CASE
        WHEN n.canonical IS NOT NULL AND o.canonical IS NOT NULL
            THEN n.canonical ->> 'content_hash' = o.canonical ->> 'content_hash'
        ELSE coalesce(p.by_number AND {_SAID.format(row="n")} = '{{}}'
            OR n.error_codes = o.error_codes AND {_SAID.format(row="n")} = {_SAID.format(row="o")}, false)
    END AS is_same
FROM (SELECT fresh_id, before_id, bool_or(by_number) AS by_number FROM about GROUP BY 1, 2) AS p
INNER JOIN fresh AS n ON n.quarantine_id = p.fresh_id
INNER JOIN events.quarantine_open AS o
    ON o.quarantine_id = p.before_id AND o.source_system = n.source_system AND o.family = n.family
WHERE o.file_id <> n.file_id AND o.quarantine_id < n.quarantine_id;
ANALYZE pair
"""
# When the row says nothing new, the entry stays open and stands for it; otherwise the row stands for the entry. But a
# row that waits is not given up for another under its key: it loads when its original comes, and settles the other.
_SETTLE_RESENT = """
WITH settled AS (
    SELECT p.fresh_id AS quarantine_id, p.before_id AS stands FROM pair AS p WHERE p.is_same
    UNION ALL
    SELECT p.before_id, p.fresh_id FROM pair AS p
    WHERE (p.by_number OR NOT p.waits)
        AND NOT EXISTS (SELECT FROM pair AS s WHERE s.is_same AND s.fresh_id = p.fresh_id)
        AND NOT EXISTS (SELECT FROM pair AS s WHERE s.is_same AND s.before_id = p.before_id)
)
INSERT INTO events.quarantine_resolution
    (quarantine_id, resolution, region_code, resolved_by_quarantine_id, resolved_at)
SELECT DISTINCT ON (s.quarantine_id) s.quarantine_id, 'resent', q.region_code, s.stands, clock_timestamp()
FROM settled AS s
INNER JOIN events.quarantine AS q ON q.quarantine_id = s.quarantine_id
ORDER BY s.quarantine_id, s.stands
ON CONFLICT DO NOTHING
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
ORDER BY q.quarantine_id
ON CONFLICT DO NOTHING
"""
_RECORD_REASONS = """
INSERT INTO events.quarantine_retry (quarantine_id, change_no, error_codes, messages, tried_at)
SELECT q.quarantine_id,
       (SELECT count(*) + 1 FROM events.quarantine_retry AS t WHERE t.quarantine_id = q.quarantine_id),
       r.error_codes, r.messages, clock_timestamp()
FROM refused AS r
INNER JOIN events.quarantine_open AS q ON q.file_id = %(file_id)s AND q.line_no = r.line_no
WHERE (r.error_codes, r.messages) IS DISTINCT FROM (q.error_codes, q.messages)
ORDER BY q.quarantine_id
"""
_REFUSED_REGIONS = "SELECT DISTINCT region_code FROM refused WHERE region_code IS NOT NULL"
# Rows without a key or region have no region's lock to meet under; those of one source system have this.
_LOCK_KEYLESS = """
SELECT pg_advisory_xact_lock(hashtextextended('merged_fund.keyless.' || %(source_system)s, 0))
WHERE EXISTS (SELECT FROM refused AS r WHERE r.region_code IS NULL OR r.source_event_key IS NULL)
"""


def note_answers(cursor: Cursor, answers: Sequence[Answer]) -> None:
    """Remember which entries rows of a file of corrections answer, in temp table `correcting`."""
    if answers:
        cursor.execute(_CORRECTING)
        execute_values(cursor, "INSERT INTO correcting VALUES %s", answers, page_size=500)


def regions_refused(cursor: Cursor) -> list[str]:
    """Regions of the rows of temp table `refused`: to be locked, so that of one row in two files one is open."""
    cursor.execute(_REFUSED_REGIONS)
    return [region for (region,) in cursor.fetchall()]


def lock_keyless(cursor: Cursor, source_system: str) -> None:
    """When `refused` holds rows without a key or region: wait for other files of the source that hold such rows too.

    To be taken last, after the regions' locks, so that no two files wait for each other.
    """
    cursor.execute(_LOCK_KEYLESS, {"source_system": source_system})


def add(cursor: Cursor, file_id: int, family: str, source_system: str) -> int:
    """Record the rows of temp table `refused`; returns how many."""
    cursor.execute(_ADD, {"file_id": file_id, "family": family, "source_system": source_system})
    return int(cursor.rowcount)


def settle(cursor: Cursor, file_id: int, added: Mapping[str, int]) -> int:
    """Resolve what the file settles; returns how many entries.

    By events just added (`added`: where they begin, by region), numbers brought back (`correcting`), rows sent again
    (`refused`).
    """
    cursor.execute(_CORRECTING)
    cursor.execute(_ANSWERED)
    cursor.execute(_ADDED, {"regions": list(added), "first_seqs": list(added.values())})
    settled = 0
    for statement in (_SETTLE, _SETTLE_ANSWERED):
        cursor.execute(statement, {"file_id": file_id})
        settled += int(cursor.rowcount)
    return settled + _settle_resent(cursor, file_id)


def _settle_resent(cursor: Cursor, file_id: int) -> int:
    cursor.execute("SELECT EXISTS (SELECT FROM refused)")
    if cursor.fetchone() != (True,):
        return 0
    for statement in (_FRESH, _ABOUT, _PAIR, _SETTLE_RESENT):
        cursor.execute(statement, {"file_id": file_id})
    return int(cursor.rowcount)


def settle_duplicates(cursor: Cursor, file_id: int) -> int:
    """After a retry: resolve waiting rows of the file that equal an event of the log."""
    cursor.execute(_SETTLE_DUPLICATES, {"file_id": file_id})
    return int(cursor.rowcount)


def record_reasons(cursor: Cursor, file_id: int) -> int:
    """After a retry: record why rows of the file still wait, where that has changed; returns how many."""
    cursor.execute(_RECORD_REASONS, {"file_id": file_id})
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
