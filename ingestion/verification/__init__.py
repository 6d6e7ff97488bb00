"""Verification of the log: everything is recomputed from the stored columns and compared with the heads kept outside.

In bounded memory: a chunk of events at a time, while PostgreSQL sends the next. One snapshot for all of it, so that
files may be taken in meanwhile. Reads only.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor as Cursor

from ingestion import heads
from ingestion.ahead import ahead
from ingestion.database import connect
from ingestion.settings import Settings
from ingestion.verification import outside
from ingestion.verification.findings import Finding, Kind, in_order
from ingestion.verification.locating import located
from ingestion.verification.reading import CHUNK_ROWS, Log
from ingestion.verification.region import RegionCheck

_LOG = logging.getLogger(__name__)
_PROGRESS_EVERY_S = 5.0
_GUARDED = ("events.event", "events.batch", "events.file_registry")
# Attached to the books by the models that make them (events.guard_books).
_SIGNED = (
    "close_request",
    "checklist_item",
    "draft_report",
    "decision",
    "closing_figures",
    "signed_report",
    "signed_file",
    "voucher_review",
)
_BOOK_GUARDS = (
    ("ledger.journal_line", "append_only"),
    ("ledger.journal_line", "closed_month"),
    ("ledger.account_turnover", "append_only"),
    ("ledger.account_turnover", "closed_month"),
    ("ledger.voucher", "append_only"),
    ("ledger.voucher", "closed_month"),
    ("ledger.voucher", "voucher_numbers"),
    ("ledger.built_head", "append_only"),
    ("ledger.personal_account_turnover", "append_only"),
    ("ledger.contribution_turnover", "append_only"),
    ("ledger.assessed_contribution", "append_only"),
    ("ledger.institution_turnover", "append_only"),
    ("ledger.institution_settled", "append_only"),
    ("ledger.claim_turnover", "append_only"),
    ("ledger.claim_unpaid", "append_only"),
    ("ledger.awaited_reference", "append_only"),
    ("ledger.enrollment_spell", "append_only"),
    ("ledger.enrollment_coverage", "append_only"),
    ("ledger.insured_turnover", "append_only"),
    ("ledger.employer_base_turnover", "append_only"),
    ("ledger.maternity_source_turnover", "append_only"),
    ("ledger.settlement_turnover", "append_only"),
    *((f"signoff.{table}", "append_only") for table in _SIGNED),
    ("signoff.voucher_review", "fill_review"),
)
_GUARDS = """
SELECT r.name, 'primary key' FROM unnest(%(guarded)s) AS r (name)
WHERE NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = r.name::regclass AND i.indisprimary AND i.indisvalid)
UNION ALL
SELECT r.name, r.guard
FROM (
    SELECT g.name, 'append_only' FROM unnest(%(guarded)s) AS g (name)
    UNION ALL
    SELECT 'events.batch', 'is_complete'
    UNION ALL
    SELECT b.name, b.guard FROM unnest(%(books)s, %(book_guards)s) AS b (name, guard)
    WHERE to_regclass(b.name) IS NOT NULL
) AS r (name, guard)
WHERE NOT EXISTS (
    SELECT FROM pg_trigger AS t WHERE t.tgrelid = r.name::regclass AND t.tgname = r.guard AND t.tgenabled = 'A')
ORDER BY 1, 2
"""


class UnknownRegionError(ValueError):
    """There is nothing to verify of a region that was asked for."""


@dataclass(frozen=True)
class RegionReport:
    """What was read of a region and what is wrong with it: the first findings by seq, and how many there are."""

    region_code: str
    events: int
    batches: int
    uncovered_batches: int  # from before the derived hash was kept: what acceptance added to them is not covered
    findings: Sequence[Finding]
    found: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """For the command's result."""
        return {
            "region_code": self.region_code,
            "events": self.events,
            "batches": self.batches,
            "uncovered_batches": self.uncovered_batches,
            "first_bad_seq": next((finding.seq for finding in self.findings if finding.seq is not None), None),
            "found": self.found,
            "findings": [finding.as_json() for finding in self.findings],
            "seconds": round(self.seconds, 3),
        }


