"""The log against the heads written outside the database: from where on has history been rewritten, what is cut off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
_BEGIN = "SELECT first_seq FROM events.batch WHERE region_code = %s AND batch_id > %s ORDER BY batch_id LIMIT 1"


def findings(cursor: Cursor, region: str, disagreements: Sequence[Disagreement]) -> Iterator[Finding]:
    """A region's disagreements as findings.

    Every line after a rewrite disagrees: only the first of a kind is told, but each fault of the file itself.
    """
    cursor.execute(_END, (region,))
    last_batch, last_seq = cursor.fetchone()
    told: set[Kind] = set()
    for found in disagreements:
        kind, first, last = _KINDS[found.reason], found.seq, found.seq
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
    """First seq after the last batch that is still what it was."""
    cursor.execute(_BEGIN, (found.region_code, found.agreed))
    row = cursor.fetchone()
    return row[0] if row else found.seq
