"""Seeds that postings rest on only grow: a seed that lacks a used row is not loaded."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from ingestion.database import connect
from runtime import dbt
from tests.integration.posting_log import PostingLog

MERGER_DATES = "select region_code, merger_date::text from policy.policy_region order by 1"
AS_IN_THE_SEED = [("320100", "2020-01-01"), ("340400", "2019-12-01")]


def execute(statement: str) -> list[tuple[Any, ...]]:
    with closing(connect(role="fund_transform", autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def load_seed(run: str) -> None:
    dbt._run(run, "seed", ["seed", "--select", "policy_region"])


@pytest.mark.usefixtures("migrated_warehouse")
def test_a_seed_that_lacks_a_used_row_is_not_loaded() -> None:
    """The table stands for the older seed: where it differs from the file, the file has been edited."""
    load_seed("new")
    PostingLog("340400").add({"event_type": "employer.closed", "occurred_on": "2020-03-01", "family": "registration"})

    # Nothing is recorded of Nanjing, and nobody posts by a name or a threshold.
    execute("update policy.policy_region set merger_date = '2020-02-01' where region_code = '320100'")
    execute("update policy.policy_region set name_en = 'Elsewhere', status = 'verified', quarantine_row_share_max = 1")
    execute(
        "insert into policy.policy_region (region_code, merger_date, known_from)"
        " values ('340400', '2021-01-01', '2099-01-01')"
    )
    load_seed("unused rows edited and removed")
    assert execute(MERGER_DATES) == AS_IN_THE_SEED

    execute("update policy.policy_region set merger_date = '2019-11-01' where region_code = '340400'")
    before = execute(MERGER_DATES)
    with pytest.raises(dbt.DbtError, match="policy_region: rows that postings rest on were edited or removed"):
        load_seed("a used row edited")
    assert execute(MERGER_DATES) == before
