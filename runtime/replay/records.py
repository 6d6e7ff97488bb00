"""What a replay has found goes to quality.replay_*; rows are only ever added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg2.extensions import cursor as Cursor

from ingestion.database import connect
from runtime.replay.comparison import SEQ_COLUMNS, Result

ROLE = "fund_quality"
_AMOUNTS = ("amount", "amount_month", "closing_amount", "closing_balance")

_RESULT = """
INSERT INTO quality.replay_result (
    run_id, region_code, relation, head_seq,
    live_rows, replayed_rows, live_only_rows, replayed_only_rows, problem, started_at, duration_ms
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_DIFFERENCE = """
INSERT INTO quality.replay_difference (
    run_id, region_code, relation, side, difference_no, entry_id, event_seq, amount, item
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_OUTCOME = """
INSERT INTO quality.replay_outcome (
    run_id, outcome, code_sha256, compared_relations, different_relations, accepted_reason, started_at
) VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def record_results(run_id: str, results: Sequence[Result]) -> None:
    """Write results and the differences kept of them, in one transaction."""
    with closing(connect(role=ROLE)) as connection, connection, connection.cursor() as cursor:
        for one in results:
            place = (run_id, one.region_code, one.relation)
            found = (one.live_rows, one.replayed_rows, one.live_only_rows, one.replayed_only_rows)
            cursor.execute(_RESULT, (*place, one.head_seq, *found, one.problem, one.started_at, one.duration_ms))
            numbers = {"live_only": 0, "replayed_only": 0}
            for difference in one.differences:
                side, item = difference.side, difference.item
                numbers[side] += 1
                place = (run_id, str(item.get("region_code") or one.region_code), one.relation)
                found_of = (item.get("entry_id"), seq_of(item), amount_of(item))
                cursor.execute(_DIFFERENCE, (*place, side, numbers[side], *found_of, difference.text))


def record_outcome(
    cursor: Cursor,
    run_id: str,
    outcome: str,
    code: str,
    results: Sequence[Result],
    accepted: str | None,
    began: datetime,
) -> None:
    """Write how the replay ended, in the transaction of `cursor`, whose role may add to quality."""
    relations = {one.relation for one in results}
    different = {one.relation for one in results if not one.success}
    cursor.execute(_OUTCOME, (run_id, outcome, code, len(relations), len(different), accepted, began))


def seq_of(item: Mapping[str, Any]) -> int | None:
    """The event that a row goes back to, or the last of them."""
    return next((int(item[column]) for column in SEQ_COLUMNS if item.get(column) is not None), None)


def amount_of(item: Mapping[str, Any]) -> Decimal | None:
    """A row's amount in yuan, debit positive; None where it has none."""
    if item.get("debit_amount") is not None and item.get("credit_amount") is not None:
        return _decimal(item["debit_amount"]) - _decimal(item["credit_amount"])
    return next((_decimal(item[column]) for column in _AMOUNTS if item.get(column) is not None), None)


def _decimal(value: object) -> Decimal:
    return Decimal(str(value))
