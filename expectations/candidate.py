"""Which regions have a candidate, and what its bounds are. Reads only."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from expectations.check import AUDIT, Candidate, RecordedHead
from ingestion.database import Connection
from ingestion.heads import whole_lines
from ingestion.settings import Settings

_CANDIDATES = """
    select built.region_code, built.seq, built.batch_id, coalesce(published.seq, 0), published.published_at,
        coalesce((
            select max(earlier.seq) from ledger.publication as earlier
            where earlier.region_code = built.region_code and earlier.seq < (
                select max(batch.last_seq) from events.batch as batch
                where batch.region_code = built.region_code and batch.file_id is not null
            )
        ), 0)
    from (
        select distinct on (region_code) region_code, seq, batch_id from ledger.built_head order by region_code,
            seq desc
    ) as built
    left join (
        select distinct on (region_code) region_code, seq, published_at
        from ledger.publication order by region_code, seq desc, published_at desc
    ) as published using (region_code)
    order by built.region_code
"""

# No source has sent anything since the publication: neither a batch nor a row set aside. What the pipeline itself has
# written, such as the close of a month, brings no rows that could be compared with those set aside.
_QUIET = """
    select not exists (
        select from events.quarantine where region_code = %(region)s and quarantined_at > %(published_at)s
    ) and not exists (
        select from events.batch
        where region_code = %(region)s and last_seq > %(published_seq)s and file_id is not null
    )
"""


def read_candidates(connection: Connection, settings: Settings) -> list[Candidate]:
    """Candidates of all regions whose ledger has been built, by region code.

    The window of C05 begins at the published head. When nothing has been recorded since,
        it is that of the last publication that brought rows:
    what was accepted then must not be refused for having been published.
    """
    with connection.cursor() as cursor:
        cursor.execute("select log_id::text from events.log_identity")
        (log_id,) = cursor.fetchone() or ("",)
        cursor.execute(_CANDIDATES)
        return [
            _candidate(connection, row, settings.heads_dir / log_id, settings.business_date)
            for row in cursor.fetchall()
        ]


def over_all_history(candidate: Candidate, run_id: str) -> Candidate:
    """The same region as the nightly audit looks at it: from its first event on, as if nothing were published."""
    return replace(candidate, published_seq=0, published_at=None, window_after_seq=0, scope=AUDIT, run_id=run_id)


def _candidate(
    connection: Connection, row: tuple[str, int, int, int, datetime | None, int], heads: Path, business_date: date
) -> Candidate:
    region, head_seq, batch_id, published_seq, published_at, seq_before = row
    recorded, note = recorded_head(heads / f"{region}.jsonl", batch_id)
    quiet = published_at is not None and _is_quiet(connection, region, published_seq, published_at)
    return Candidate(
        region_code=region,
        published_seq=published_seq,
        head_seq=head_seq,
        head_batch_id=batch_id,
        published_at=published_at,
        window_after_seq=seq_before if quiet else published_seq,
        business_date=business_date,
        recorded_head=recorded,
        heads_note=note,
    )


def _is_quiet(connection: Connection, region: str, published_seq: int, published_at: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_QUIET, {"region": region, "published_seq": published_seq, "published_at": published_at})
        return bool((cursor.fetchone() or (False,))[0])


def recorded_head(path: Path, built_batch_id: int) -> tuple[RecordedHead | None, str]:
    """Newest head in a region's file outside the database, and a note when the file is missing, broken or behind.

    A line that does not continue the line before it makes the file worthless as evidence: reported as a head with
    hash zero, which no batch has, so that check H01 fails.
    """
    if not path.is_file():
        return None, f"本机没有链头文件 / no heads file on this machine: {path.name}"
    before: str | None = None
    newest: RecordedHead | None = None
    for number, text in enumerate(whole_lines(path), start=1):
        try:
            line = json.loads(text)
            head = RecordedHead(int(line["batch_id"]), int(line["seq"]), str(line["batch_hash"]).removeprefix("\\x"))
            follows = line.get("previous_batch_hash") in (before, None if before is None else f"\\x{before}")
        except (ValueError, KeyError, TypeError):
            return _broken(
                newest
            ), f"链头文件第 {number} 行无法读懂 / line {number} of the heads file cannot be read: {path.name}"
        if newest is not None and not follows:
            return _broken(
                newest
            ), f"链头文件第 {number} 行不衔接 / line {number} of the heads file does not follow: {path.name}"
        before, newest = head.batch_hash, head
    if newest is None or newest.batch_id < built_batch_id:
        return newest, f"链头文件落后于账簿 / the heads file is behind the ledger: {path.name}"
    return newest, ""


def _broken(newest: RecordedHead | None) -> RecordedHead:
    return RecordedHead(newest.batch_id if newest else 0, newest.seq if newest else 0, "0" * 64)
