"""The sample files through the real intake: only the slips that were put in on purpose stay behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from ingestion.runs import run_all
from runtime.samples import write_samples

PERSONS = 500


@pytest.fixture
def taken(migrated_warehouse: str, fund_environment: Path) -> Iterator[Connection]:
    """A database that has taken the samples once."""
    write_samples(fund_environment / "landing", seed=11, persons=PERSONS)
    run_all()
    with closing(psycopg2.connect(migrated_warehouse)) as connection:
        yield connection


def _rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_samples_load_once_but_for_their_slips(taken: Connection) -> None:
    states = Counter(state for (state,) in _rows(taken, "select state from events.file"))
    assert states == {"loaded": 35, "duplicate_file": 1}

    open_codes = _rows(
        taken,
        """
        select file.source_system, quarantine.error_codes
        from events.quarantine_open as quarantine
        inner join events.file as file on file.file_id = quarantine.file_id
        """,
    )
    assert open_codes == [], "every slip is made good by a later file"

    seen = Counter(code for (codes,) in _rows(taken, "select error_codes from events.quarantine") for code in codes)
    once_a_city = ("E-VALUE-CERTIFICATE", "E-TYPE-MONTH", "E-VALUE-MAP", "E-CLAIM-SUM", "E-TYPE-AMOUNT")
    assert {code: seen[code] for code in once_a_city} == dict.fromkeys(once_a_city, 2)
    assert seen["E-REF-ORIGINAL"] >= 2

    assert _rows(taken, "select sum(duplicate) from events.file") == [(10,)]
    merged = _rows(
        taken, "select region_code, occurred_on::text from events.event where event_type = 'fund.merged' order by 1"
    )
    assert merged == [("320100", "2020-01-01"), ("340400", "2019-12-01")]
    counts = _rows(
        taken,
        """
        select
            (select sum(now_loaded) from events.file),
            (select count(*) from events.event),
            (select sum(rows) - sum(duplicate) from events.file)
            - (select count(*) from events.quarantine_open)
            - (select count(*) from events.quarantine where error_codes && array[
                'E-VALUE-CERTIFICATE', 'E-TYPE-MONTH', 'E-VALUE-MAP', 'E-CLAIM-SUM', 'E-TYPE-AMOUNT'])
        """,
    )
    loaded, events, right = counts[0]
    assert loaded == events == right

    assert run_all() == [{"state": "retried", "loaded": 0, "duplicate": 0, "waiting": 0}]
