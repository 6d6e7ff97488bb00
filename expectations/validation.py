"""Runs the suites with Great Expectations: suites as code in an ephemeral context, one validation a suite and region.

Great Expectations decides: a result here carries its verdict as it is, and an expectation that raised counts as failed.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from expectations.check import NOTHING_EXAMINED, Candidate, Check, Severity, listing_query
from expectations.document import document_of
from ingestion.database import Connection

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext  # type: ignore[attr-defined]

_LOG = logging.getLogger(__name__)

ROLE = "fund_quality"
SESSION = f"-c role={ROLE} -c timezone=UTC -c default_transaction_read_only=on -c search_path=pg_catalog -c jit=off"


RAISED = "exception"


@dataclass(frozen=True)
class CheckResult:
    """Verdict of Great Expectations on one check of one candidate; `rows` are the listed offending rows.

    `accepted_count` and `accepted_amount` are those of the rows that a decision in force accepts.
    """

    suite: str
    check: Check
    severity: Severity
    success: bool
    rows_examined: int
    unexpected_count: int
    unexpected_amount: Decimal | None
    rows: tuple[dict[str, Any], ...]
    started_at: datetime
    duration_ms: int
    accepted_count: int = 0
    accepted_amount: Decimal | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether everything that was found is accepted."""
        return not self.success and self.accepted_count == self.unexpected_count

    @property
    def is_complete(self) -> bool:
        """Whether all that the check finds is among `rows`: what it does not list is not there."""
        broken = {RAISED, NOTHING_EXAMINED}
        return self.unexpected_count <= len(self.rows) and not any(row["item"] in broken for row in self.rows)

    @property
    def could_run(self) -> bool:
        """False when the check could not be evaluated: it has failed, and has found nothing."""
        return not any(row["item"] == RAISED for row in self.rows)


@dataclass(frozen=True)
class SuiteRun:
    """One suite on one candidate: the results in the order of its checks, and what Great Expectations returned, whole.

    `document` is its ExpectationSuiteValidationResult as JSON, see `expectations.document`.
    """

    suite: str
    success: bool
    validated_at: datetime
    document: dict[str, Any]
    results: tuple[CheckResult, ...]


@dataclass(frozen=True)
class Timing:
    """When the query of a check began and how long it took."""

    started_at: datetime
    seconds: float


@dataclass(frozen=True)
class Run:
    """A run of the gate, and when it began."""

    run_id: str
    began_at: datetime


@dataclass(frozen=True)
class Target:
    """What a suite is run on: the candidate of a region, with the checks of the suite, in the run that asks."""

    run: Run
    candidate: Candidate
    checks: Sequence[Check]


@dataclass(frozen=True)
class Coverage:
    """What a check looked at, and what there was to look at; `error` when that could not be counted."""

    examined: int
    population: int
    error: str | None = None


class GateBrokenError(RuntimeError):
    """The gate itself did not work; nothing may be published."""


def open_context(database_url: str, snapshot: str | None = None, options: str = "") -> EphemeralDataContext:
    """An ephemeral context on the warehouse, acting as the quality role, read-only, with telemetry off.

    With the name of an exported snapshot everything is read as of that snapshot, while its transaction lasts.
    `options` are more settings of the sessions, as libpq takes them.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    context.data_sources.add_postgres(
        name="warehouse",
        connection_string=_sqlalchemy_url(database_url),
        kwargs={"connect_args": {"options": f"{SESSION} {options}", "application_name": "merged_fund_gate"}},  # type: ignore[call-arg]
    )
    if snapshot is not None:
        _read_in(context, snapshot)
    return context


def _read_in(context: EphemeralDataContext, snapshot: str) -> None:
    """Begin every transaction of the warehouse's engine in this snapshot."""
    from sqlalchemy import event

    def begin(connection: Any) -> None:
        connection.exec_driver_sql("set transaction isolation level repeatable read")
        connection.exec_driver_sql(f"set transaction snapshot '{snapshot}'")

    event.listen(context.data_sources.get("warehouse").get_execution_engine().engine, "begin", begin)


def run_suite(context: EphemeralDataContext, connection: Connection, suite: str, target: Target) -> SuiteRun:
    """Validate one suite on one candidate of a run."""
    checks, candidate = target.checks, target.candidate
    coverages = _coverages(connection, checks, candidate)
    name = f"{suite}-{candidate.region_code}"
    validated_at = datetime.now(UTC)
    with _timed_queries(context) as clock:
        validated = _validate(context, name, target, coverages)
    if len(validated.results) != len(checks):
        raise GateBrokenError(f"{name}: {len(checks)} checks, but {len(validated.results)} results")
    by_code = {result.expectation_config.meta["code"]: result for result in validated.results}
    results = tuple(
        _result(suite, check, coverage, by_code[check.code], clock)
        for check, coverage in zip(checks, coverages, strict=True)
    )
    return SuiteRun(suite, bool(validated.success), validated_at, document_of(validated), results)


def _sqlalchemy_url(url: str) -> str:
    """SQLAlchemy 2.1 would take psycopg 3 for a plain postgresql:// address."""
    return urlunsplit(urlsplit(url)._replace(scheme="postgresql+psycopg2"))


