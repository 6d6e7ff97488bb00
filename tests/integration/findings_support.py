"""Results of a check made by hand and recorded as the gate records them: what findings do from check to check."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from expectations.check import GATE, Candidate, Check, Scope, Severity
from expectations.record import record
from expectations.validation import CheckResult
from ingestion.database import connect
from ingestion.settings import Settings
from tests.integration.ingestion_support import select

NANJING, HUAINAN = "320100", "340400"
STATE, INCREMENT = "select 1", "select 1 where $after < $head"


@dataclass(frozen=True)
class Row:
    """An offending row: its key, its amount in yuan, its severity, and the event that it is about."""

    item: str
    amount: str | None = None
    severity: Severity = "warn"
    event_seq: int | None = None


def a_check(code: str = "C07", offending: str = STATE) -> Check:
    """A check of severity warn."""
    return Check(code, "欠费", "Arrears", "warn", "levy_supervision", "clause", offending, "select 1", "select 1")


def result(*rows: Row, check: Check | None = None, unlisted: int = 0, examined: int = 10) -> CheckResult:
    """What the gate would make of these rows, and of so many that it does not list, of 1 yuan each."""
    check = check or a_check()
    total = sum((Decimal(row.amount) for row in rows if row.amount), Decimal(unlisted))
    worst: Severity = "fail" if any(row.severity == "fail" for row in rows) else "warn"
    listed: tuple[dict[str, Any], ...] = tuple(
        {
            "item": row.item,
            "severity": row.severity,
            "amount": row.amount,
            "details": json.dumps({"item": row.item, "amount": row.amount, "event_seq": row.event_seq}),
        }
        for row in rows
    )
    return CheckResult(
        suite="completeness",
        check=check,
        severity=worst if rows else check.severity,
        success=not rows,
        rows_examined=examined,
        unexpected_count=len(rows) + unlisted,
        unexpected_amount=total if rows else None,
        rows=listed,
        started_at=datetime.now(UTC),
        duration_ms=1,
    )


def recorded(
    run_id: str,
    *results: CheckResult,
    region: str = NANJING,
    after: int = 0,
    day: date | None = None,
    scope: Scope = GATE,
) -> list[CheckResult]:
    """Record results of one run of a region, in the order of a gate."""
    candidate = Candidate(region, after, 100, 1, None, after, day or Settings.from_env().business_date, None)
    candidate = replace(candidate, scope=scope)
    with closing(connect("fund_quality")) as connection:
        return record(connection, run_id, candidate, results)


def status(*columns: str, region: str = NANJING) -> dict[str, tuple[Any, ...]]:
    """Key -> columns of `quality.finding_status`."""
    chosen = ", ".join(columns or ("status",))
    with closing(connect("auditor")) as connection, connection.cursor() as cursor:
        today = Settings.from_env().business_date
        cursor.execute("SELECT set_config('merged_fund.business_date', %s, true)", (today.isoformat(),))
        cursor.execute(f"SELECT finding_key, {chosen} FROM quality.finding_status WHERE region_code = %s", (region,))
        return {key: tuple(values) for key, *values in cursor.fetchall()}


def statuses(region: str = NANJING) -> dict[str, str]:
    """Key -> status."""
    return {key: str(values[0]) for key, values in status(region=region).items()}


def history(key: str) -> list[tuple[Any, ...]]:
    """(change, state, run, decision) of an item, in the order in which it happened."""
    return select(
        "SELECT change, state, run_id, decision FROM quality.finding_history WHERE finding_key = %s"
        " ORDER BY happened_at, decided_seq NULLS FIRST",
        key,
    )
