"""The benchmarks measure on books that hold: a made ledger passes every check of the gate, and so does a day."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

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


def test_log_is_as_guarded_afterwards_as_before(warehouse: Server) -> None:
    fill(warehouse, history(1_000))
    with pytest.raises(psycopg2.errors.RestrictViolation):
        execute(warehouse, "UPDATE events.batch SET first_seq = first_seq")


def _publish(run: str) -> None:
    """Check and publish; warned of are a missing heads file on this machine and reversed payments never made again."""
    verdicts = check(run, Settings.from_env())
    assert {verdict.failed_checks for verdict in verdicts} == {()}
    assert {code for verdict in verdicts for code in verdict.warned_checks} <= {"C08", "H01"}
    assert REGION in {decision.region_code for decision in publish(run) if decision.decision == "published"}
