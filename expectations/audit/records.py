"""What the parts of an audit leave behind for its checks to judge; rows are only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from typing import Literal

from expectations.audit.journals import ClosedJournal
from ingestion.database import Connection, connect
from ingestion.settings import Settings
from ingestion.verification import RegionReport
from ingestion.verification.findings import Finding, Kind

Part = Literal["log", "rebuilt", "checks", "audit"]
Outcome = Literal["green", "red", "broken"]
ROLE = "fund_quality"

# Findings on the contents of single events; all others are about the chain, the heads and the guards.
_OF_CONTENTS = frozenset({Kind.CONTENT, Kind.CONTENT_HASH, Kind.DERIVED_COLUMNS, Kind.STRAY, Kind.FAMILY, Kind.DERIVED})

_STEP = "insert into quality.audit_step (run_id, part, outcome, detail, started_at) values (%s, %s, %s, %s, %s)"
_VERIFIED = """
    insert into quality.log_verification (run_id, region_code, events, batches, found, duration_ms)
    values (%s, %s, %s, %s, %s, %s)
"""
_FINDING = """
    insert into quality.log_finding (run_id, region_code, finding_no, code, kind, reason, first_seq, last_seq, batch_id,
        detail)
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_JOURNAL = """
    insert into quality.closed_journal (run_id, region_code, accounting_month, figures_seq, journal_sha256)
    values (%s, %s, %s, %s, %s)
"""


def record_step(
    run_id: str, part: Part, outcome: Outcome, detail: str | None, began: datetime, settings: Settings
) -> None:
    """Write that a part of an audit has come to its end."""
    with closing(connect(ROLE, settings=settings)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(_STEP, (run_id, part, outcome, detail, began))


def record_log(run_id: str, reports: Sequence[RegionReport], settings: Settings) -> None:
    """Write what was verified of the log and what was found, in one transaction."""
    with closing(connect(ROLE, settings=settings)) as connection, connection, connection.cursor() as cursor:
        for report in reports:
            counts = (report.events, report.batches, report.found, round(report.seconds * 1000))
            cursor.execute(_VERIFIED, (run_id, report.region_code, *counts))
            for number, finding in enumerate(report.findings, 1):
                cursor.execute(_FINDING, (run_id, report.region_code, number, *_row(finding)))


def record_journals(run_id: str, journals: Sequence[ClosedJournal], settings: Settings) -> None:
    """Write the hashes of the journals of closed months, in one transaction."""
    with closing(connect(ROLE, settings=settings)) as connection, connection, connection.cursor() as cursor:
        for one in journals:
            cursor.execute(_JOURNAL, (run_id, one.region_code, one.accounting_month, one.figures_seq, one.sha256))


def steps(connection: Connection, run_id: str) -> dict[str, tuple[str, str | None]]:
    """Newest outcome and detail of each part of a run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select distinct on (part) part, outcome, detail from quality.audit_step where run_id = %s"
            " order by part, ended_at desc",
            (run_id,),
        )
        return {part: (outcome, detail) for part, outcome, detail in cursor.fetchall()}


def _row(finding: Finding) -> tuple[object, ...]:
    code, zh, en = finding.kind.value
    of = "H02" if finding.kind in _OF_CONTENTS else "H01"
    last = finding.last_seq if finding.last_seq is not None else finding.seq
    return of, code, f"{zh} / {en}", finding.seq, last, finding.batch_id, finding.detail or None
