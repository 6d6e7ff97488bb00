"""Looking closer at what was found: which events of a batch, and from which file and line."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from psycopg2.extensions import cursor as Cursor

from ingestion.verification.findings import Finding, Kind

_LINES_MAX = 500_000  # of a batch looked at for events out of order, to keep memory bounded
_TOLD_MAX = 20  # events told of one batch
_LINES = """
SELECT seq, line_no FROM events.event WHERE region_code = %s AND seq BETWEEN %s AND %s ORDER BY seq LIMIT %s
"""
_ORIGINALS = """
SELECT e.seq
FROM events.event AS e
LEFT JOIN events.event AS o ON o.region_code = e.region_code AND o.seq = e.original_seq
WHERE e.region_code = %s AND e.seq BETWEEN %s AND %s AND e.original_seq IS NOT NULL
    AND (o.source_system, o.source_event_key)
        IS DISTINCT FROM (coalesce(e.original_source_system, e.source_system), e.original_event_key)
ORDER BY e.seq LIMIT %s
"""
# Of the batch in whose range the event lies, not of the one that it names: that may be forged.
_ORIGIN = """
SELECT f.source_system || '/' || f.file_name, e.line_no
FROM (VALUES (%(region)s::text, %(seq)s::bigint)) AS at (region_code, seq)
LEFT JOIN events.event AS e USING (region_code, seq)
LEFT JOIN LATERAL (
    SELECT b.file_id FROM events.batch AS b
    WHERE b.region_code = at.region_code AND b.first_seq <= at.seq AND b.last_seq >= at.seq
    ORDER BY b.first_seq DESC LIMIT 1
) AS b ON true
LEFT JOIN events.file_registry AS f USING (file_id)
LIMIT 1
"""


def located(cursor: Cursor, findings: Iterable[Finding]) -> list[Finding]:
    """The findings, those of a whole batch at its events where these can be told, each with file and line."""
    found = list(findings)
    foreign = [(finding.seq or 0, finding.last_seq or 0) for finding in found if finding.kind is Kind.BATCH_ID]
    closer = [event for finding in found for event in _closer(cursor, finding, foreign)]
    return [_with_origin(cursor, finding) for finding in closer]


def out_of_order(lines: Sequence[int]) -> list[int]:
    """Positions without which the others ascend: those that are not in every longest ascending selection.

    An event that was moved or renumbered so that the lines no longer ascend is among them; another one only if
    it might as well have been that.
    """
    before = _lengths(lines)
    after = _lengths([-line for line in reversed(lines)])[::-1]
    longest = max(before, default=0)
    in_some = [position for position in range(len(lines)) if before[position] + after[position] == longest + 1]
    alike = Counter(before[position] for position in in_some)
    in_every = {position for position in in_some if alike[before[position]] == 1}
    return [position for position in range(len(lines)) if position not in in_every]


def _lengths(lines: Sequence[int]) -> list[int]:
    """How long the longest ascending selection is that ends at each position."""
    ends: list[int] = []  # the smallest last element of a selection of each length
    lengths = []
    for line in lines:
        reached = bisect_left(ends, line)
        ends[reached : reached + 1] = [line]
        lengths.append(reached + 1)
    return lengths


def _closer(cursor: Cursor, finding: Finding, foreign: Sequence[tuple[int, int]]) -> Iterator[Finding]:
    if finding.kind is Kind.BATCH:
        found, kind = _lines_out_of_order(cursor, finding, foreign), Kind.LINE_NO
    elif finding.kind is Kind.DERIVED:
        found, kind = _wrong_originals(cursor, finding), Kind.ORIGINAL_SEQ
    else:
        found, kind = [], finding.kind
    if not found:
        yield finding
    for first, last in found[:_TOLD_MAX]:
        yield replace(finding, seq=first, last_seq=last, kind=kind)


def _lines_out_of_order(cursor: Cursor, finding: Finding, foreign: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Events whose lines do not ascend, in runs, apart from those that do not belong to the batch anyway."""
    cursor.execute(_LINES, (finding.region_code, finding.seq, finding.last_seq, _LINES_MAX))
    rows = [row for row in cursor.fetchall() if not any(first <= row[0] <= last for first, last in foreign)]
    runs: list[tuple[int, int]] = []
    for seq in (rows[position][0] for position in out_of_order([line for _, line in rows])):
        begins = runs.pop()[0] if runs and runs[-1][1] == seq - 1 else seq
        runs.append((begins, seq))
    return runs


def _wrong_originals(cursor: Cursor, finding: Finding) -> list[tuple[int, int]]:
    cursor.execute(_ORIGINALS, (finding.region_code, finding.seq, finding.last_seq, _TOLD_MAX))
    return [(seq, seq) for (seq,) in cursor.fetchall()]


def _with_origin(cursor: Cursor, finding: Finding) -> Finding:
    if finding.seq is None:
        return finding
    cursor.execute(_ORIGIN, {"region": finding.region_code, "seq": finding.seq})
    file, line_no = cursor.fetchone()
    return replace(finding, file=file, line_no=line_no)
