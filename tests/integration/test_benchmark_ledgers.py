"""The benchmarks measure on books that hold: a made ledger passes every check of the gate, and so does a day."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from benchmarks.common import Server
from benchmarks.databases import execute
from benchmarks.ledgers import REGION, day, fill, history
from expectations.gate import check, publish
from ingestion.settings import Settings
from runtime.dbt import build

EVENTS = 30_000  # beyond the first 25,000 places, so that corrections reach back into earlier batches


@pytest.fixture
def warehouse(
    deployed_warehouse: str, postgres_url: str, fund_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> Server:
    """An empty warehouse with the models deployed, seen from after the days that are made."""
    monkeypatch.setenv("FUND_BUSINESS_DATE", "2022-01-03")
    superuser_url = f"{postgres_url.rpartition('/')[0]}/{deployed_warehouse.rpartition('/')[2]}"
    return Server(deployed_warehouse, superuser_url, 0, fund_environment)


@pytest.mark.exhaustive
def test_made_ledger_and_a_day_onto_it_pass_every_check(warehouse: Server) -> None:
    fill(warehouse, history(EVENTS))
    build("history")
    _publish("history")
    fill(warehouse, day(warehouse, 0, files=(10, 990, 1_000)))
    build("day")
    _publish("day")
    with closing(psycopg2.connect(warehouse.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT event_type FROM events.event WHERE region_code = %s GROUP BY 1", (REGION,))
        assert len(cursor.fetchall()) == 16
        cursor.execute(
            "SELECT count(*) FROM ledger.journal_line WHERE region_code = %s AND fund_code = 'MAT'"
            " AND accounting_month > '2020-01-01'",
            (REGION,),
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.slow
def test_a_first_load_after_an_empty_build_takes_by_its_lines(warehouse: Server) -> None:
    """Statistics of empty tables, and few batches of many lines: neither may lead to reading all for each."""
    build("empty")
    fill(warehouse, history(EVENTS))
    build("history")
    with closing(psycopg2.connect(warehouse.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM ledger.claim_turnover), heap_blks_read + heap_blks_hit"
            " FROM pg_statio_user_tables WHERE relid = 'ledger.claim_turnover'::regclass"
        )
        ((claims, blocks),) = cursor.fetchall()
        (compiled,) = (warehouse.local / "dbt" / "target" / "compiled").rglob("awaited_reference.sql")
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {compiled.read_text(encoding='utf-8')}")
        ((((plan,),)),) = cursor.fetchall()
    assert claims > 5_000
    assert blocks < 20 * claims
    assert _compared(plan["Plan"]) < 20 * EVENTS


def _compared(node: dict[str, Any]) -> float:
    """Pairs of rows that a plan compared in vain."""
    below = sum(_compared(part) for part in node.get("Plans", ()))
    return below + float(node.get("Rows Removed by Join Filter", 0)) * node["Actual Loops"]


def test_log_is_as_guarded_afterwards_as_before(warehouse: Server) -> None:
    fill(warehouse, history(1_000))
    with pytest.raises(psycopg2.errors.RestrictViolation):
        execute(warehouse, "UPDATE events.batch SET first_seq = first_seq")


def _publish(run: str) -> None:
    """Check and publish; warned of is what the benchmark does not make: heads outside, premiums of every month, persons
    enrolled and paid by policy, reversed payments made again.
    """
    verdicts = check(run, Settings.from_env())
    assert {verdict.failed_checks for verdict in verdicts} == {()}
    warned = {code for verdict in verdicts for code in verdict.warned_checks}
    assert warned <= {"C07", "C08", "H01", "M04", "M07", "M08"}
    assert REGION in {decision.region_code for decision in publish(run) if decision.decision == "published"}