def _coverages(connection: Connection, checks: Sequence[Check], candidate: Candidate) -> list[Coverage]:
    """Rows examined and rows to examine, for each check. A check that cannot count is made to fail, and it alone."""
    known: dict[str, int] = {}
    return [_coverage(connection, check, candidate, known) for check in checks]


def _coverage(connection: Connection, check: Check, candidate: Candidate, known: dict[str, int]) -> Coverage:
    """Several checks share a population: what is in `known` is not counted again."""
    examined, population = (check.bind(query, candidate) for query in (check.examined, check.population))
    with connection.cursor() as cursor:
        cursor.execute("savepoint counting")  # an audit's connection holds the snapshot of all that follows
        try:
            for query in {examined, population} - known.keys():
                cursor.execute(f"select ({query})::bigint")
                (known[query],) = cursor.fetchone() or (0,)
        except psycopg2.Error as error:
            cursor.execute("rollback to savepoint counting")
            _LOG.exception("%s: rows cannot be counted", check.code)
            return Coverage(0, 0, str(error))
        cursor.execute("release savepoint counting")
    return Coverage(known[examined], known[population])


@contextmanager
def _timed_queries(context: EphemeralDataContext) -> Iterator[dict[str, Timing]]:
    """Time of each check's query by its code, which stands in a comment at the query's head."""
    from sqlalchemy import event

    clock: dict[str, Timing] = {}

    def begin(_connection: Any, _cursor: Any, _statement: str, _parameters: Any, execution: Any, _many: bool) -> None:
        execution.fund_started = (datetime.now(UTC), time.perf_counter())

    def end(_connection: Any, _cursor: Any, statement: str, _parameters: Any, execution: Any, _many: bool) -> None:
        if code := re.match(r"\s*/\* check (\w+) \*/", statement):
            started_at, started = execution.fund_started
            clock[code[1]] = Timing(started_at, time.perf_counter() - started)

    engine = context.data_sources.get("warehouse").get_execution_engine().engine
    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    try:
        yield clock
    finally:
        event.remove(engine, "before_cursor_execute", begin)
        event.remove(engine, "after_cursor_execute", end)


def _validate(context: EphemeralDataContext, name: str, target: Target, coverages: Sequence[Coverage]) -> Any:
    import great_expectations as gx
    from great_expectations.expectations.metadata_types import FailureSeverity

    from expectations.ledger_rows import LedgerRowsExpectation

    asset = context.data_sources.get("warehouse").add_query_asset(  # type: ignore[attr-defined]
        name=name, query=_batch_query(target.candidate)
    )
    suite = gx.ExpectationSuite(
        name=name,
        expectations=[
            LedgerRowsExpectation(
                unexpected_rows_query=listing_query(check, target.candidate, coverage.examined, coverage.population),
                description=check.description,
                severity=FailureSeverity.CRITICAL if check.severity == "fail" else FailureSeverity.WARNING,
                meta={
                    **{"code": check.code, "owner": check.owner, "clause": check.clause},
                    **{"rows_examined": coverage.examined, "population": coverage.population},
                },
            )
            for check, coverage in zip(target.checks, coverages, strict=True)
        ],
    )
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(
            name=name, data=asset.add_batch_definition_whole_table(name), suite=context.suites.add(suite)
        )
    )
    return definition.run(result_format="COMPLETE", run_id=gx.RunIdentifier(target.run.run_id, target.run.began_at))


def _batch_query(candidate: Candidate) -> str:
    """The batch that is validated: the candidate head of the region, one row."""
    return (
        "select region_code, seq, batch_id from ledger.built_head "
        f"where region_code = '{candidate.region_code}' and seq = {candidate.head_seq}"
    )


def _result(suite: str, check: Check, coverage: Coverage, validated: Any, clock: Mapping[str, Timing]) -> CheckResult:
    """The verdict as Great Expectations gave it; severity is that of the worst row, `fail` when the query broke."""
    rows: list[dict[str, Any]] = list(validated.result.get("details", {}).get("unexpected_rows", ()))
    if coverage.error is not None:
        rows = [_raised(coverage.error)]
    elif not validated.success and not rows:
        rows = [_raised(str(validated.exception_info))]
    severity: Severity = check.severity
    if rows:
        severity = "fail" if rows[0]["any_fail"] else "warn"
    timing = clock.get(check.code, Timing(datetime.now(UTC), 0.0))
    return CheckResult(
        suite=suite,
        check=check,
        severity=severity,
        success=bool(validated.success) and not rows,
        rows_examined=coverage.examined,
        unexpected_count=rows[0]["total_rows"] if rows else 0,
        unexpected_amount=_decimal(rows[0]["total_amount"]) if rows else None,
        rows=tuple(rows),
        started_at=timing.started_at,
        duration_ms=round(timing.seconds * 1000),
    )


def _raised(error: str) -> dict[str, Any]:
    """A row for an expectation that could not be evaluated: it has failed, whatever its severity."""
    details = {"item": RAISED, "reason": "检查未能执行 / the check could not be run", "exception": error[:2000]}
    return {
        "item": RAISED,
        "severity": "fail",
        "amount": None,
        "total_rows": 1,
        "total_amount": None,
        "any_fail": True,
        "details": json.dumps(details, ensure_ascii=False),
    }


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
