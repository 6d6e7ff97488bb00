"""The gate between build and publication: check every candidate, publish what is green, say why the rest is refused."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from expectations.candidate import read_candidates
from expectations.check import GATE, Candidate
from expectations.document import keep_documents
from expectations.publication import NOT_CHECKED, GateRefusedError, RegionDecision, publish
from expectations.record import record
from expectations.report import explain
from expectations.suites import suites_of
from expectations.validation import CheckResult, GateBrokenError, Run, SuiteRun, Target, open_context, run_suite
from ingestion.database import Connection, connect
from ingestion.schema import check_version
from ingestion.settings import Settings

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext  # type: ignore[attr-defined]

__all__ = ["GateBrokenError", "GateRefusedError", "RegionDecision", "RegionVerdict", "check", "explain", "publish"]


_LOG = logging.getLogger(__name__)

# Checks compare the candidate with the published books: no head may move between the first query and the last.
# Held to the end of the session; any number of checks may share it, a publisher waits for them.
_HOLD_HEADS = "select pg_advisory_lock_shared(hashtextextended('merged_fund.publish', 0))"


@dataclass(frozen=True)
class RegionVerdict:
    """What the checks said of one region's candidate. Green: no check of severity `fail` has failed.

    `warned_checks` have warnings that no decision accepts, `accepted_checks` have none but accepted ones.
    """

    region_code: str
    head_seq: int
    green: bool
    failed_checks: tuple[str, ...]
    warned_checks: tuple[str, ...]
    results: tuple[CheckResult, ...]
    accepted_checks: tuple[str, ...] = ()


def check(run_id: str, settings: Settings | None = None) -> list[RegionVerdict]:
    """Run every check on every region's candidate and record all results; `publish` refuses the red ones.

    Reads as role fund_quality. The results of a region are committed together, before the next region is looked at.
    """
    settings = settings or Settings.from_env()
    with closing(connect(autocommit=True, settings=settings)) as connection:
        check_version(connection)
    with closing(connect("fund_quality", settings=settings)) as connection:
        with connection.cursor() as cursor:
            cursor.execute(_HOLD_HEADS)
        connection.commit()
        candidates = read_candidates(connection, settings)
        connection.commit()
        if not candidates:
            return []
        context = open_context(settings.database_url)
        run = Run(run_id, datetime.now(UTC))
        return [_check_region(context, connection, run, candidate) for candidate in candidates]


def _check_region(
    context: EphemeralDataContext, connection: Connection, run: Run, candidate: Candidate
) -> RegionVerdict:
    """Check and record one region. What breaks here leaves the region without results, so that it alone is refused."""
    try:
        runs = [
            run_suite(context, connection, suite, Target(run, candidate, checks))
            for suite, checks in suites_of(GATE).items()
        ]
        results = [result for each in runs for result in each.results]
        connection.commit()
        results = record(connection, run.run_id, candidate, results)
    except Exception:
        _LOG.exception("the gate could not check %s", candidate.region_code)
        connection.rollback()
        return RegionVerdict(candidate.region_code, candidate.head_seq, False, (NOT_CHECKED,), (), ())
    _keep_documents(connection, run, candidate, runs)
    return verdict_of(candidate, results)


def _keep_documents(connection: Connection, run: Run, candidate: Candidate, runs: Sequence[SuiteRun]) -> None:
    """For the technical pages. The verdict has been recorded, and stands whether they can be made or not."""
    try:
        keep_documents(connection, run.run_id, candidate, runs)
    except Exception:
        _LOG.exception("what Great Expectations returned on %s could not be kept", candidate.region_code)
        connection.rollback()


def verdict_of(candidate: Candidate, results: Sequence[CheckResult]) -> RegionVerdict:
    """Reduce the results of one candidate to its verdict."""
    red = tuple(result.check.code for result in results if not result.success and result.severity == "fail")
    warned = [result for result in results if not result.success and result.severity == "warn"]
    yellow = tuple(result.check.code for result in warned if not result.is_accepted)
    accepted = tuple(result.check.code for result in warned if result.is_accepted)
    return RegionVerdict(candidate.region_code, candidate.head_seq, not red, red, yellow, tuple(results), accepted)
