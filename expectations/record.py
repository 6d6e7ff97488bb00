"""Writes results and findings to `quality`, in one transaction a region, with what of them a decision accepts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from expectations import standing
from expectations.check import ROWS_LISTED_MAX, Candidate
from expectations.document import SAMPLE_ROWS
from expectations.validation import CheckResult
from ingestion.database import Connection

# Listed of a check unless it says otherwise; when it finds more than it lists, the row with this key says how many.
FINDINGS_MAX = ROWS_LISTED_MAX
CUT_OFF = "cut off"

# One record a region at a time; the day by which decisions are in force is the candidate's.
_BEGIN = """
    select pg_advisory_xact_lock(hashtextextended('merged_fund.findings.' || %s, 0)),
        set_config('merged_fund.business_date', %s, true)
"""

_RESULT = """
    insert into quality.check_result (
        scope, run_id, region_code, head_seq, suite, code, severity, success, rows_examined, unexpected_count,
            unexpected_amount, sample,
        title_zh, title_en, owner, clause, started_at, duration_ms, accepted_count, accepted_amount
    ) values %s
"""

# An item that stands keeps the day on which it was first seen; one that had gone and has come back begins anew.
# What was decided on the item itself goes before what was decided on all of the check (`*`), as in finding_status.
_FINDING = """
    insert into quality.finding (scope, run_id, region_code, code, finding_key, item, amount, severity, first_seen_run,
        first_seen_at, found_at, decided_seq)
    select found.scope, found.run_id, found.region_code, found.code, found.finding_key, found.item::jsonb,
        found.amount::numeric,
        found.severity, coalesce(standing.first_seen_run, found.run_id),
        coalesce(standing.first_seen_at, found.found_at::timestamptz), found.found_at::timestamptz,
        case
            when judged.own is null then own.decided_seq
            when judged.own in ('undecided', 'withdrawn') and judged.general is null then general.decided_seq
        end
    from (values %s) as found (scope, run_id, region_code, code, finding_key, item, amount, severity, found_at,
        all_rows, all_amount)
    left join quality.finding_period as standing
        on standing.region_code = found.region_code and standing.code = found.code
            and standing.finding_key = found.finding_key and standing.scope = found.scope
            and standing.ended_at is null
    left join quality.decision_newest as own
        on own.region_code = found.region_code and own.code = found.code and own.finding_key = found.finding_key
    left join quality.decision_newest as general
        on general.region_code = found.region_code and general.code = found.code and general.finding_key = '*'
    cross join lateral (
        select
            case
                when own.evidence is not null and own.evidence is distinct from found.item::jsonb ->> 'evidence'
                    then 'facts_changed'
                else quality.lapse(own.decision, own.valid_until, own.amount_max, null, found.severity,
                    found.amount::numeric, null, quality.business_date())
            end as own,
            quality.lapse(general.decision, general.valid_until, general.amount_max, general.rows_max, found.severity,
                found.all_amount::numeric, found.all_rows, quality.business_date()) as general
    ) as judged
    returning code, finding_key, decided_seq
"""


def record(
    connection: Connection, run_id: str, candidate: Candidate, results: Sequence[CheckResult]
) -> list[CheckResult]:
    """Insert every result, passes too, and every finding of one region, and move on how its findings stand. Commits.

    Returns the results with what of them is accepted by decisions in force on the candidate's business date.
    """
    found_at = datetime.now(UTC)
    with connection, connection.cursor() as cursor:
        cursor.execute(_BEGIN, (candidate.region_code, candidate.business_date.isoformat()))
        overtaken = standing.overtaken(cursor, candidate, results)
        findings = [row for result in results for row in _finding_rows(run_id, candidate, result, found_at)]
        accepted = _insert_findings(cursor, findings)
        judged = [_with_accepted(result, accepted[result.check.code]) for result in results]
        execute_values(cursor, _RESULT, [_result_row(run_id, candidate, result) for result in judged])
        told = [result for result in judged if result.check.code not in overtaken]
        standing.move_on(cursor, run_id, candidate, told, found_at)
    return judged


def _insert_findings(cursor: Cursor, findings: Sequence[tuple[Any, ...]]) -> dict[str, set[str]]:
    """Code -> keys of the items that are accepted."""
    accepted: dict[str, set[str]] = defaultdict(set)
    if findings:
        rows = execute_values(cursor, _FINDING, findings, page_size=len(findings), fetch=True)
        for code, key, decided_seq in rows:
            if decided_seq is not None:
                accepted[code].add(key)
    return accepted


def _with_accepted(result: CheckResult, keys: set[str]) -> CheckResult:
    """The result with the count and the amount of its accepted rows; those not listed are accepted all or none."""
    if not keys:
        return result
    rows = [row for row in result.rows if row["item"] in keys]
    count, amount = len(rows), _total(rows)
    if CUT_OFF in keys:
        count += result.unexpected_count - len(result.rows)
        amount += (result.unexpected_amount or Decimal(0)) - _total(result.rows)
    return replace(result, accepted_count=count, accepted_amount=amount if amount else None)


def _total(rows: Sequence[dict[str, Any]]) -> Decimal:
    return sum((Decimal(row["amount"]) for row in rows if row["amount"] is not None), Decimal(0))


def _result_row(run_id: str, candidate: Candidate, result: CheckResult) -> tuple[Any, ...]:
    check = result.check
    sample = "[" + ", ".join(row["details"] for row in result.rows[:SAMPLE_ROWS]) + "]"
    return (
        candidate.scope, run_id, candidate.region_code, candidate.head_seq, result.suite, check.code, result.severity,
        result.success, result.rows_examined, result.unexpected_count, result.unexpected_amount, sample, check.title_zh,
        check.title_en, check.owner, check.clause, result.started_at, result.duration_ms, result.accepted_count,
        result.accepted_amount,
    )  # fmt: skip


def _finding_rows(run_id: str, candidate: Candidate, result: CheckResult, found_at: datetime) -> list[tuple[Any, ...]]:
    """One row an item; of rows of the same key the worst counts. Beyond the cap a last row tells how many more."""
    listed = {row["item"]: row for row in reversed(result.rows)}
    rows = [(key, row["details"], row["amount"], row["severity"]) for key, row in reversed(listed.items())]
    if result.unexpected_count > len(result.rows):
        note = {
            "item": CUT_OFF,
            "reason": "仅列出部分 / only some are listed",
            "listed": len(result.rows),
            "found": result.unexpected_count,
        }
        # Listed by severity, the worst first: what is left out is no worse than the last that is listed.
        rows.append((CUT_OFF, json.dumps(note, ensure_ascii=False), None, result.rows[-1]["severity"]))
    amount = None if result.unexpected_amount is None else str(result.unexpected_amount)
    return [
        (
            candidate.scope,
            run_id,
            candidate.region_code,
            result.check.code,
            *row,
            found_at,
            result.unexpected_count,
            amount,
        )
        for row in rows
    ]
