"""The log against the heads written outside the database: from where on has history been rewritten, what is cut off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from psycopg2.extensions import cursor as Cursor

from ingestion.heads import Disagreement, Reason
from ingestion.verification.findings import Finding, Kind

_KINDS = {
    Reason.UNREADABLE: Kind.HEADS_FILE,
    Reason.BROKEN: Kind.HEADS_FILE,
    Reason.GONE: Kind.HEAD,
    Reason.DIFFERS: Kind.HEAD,
    Reason.ADDED_DIFFERS: Kind.HEAD_DERIVED,
    Reason.NONE: Kind.NO_HEADS,
}
_END = "SELECT coalesce(max(batch_id), 0), coalesce(max(last_seq), 0) FROM events.batch WHERE region_code = %s"
_BATCH = "SELECT first_seq, encode(batch_hash, 'hex') FROM events.batch WHERE region_code = %s AND batch_id = %s"
_AFTER = "SELECT first_seq FROM events.batch WHERE region_code = %s AND batch_id > %s ORDER BY batch_id LIMIT 1"
_BEFORE = "SELECT max(last_seq) + 1 FROM events.batch WHERE region_code = %s AND batch_id < %s"


def findings(
    cursor: Cursor, region: str, disagreements: Sequence[Disagreement], should_be: Mapping[int, set[bytes]]
) -> Iterator[Finding]:
    """A region's disagreements as findings; `should_be`: batch -> hashes recomputed where the stored ones are wrong.

    Every line after a rewrite disagrees: only the first of a kind is told, but each fault of the file itself. A line
    that agrees with what was recomputed says nothing new.
    """
    cursor.execute(_END, (region,))
    last_batch, last_seq = cursor.fetchone()
    told: set[Kind] = set()
    for found in disagreements:
        kind, first, last = _KINDS[found.reason], found.seq, found.seq
        recomputed = {digest.hex() for digest in should_be.get(found.batch_id or 0, ())}
        if kind in (Kind.HEAD, Kind.HEAD_DERIVED) and recomputed.intersection(found.hashes):
            continue
        if found.reason is Reason.GONE and (found.batch_id or 0) > last_batch:
            kind, first, last = Kind.TRUNCATED, last_seq + 1, max(other.seq or 0 for other in disagreements)
        elif kind in (Kind.HEAD, Kind.HEAD_DERIVED):
            first = _first_seq(cursor, found)
        if kind not in told:
            detail = "" if found.line is None else f"{region}.jsonl:{found.line}"
            yield Finding(region, first, kind, last_seq=last, batch_id=found.batch_id, detail=detail)
        if kind is not Kind.HEADS_FILE:
            told.add(kind)


def _first_seq(cursor: Cursor, found: Disagreement) -> int | None:
    """Where the disagreement begins: at the batch itself if its hash is the line's, else after the last one agreed."""
    cursor.execute(_BATCH, (found.region_code, found.batch_id))
    batch = cursor.fetchone()
    if batch is not None and batch[1] == found.hashes[0] and found.reason is Reason.DIFFERS:
        return int(batch[0])
    query, batch_id = (_BEFORE, found.batch_id) if found.reason is Reason.GONE else (_AFTER, found.agreed)
    cursor.execute(query, (found.region_code, batch_id))
    row = cursor.fetchone()
    return row[0] if row and row[0] else found.seq
