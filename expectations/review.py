"""The review of what is published: is the policy carried out, do claims look as they should.

Suites `policy` and `monitoring`. It publishes, freezes and refuses nothing. What it finds is recorded as warnings with
an owner; what could not be run is recorded too, and told at the end, after all other checks of all regions.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from expectations.audit.sessions import snapshot, snapshot_name
from expectations.candidate import read_candidates
from expectations.check import REVIEW, Candidate, Check
from expectations.gate import RegionVerdict, verdict_of
from expectations.record import record
from expectations.report import explain
from expectations.suites import suites_of
from expectations.validation import ROLE, CheckResult, Run, Target, open_context, run_suite
from ingestion.database import Connection, connect
from ingestion.schema import check_version
from ingestion.settings import Settings

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext  # type: ignore[attr-defined]

__all__ = ["ReviewError", "review"]

_LOG = logging.getLogger(__name__)

_HEAD = """
    select batch_id from ledger.built_head where region_code = %s and seq = %s order by batch_id desc limit 1
"""


class ReviewError(RuntimeError):
    """A check of the review, or a region, could not be run; says which. What could be run is on record."""


def review(run_id: str, settings: Settings | None = None) -> list[RegionVerdict]:
    """Make the checks of the review on the published books of every region and record what they find.

    All checks read one snapshot, so that publication neither waits nor disturbs. ReviewError after the last region when
    something could not be run; findings are no error.
    """
    settings = settings or Settings.from_env()
    with closing(connect(autocommit=True, settings=settings)) as connection:
        check_version(connection)
    suites = suites_of(REVIEW)
    verdicts, broken = [], []
    with snapshot(settings) as seen, closing(connect(ROLE, settings=settings)) as writing:
        candidates = [as_published(seen, one) for one in read_candidates(seen, settings) if one.published_seq]
        run, name = Run(run_id, datetime.now(UTC)), snapshot_name(seen)
        for candidate in candidates:
            try:
                context = open_context(settings.database_url, name, _session(candidate))
                results = list(_results(context, seen, suites, Target(run, candidate, ())))
                results = record(writing, run_id, candidate, results)
            except Exception:
                _LOG.exception("the review could not be made of %s", candidate.region_code)
                writing.rollback()
                broken.append(candidate.region_code)
                continue
            verdicts.append(verdict_of(candidate, results))
    broken += [f"{one.region_code} {code}" for one in verdicts for code in unable(one)]
    if broken:
        raise ReviewError(_said(run_id, settings, broken))
    return verdicts


def as_published(connection: Connection, candidate: Candidate) -> Candidate:
    """The region as the review looks at it: all that is published, from its first event on."""
    with connection.cursor() as cursor:
        cursor.execute(_HEAD, (candidate.region_code, candidate.published_seq))
        (batch_id,) = cursor.fetchone() or (candidate.head_batch_id,)
    return replace(
        candidate,
        head_seq=candidate.published_seq,
        head_batch_id=batch_id,
        published_seq=0,
        window_after_seq=0,
        scope=REVIEW,
    )


def unable(verdict: RegionVerdict) -> list[str]:
    """Codes of the checks that could not be run."""
    return [result.check.code for result in verdict.results if not result.could_run]


def _session(candidate: Candidate) -> str:
    """Settings for queries over a whole region: it alone, and memory for it."""
    return f"-c merged_fund.region={candidate.region_code} -c work_mem=128MB"


def _results(
    context: EphemeralDataContext, connection: Connection, suites: Mapping[str, tuple[Check, ...]], target: Target
) -> Iterator[CheckResult]:
    """A suite at a time; a check that raises is a result like others, and the next is made all the same."""
    for suite, checks in suites.items():
        yield from run_suite(context, connection, suite, replace(target, checks=checks)).results


def _said(run_id: str, settings: Settings, broken: list[str]) -> str:
    return f"{explain(run_id, settings, REVIEW)}\n未能执行 / could not be run: {', '.join(broken)}"