def verify(
    regions: Sequence[str] | None = None, settings: Settings | None = None, chunk_rows: int = CHUNK_ROWS
) -> list[RegionReport]:
    """Verify these regions, by default all that the log or the heads outside know; one report a region, by code.

    Memory grows with `chunk_rows`, not with the log. Findings that belong to no region are told under region `-`.
    UnknownRegionError when a region is in neither.
    """
    settings = settings or Settings.from_env()
    with closing(connect("auditor", settings=settings)) as connection, connection.cursor() as cursor:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        return verify_snapshot(cursor, settings, regions, chunk_rows)


def verify_snapshot(
    cursor: Cursor, settings: Settings, regions: Sequence[str] | None = None, chunk_rows: int = CHUNK_ROWS
) -> list[RegionReport]:
    """`verify` of what the cursor's transaction sees; its session must be one of `ingestion.database.connect`."""
    disagreements = heads.disagreements(cursor, settings)
    log = Log(cursor, chunk_rows)
    known = sorted({*log.regions(), *(found.region_code for found in disagreements)})
    if unknown := sorted(set(regions or ()).difference(known)):
        raise UnknownRegionError(f"neither the log nor the heads outside know region {', '.join(unknown)}")
    reports = [_verify_region(cursor, log, region, disagreements) for region in regions or known]
    general = _general(cursor, settings)
    return reports + ([RegionReport("-", 0, 0, 0, general, len(general), 0.0)] if general else [])


def verify_stored(cursor: Cursor, chunk_rows: int = CHUNK_ROWS) -> list[RegionReport]:
    """`verify_snapshot` of all regions without the heads kept outside."""
    log = Log(cursor, chunk_rows)
    return [_verify_region(cursor, log, region, ()) for region in log.regions()]


def _verify_region(cursor: Cursor, log: Log, region: str, disagreements: Sequence[heads.Disagreement]) -> RegionReport:
    check, began = RegionCheck(region), time.monotonic()
    told = began
    for chunk in ahead(log.chunks(region)):
        check.take(chunk)
        if time.monotonic() - told > _PROGRESS_EVERY_S:
            told = time.monotonic()
            _say(check, told - began)
    check.finish()
    seconds = time.monotonic() - began
    _say(check, seconds)
    own = [found for found in disagreements if found.region_code == region]
    for finding in outside.findings(cursor, region, own, check.chain.should_be):
        check.findings.note(finding)
    findings = in_order(located(cursor, check.findings.first()))
    counts = (check.events, check.batches, check.chain.uncovered)
    return RegionReport(region, *counts, findings, check.findings.count, seconds)


def _general(cursor: Cursor, settings: Settings) -> list[Finding]:
    """What is wrong with the log as a whole."""
    foreign = [Finding("-", None, Kind.NO_HEADS, detail=text) for text in heads.foreign_heads(cursor, settings)]
    books, book_guards = (list(names) for names in zip(*_BOOK_GUARDS, strict=True))
    cursor.execute(_GUARDS, {"guarded": list(_GUARDED), "books": books, "book_guards": book_guards})
    return foreign + [Finding("-", None, Kind.GUARD, detail=f"{table}: {guard}") for table, guard in cursor.fetchall()]


def _say(check: RegionCheck, seconds: float) -> None:
    speed = check.events / seconds if seconds else 0.0
    _LOG.info(
        "%s: %s 个事件 / events, %s 批 / batches, %s 事件每秒 / events/s, %s 处异常 / findings",
        check.findings.region_code,
        f"{check.events:,}",
        f"{check.batches:,}",
        f"{speed:,.0f}",
        check.findings.count,
    )
