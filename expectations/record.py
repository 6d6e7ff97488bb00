"""Writes results and findings to `quality`, in one transaction a region; nothing here judges."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from expectations.check import Candidate
from expectations.document import SAMPLE_ROWS
from expectations.validation import CheckResult
from ingestion.database import Connection

# Kept per check and region; when there were more, the row with this key says how many.
FINDINGS_MAX = 200
CUT_OFF = "cut off"

_RESULT = """
    insert into quality.check_result (
        run_id, region_code, head_seq, suite, code, severity, success, rows_examined, unexpected_count,
            unexpected_amount, sample,
        title_zh, title_en, owner, clause, started_at, duration_ms
    ) values %s
"""

# An item found in the region's run before keeps the day on which it was first seen; one that had gone and has come
# back begins anew. The run before is a literal: the planner then reads its rows, and not an item's rows of all runs.
_FINDING = """
    insert into quality.finding (run_id, region_code, code, finding_key, item, amount, first_seen_run,
        first_seen_at, found_at)
    select found.run_id, found.region_code, found.code, found.finding_key, found.item::jsonb, found.amount::numeric,
        coalesce(before.first_seen_run, found.run_id), coalesce(before.first_seen_at, found.found_at::timestamptz),
        found.found_at::timestamptz
    from (values %s) as found (run_id, region_code, code, finding_key, item, amount, found_at)
    left join quality.finding as before
        on before.region_code = found.region_code and before.code = found.code
            and before.finding_key = found.finding_key
        and before.found_at = {found_before}::timestamptz
"""


def record(connection: Connection, run_id: str, candidate: Candidate, results: Sequence[CheckResult]) -> None:
    """Insert every result, passes too, and every finding of one region. Commits."""
    found_at = datetime.now(UTC)
    with connection, connection.cursor() as cursor:
        cursor.execute("select max(found_at) from quality.finding where region_code = %s", (candidate.region_code,))
        (found_before,) = cursor.fetchone() or (None,)
        if not _is_of_last_check(cursor, candidate.region_code, found_before):
            found_before = None
        execute_values(cursor, _RESULT, [_result_row(run_id, candidate, result) for result in results])
        findings = [row for result in results for row in _finding_rows(run_id, candidate, result, found_at)]
        if findings:
            statement = sql.SQL(_FINDING).format(found_before=sql.Literal(found_before))
            execute_values(cursor, statement, findings)


def _is_of_last_check(cursor: Cursor, region_code: str, found_at: datetime | None) -> bool:
    """Whether the newest findings belong to the region's newest check: a check may have found nothing since."""
    if found_at is None:
        return False
    cursor.execute("select max(started_at) from quality.check_result where region_code = %s", (region_code,))
    (last_started,) = cursor.fetchone() or (None,)
    return last_started is not None and found_at >= last_started


def _result_row(run_id: str, candidate: Candidate, result: CheckResult) -> tuple[Any, ...]:
    check = result.check
    sample = "[" + ", ".join(row["details"] for row in result.rows[:SAMPLE_ROWS]) + "]"
    return (
        run_id, candidate.region_code, candidate.head_seq, result.suite, check.code, result.severity, result.success,
        result.rows_examined, result.unexpected_count, result.unexpected_amount, sample, check.title_zh, check.title_en,
        check.owner, check.clause, result.started_at, result.duration_ms,
    )  # fmt: skip


def _finding_rows(run_id: str, candidate: Candidate, result: CheckResult, found_at: datetime) -> list[tuple[Any, ...]]:
    """One row an item; items of the same key are one. Beyond the cap a last row tells how many are not listed."""
    listed = {row["item"]: row for row in result.rows[:FINDINGS_MAX]}
    rows = [(key, row["details"], row["amount"]) for key, row in listed.items()]
    if result.unexpected_count > len(result.rows):
        note = {
            "item": CUT_OFF,
            "reason": "仅列出部分 / only some are listed",
            "listed": len(result.rows),
            "found": result.unexpected_count,
        }
        rows.append((CUT_OFF, json.dumps(note, ensure_ascii=False), None))
    return [
        (run_id, candidate.region_code, result.check.code, key, item, amount, found_at) for key, item, amount in rows
    ]
