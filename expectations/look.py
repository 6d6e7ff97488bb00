"""A look at freshness between gate and audit: who has gone silent, and what is late in being published (F01, F02)."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

from expectations.candidate import read_candidates
from expectations.check import LOOK
from expectations.gate import RegionVerdict, verdict_of
from expectations.record import record
from expectations.report import explain
from expectations.suites import suites_of
from expectations.validation import Run, Target, open_context, run_suite
from ingestion.database import connect
from ingestion.schema import check_version
from ingestion.settings import Settings


class LookError(RuntimeError):
    """A source is silent, or publication or the nightly audit is late beyond its deadline; says which."""


def look(run_id: str, settings: Settings | None = None) -> list[RegionVerdict]:
    """Make the checks of freshness on every region and record them; publishes and freezes nothing.

    LookError when one of severity `fail` failed.
    """
    settings = settings or Settings.from_env()
    with closing(connect(autocommit=True, settings=settings)) as connection:
        check_version(connection)
    verdicts = []
    with closing(connect("fund_quality", settings=settings)) as connection:
        candidates = [replace(one, scope=LOOK) for one in read_candidates(connection, settings)]
        connection.commit()
        context = open_context(settings.database_url) if candidates else None
        run = Run(run_id, datetime.now(UTC))
        for candidate in candidates:
            assert context is not None
            results = [
                result
                for suite, checks in suites_of(LOOK).items()
                for result in run_suite(context, connection, suite, Target(run, candidate, checks)).results
            ]
            connection.commit()
            results = record(connection, run_id, candidate, results)
            verdicts.append(verdict_of(candidate, results))
    if not all(verdict.green for verdict in verdicts):
        raise LookError(explain(run_id, settings, LOOK))
    return verdicts
