"""The review of what is published: findings, decisions that hold while facts are the same, and what cannot be run."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pytest

from expectations import decisions
from expectations.__main__ import main
from expectations.check import NOTHING_EXAMINED
from expectations.decisions import By, Item
from expectations.review import ReviewError, review
from ingestion.database import connect
from ingestion.errors import FindingRefused
from reporting import reviews
from reporting.books import one_state
from runtime.dbt import build
from tests.integration.posting_log import PostingLog

NANJING = "320100"
BY = By("稽核岗", "两次住院诊断不同 / two diagnoses")
PUBLISH = """
insert into ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)
select distinct on (region_code) region_code, seq, batch_id, batch_hash, 'rules', 'by hand'
from ledger.built_head order by region_code, seq desc
"""
STATUS = "select status, lapse, decision from quality.finding_status where code = 'S03' order by finding_key"
MART = """
select status, claim_count, amount, recovered_amount, lapse from marts.monitoring_finding
where region_code = '320100' and rule_code = 'S03'
"""

SWITCHED = """
set session_replication_role = replica;
update policy.monitoring_parameter set rule_code = 'S99' where rule_code = 'S05' and parameter = 'settled_days';
insert into policy.monitoring_parameter (region_code, rule_code, parameter, value, effective_from, known_from)
values ('320100', 'S04', 'switched_on', 0, '2018-01-01', '2018-01-01')
"""


def stay(number: int, day: int) -> list[dict[str, Any]]:
    """A settled and paid stay of 700 yuan, from this day of January 2020 on for three days."""
    case = {
        "occurred_on": f"2020-01-{day + 3:02}",
        "claim_no": f"C{number}",
        "person_no": "P1",
        "institution_code": "H1",
        "insurance_type": "310",
        "benefit_item": "inpatient",
        "admitted_on": f"2020-01-{day:02}",
        "discharged_on": f"2020-01-{day + 3:02}",
        "service_on": f"2020-01-{day + 3:02}",
        "pooled_amount": 700,
        "payment_method": "drg",
    }
    return [
        {**case, "event_type": "claim.settled", "medical_fee_total": 1000},
        {**case, "event_type": "claim.paid", "payee_type": "institution", "payment_no": f"Z{number}"},
    ]


def published(url: str, *facts: dict[str, Any]) -> int:
    """Append facts, build, publish without asking the gate; the seq of the first."""
    first = PostingLog(NANJING).add(*facts)
    build("by hand")
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("set role fund_publisher")
        cursor.execute(PUBLISH)
    return first


def asked(query: str) -> list[tuple[Any, ...]]:
    with closing(connect(role="auditor", autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def check_what_is_switched_off(url: str) -> None:
    """A rule that is switched off is silent and says so; one that lacks a parameter is not taken for silent."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(SWITCHED)
    (verdict,) = review("review__off")
    states = "select rule_code, state, missing from marts.monitoring_rule_state where state <> 'on' order by 1"
    assert asked(states) == [("S04", "off", None), ("S05", "incomplete", ["settled_days"])]
    results = {result.check.code: result for result in verdict.results}
    assert results["S03"].rows_examined > 0
    assert (results["S04"].rows_examined, results["S04"].unexpected_count) == (0, 0)
    assert results["S05"].rows_examined == 0
    assert asked("select finding_key from quality.finding_status where code = 'S05' and status = 'open'") == [
        (NOTHING_EXAMINED,)
    ]
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("update policy.monitoring_parameter set rule_code = 'S05' where rule_code = 'S99'")


def test_a_dismissal_holds_for_its_facts_and_a_confirmed_finding_until_the_money_is_back(
    deployed_warehouse: str, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = postgres_url.rsplit("/", 1)[0] + "/" + deployed_warehouse.rsplit("/", 1)[1]
    published(deployed_warehouse, *stay(1, 1), *stay(2, 6))
    (verdict,) = review("review__1")
    assert verdict.green
    assert "S03" in verdict.warned_checks
    ((key, said),) = asked("select finding_key, item ->> 'reason' from quality.finding_status where code = 'S03'")
    assert "2 次住院" in said
    assert "P1" not in key + said
    assert asked(MART)[0][:3] == ("open", 2, 700)
    item = Item(NANJING, "S03", key)
    with pytest.raises(FindingRefused, match="E-FINDING-UNKNOWN"):
        decisions.dismiss(Item(NANJING, "S03", "nobody"), BY)
    with pytest.raises(FindingRefused, match="E-FINDING-REVIEW"):
        decisions.dismiss(Item(NANJING, "C07", key), BY)
    options = ["--region", NANJING, "--code", "S03", "--item", key, "--by", BY.name, "--reason", BY.reason]
    assert main(["dismiss", *options]) == 0
    assert not decisions.dismiss(item, BY).is_new
    review("review__2")
    assert asked(STATUS) == [("accepted", None, "dismissed")]
    assert asked(MART)[0][0] == "dismissed"

    last = published(deployed_warehouse, *stay(3, 12)) + 1
    review("review__3")
    assert asked(STATUS) == [("open", "facts_changed", "dismissed")]
    assert asked(MART) == [("open", 3, 1400, 0, "facts_changed")]
    decisions.confirm(item, BY)
    review("review__4")
    assert asked(STATUS) == [("open", "rejected", "confirmed")]
    assert main(["list", "--code", "S03"]) == 0
    assert "confirmed, open" in capsys.readouterr().out
    recovered = {
        **stay(3, 12)[1],
        "event_type": "claim.recovered",
        "occurred_on": "2020-02-01",
        "original": last,
        "payment_no": None,
    }
    published(deployed_warehouse, recovered)
    review("review__5")
    assert asked(MART)[0][:4] == ("confirmed", 3, 1400, 700)
    published(deployed_warehouse, {**recovered, "occurred_on": "2020-02-02"})
    review("review__6")
    assert asked(STATUS)[0][0] == "resolved"
    assert asked(MART) == []
    history = (
        "select change from quality.finding_history where code = 'S03' order by happened_at, decided_seq nulls last"
    )
    assert {change for (change,) in asked(history)} >= {"found", "decided", "accepted", "facts_changed", "resolved"}

    check_what_is_switched_off(url)

    # what cannot be run is told, and the others are made all the same
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("drop view ledger.monitoring_two_regions cascade")
    with pytest.raises(ReviewError, match="320100 S16"):
        review("review__7")
    with one_state() as connection:
        (newest,) = reviews.newest(connection)
    assert (newest.run_id, newest.unable) == ("review__7", ["S16"])
    assert newest.checks == len(verdict.results)
