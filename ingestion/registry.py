"""Bookkeeping of files: what was seen, what was decided."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from psycopg2.extensions import cursor as Cursor

from ingestion.contracts import FAMILIES
from ingestion.landed import Named, Shape
from ingestion.readers import READER_VERSION

_SIGHT = """
INSERT INTO events.landing_sighting AS s
    (source_system, file_name, size_bytes, modified_ns, sha256, first_seen_at, seen_at)
VALUES (%(source)s, %(name)s, %(size)s, %(modified)s, %(sha256)s, clock_timestamp(), clock_timestamp())
ON CONFLICT (source_system, file_name) DO UPDATE
SET size_bytes = excluded.size_bytes, modified_ns = excluded.modified_ns, sha256 = excluded.sha256,
    seen_at = excluded.seen_at
"""
_OUTCOME = """
SELECT r.file_id, o.state, o.reader_key, o.rows, o.loaded, o.duplicate, o.quarantined, o.error_code, o.attempt_no
FROM events.file_registry AS r
INNER JOIN events.file_outcome AS o USING (file_id)
WHERE r.source_system = %s AND r.file_name = %s AND r.sha256 = %s
ORDER BY o.attempt_no DESC LIMIT 1
"""
_REGISTER = """
INSERT INTO events.file_registry (source_system, file_name, sha256, size_bytes, first_seen_at)
SELECT %(source)s, %(name)s, %(sha256)s, %(size)s,
       coalesce((SELECT s.first_seen_at FROM events.landing_sighting AS s
                 WHERE s.source_system = %(source)s AND s.file_name = %(name)s AND s.sha256 = %(sha256)s),
                clock_timestamp())
WHERE NOT EXISTS (SELECT FROM events.file_registry
                  WHERE source_system = %(source)s AND file_name = %(name)s AND sha256 = %(sha256)s)
"""
_DECIDE = """
INSERT INTO events.file_outcome
    (file_id, attempt_no, state, error_code, error_message, family, rows, loaded, duplicate, quarantined, declared_rows,
     reader_key, duplicate_of, finished_at)
VALUES (%(file_id)s, (SELECT coalesce(max(attempt_no), 0) + 1 FROM events.file_outcome WHERE file_id = %(file_id)s),
        %(state)s, %(error_code)s, %(error_message)s, %(family)s, %(rows)s, %(loaded)s, %(duplicate)s, %(quarantined)s,
        %(declared_rows)s, %(reader_key)s, %(duplicate_of)s, clock_timestamp())
"""


@dataclass(frozen=True)
class FileOf:
    """A file by name and content; `shape` is what it looked like before its bytes were hashed."""

    source_system: str
    file_name: str
    sha256: str
    shape: Shape


@dataclass(frozen=True)
class Outcome:
    """What was decided on a file; counts as of its first run."""

    state: str
    family: str | None = None
    rows: int = 0
    loaded: int = 0
    duplicate: int = 0
    quarantined: int = 0
    error_code: str | None = None
    error_message: str | None = None
    declared_rows: int | None = None
    duplicate_of: int | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Decided:
    """A recorded outcome, and by which reading it came about."""

    file_id: int
    outcome: Outcome
    reader_key: str

    def stands(self, reader_key: str) -> bool:
        """A rejection is reconsidered when profile, manifest or reader have changed; everything else is final."""
        return self.outcome.state != "rejected" or self.reader_key == reader_key


def reader_key(profile: bytes | None, manifest: bytes | None) -> str:
    """Names everything beside the file's bytes that decides how it is read, the published columns included."""
    published = ",".join(name for family in FAMILIES.values() for name in family.allowed_names)
    told = ("none" if content is None else hashlib.sha256(content).hexdigest() for content in (profile, manifest))
    return hashlib.sha256("|".join([READER_VERSION, published, *told]).encode()).hexdigest()


def sightings(cursor: Cursor) -> dict[tuple[str, str], tuple[Shape, str | None]]:
    """What the landing folders showed last: (source, name) -> shape and sha256."""
    cursor.execute("SELECT source_system, file_name, size_bytes, modified_ns, sha256 FROM events.landing_sighting")
    return {
        (source, name): (Shape(size, modified), digest) for source, name, size, modified, digest in cursor.fetchall()
    }


def sight(cursor: Cursor, landed: Named, shape: Shape, sha256: str | None) -> None:
    """Remember what a folder shows; without sha256 the file is still being written."""
    values = {
        "source": landed.source_system,
        "name": landed.file_name,
        "size": shape.size_bytes,
        "modified": shape.modified_ns,
    }
    cursor.execute(_SIGHT, values | {"sha256": sha256})


def forget(cursor: Cursor, source_system: str, file_name: str) -> None:
    """Drop the sighting of a file that is gone."""
    cursor.execute(
        "DELETE FROM events.landing_sighting WHERE source_system = %s AND file_name = %s", (source_system, file_name)
    )


def lock(cursor: Cursor, file: FileOf) -> None:
    """One process at a time decides on a content of a source system."""
    cursor.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('merged_fund.file.' || %s || '/' || %s, 0))",
        (file.source_system, file.sha256),
    )


def decided(cursor: Cursor, file: FileOf) -> Decided | None:
    """The newest decision on a file."""
    cursor.execute(_OUTCOME, (file.source_system, file.file_name, file.sha256))
    row = cursor.fetchone()
    if row is None:
        return None
    file_id, state, key, rows, loaded, duplicate, quarantined, error_code, _ = row
    counts = {"rows": rows, "loaded": loaded, "duplicate": duplicate, "quarantined": quarantined}
    return Decided(file_id, Outcome(state, error_code=error_code, **counts), key)


def final(cursor: Cursor) -> set[tuple[str, str, str]]:
    """(source, name, sha256) of all files that are decided for good: everything but rejections."""
    cursor.execute(
        "SELECT r.source_system, r.file_name, r.sha256 FROM events.file_registry AS r"
        " INNER JOIN events.file_outcome AS o USING (file_id) WHERE o.state <> 'rejected'"
    )
    return set(cursor.fetchall())


def same_content(cursor: Cursor, file: FileOf) -> int | None:
    """The loaded file of the same source with the same bytes under another name."""
    cursor.execute(
        "SELECT r.file_id FROM events.file_registry AS r INNER JOIN events.file_outcome AS o USING (file_id)"
        " WHERE r.source_system = %s AND r.sha256 = %s AND r.file_name <> %s AND o.state = 'loaded'"
        " ORDER BY r.file_id LIMIT 1",
        (file.source_system, file.sha256, file.file_name),
    )
    row = cursor.fetchone()
    return row[0] if row else None


def register(cursor: Cursor, file: FileOf) -> int:
    """The file's number, given on first sight."""
    values = {
        "source": file.source_system,
        "name": file.file_name,
        "sha256": file.sha256,
        "size": file.shape.size_bytes,
    }
    cursor.execute(_REGISTER, values)
    cursor.execute(
        "SELECT file_id FROM events.file_registry"
        " WHERE source_system = %(source)s AND file_name = %(name)s AND sha256 = %(sha256)s",
        values,
    )
    (file_id,) = cursor.fetchone()
    return int(file_id)


def decide(cursor: Cursor, file_id: int, outcome: Outcome, key: str) -> None:
    """Record a decision."""
    assert outcome.rows == outcome.loaded + outcome.duplicate + outcome.quarantined, outcome
    cursor.execute(_DECIDE, {"file_id": file_id, "reader_key": key} | vars(outcome))
