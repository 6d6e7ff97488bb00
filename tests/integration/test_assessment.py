"""Rates in force and assessments beside what is due: on the samples, and on a base that is made known in September.

Huainan, January 2023, employees of the enterprise E1 (7.2 % and 2 %), recorded in January under the limits 3,017 and
15,087. P1 declares 3,500: 252.00 + 70.00; P2 declares 16,000, limited to 15,087: 1,086.26 + 301.74; P3 8,000: 736.00.
In September the limits of the whole year become known, 4,019 and 20,094: P1 owes 4,019 x 7.2 % = 289.37 and 80.38,
which is 47.75 more; P2 1,152.00 and 320.00, 84.00 more; P3 nothing. P1's new assessment comes in the next batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from posting_log import Fact, PostingLog

from expectations.candidate import Candidate
from expectations.check import REVIEW
from expectations.suites.policy.assessment import P03, P04
from ingestion.database import Connection, connect
from ingestion.settings import Settings
from reporting import rates
from runtime import dbt
from tests.integration.pages_support import built, by_id, tree, words

NANJING, HUAINAN = "320100", "340400"
Rows = list[tuple[Any, ...]]
LATE_BASE = """
    insert into policy.policy_base
        (region_code, effective_from, effective_to, base_floor, base_ceiling, known_from, status, source)
    values ('340400', '2023-01-01', '2023-12-31', 4019, 20094, '2023-09-01', 'secondary', '2023年基数，8月公布')
"""
EARLY_BASE = """
    update policy.policy_base set base_floor = 3017, base_ceiling = 15087
    where region_code = '340400' and effective_from = '2023-01-01'
"""
OWED = """
    select person_no, supplement_amount, outstanding_amount, supplement_state
    from marts.supplementary_assessment order by person_no
"""
ASSESSED = {
    "event_type": "contribution.assessed",
    "occurred_on": "2023-01-05",
    "insurance_type": "310",
    "enrollment_category": "employee",
    "employer_no": "E1",
}


@pytest.fixture
def samples(published_samples: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """The samples, and a transaction that nothing is kept of."""
    monkeypatch.setenv("FUND_DATABASE_URL", published_samples)
    with closing(connect(role="fund_transform")) as connection:
        yield connection
        connection.rollback()


def ask(connection: Connection, query: str, *parameters: object) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters or None)
        return cursor.fetchall()


def reviewed(region: str, head: int) -> Candidate:
    """All that is published of a region, as the review looks at it."""
    return Candidate(region, 0, head, 1, datetime(2026, 1, 1, tzinfo=UTC), 0, date(2026, 1, 1), None, scope=REVIEW)


def test_rates_are_read_off_by_day(samples: Connection) -> None:
    on = """
        select employer_rate, employer_rate_total, employer_rate_due, base_floor, is_sum_of_both
        from marts.rate_in_force
        where region_code = %s and employer_type = %s and insurance_type = '310' and enrollment_category = 'employee'
            and %s::date between effective_from and coalesce(effective_to, 'infinity')
    """
    read = {
        (NANJING, "enterprise", "2019-12-31"): ("0.090", "0.098", "0.090", "3368", None),
        (NANJING, "enterprise", "2020-01-15"): ("0.098", "0.098", "0.098", "3368", True),
        (NANJING, "enterprise", "2020-03-01"): ("0.098", "0.098", "0.049", "3368", None),
        (NANJING, "government", "2020-03-01"): ("0.098", "0.098", "0.098", "3368", None),
        (NANJING, "enterprise", "2022-06-01"): ("0.088", "0.088", "0.088", "4250", None),
        (NANJING, "enterprise", "2023-05-01"): ("0.078", "0.078", "0.078", "4494", None),
        (NANJING, "enterprise", "2024-05-01"): ("0.088", "0.088", "0.088", "4494", None),
        (HUAINAN, "enterprise", "2019-12-01"): ("0.072", "0.072", "0.072", "3017", True),
        (HUAINAN, "public_institution", "2023-05-01"): ("0.069", "0.069", "0.069", "4019", None),
        (HUAINAN, "other", "2023-05-01"): ("0.072", "0.072", "0.072", "4019", None),
        (NANJING, "enterprise", "2021-12-31"): ("0.098", "0.098", "0.098", "3368", None),
        (NANJING, "enterprise", "2022-01-01"): ("0.088", "0.088", "0.088", "4250", None),
        (NANJING, "enterprise", "2022-12-31"): ("0.088", "0.088", "0.088", "4250", None),
        (NANJING, "enterprise", "2023-01-01"): ("0.078", "0.078", "0.078", "4250", None),
        (NANJING, "enterprise", "2023-03-31"): ("0.078", "0.078", "0.078", "4250", None),
        (NANJING, "enterprise", "2023-04-01"): ("0.078", "0.078", "0.078", "4494", None),
        (NANJING, "enterprise", "2023-12-31"): ("0.078", "0.078", "0.078", "4494", None),
        (NANJING, "enterprise", "2024-01-01"): ("0.088", "0.088", "0.088", "4494", None),
        (NANJING, "unemployment_fund", "2020-06-30"): ("0.098", "0.098", "0.049", "3368", None),
        (NANJING, "unemployment_fund", "2020-07-01"): ("0.098", "0.098", "0.098", "3368", None),
        (HUAINAN, "enterprise", "2019-11-30"): ("0.065", "0.072", "0.065", "3017", None),
        (HUAINAN, "government", "2019-11-30"): ("0.065", "0.069", "0.065", "3017", None),
        (HUAINAN, "government", "2019-12-01"): ("0.069", "0.069", "0.069", "3017", True),
        (HUAINAN, "public_institution", "2020-03-01"): ("0.069", "0.069", "0.0345", "3017", None),
        (HUAINAN, "enterprise", "2022-12-31"): ("0.072", "0.072", "0.072", "3017", None),
        (HUAINAN, "enterprise", "2023-01-01"): ("0.072", "0.072", "0.072", "4019", None),
    }
    for key, (rate, total, due, floor, is_sum) in read.items():
        wanted = (Decimal(rate), Decimal(total), Decimal(due), Decimal(floor), is_sum)
        assert ask(samples, on, *key) == [wanted], key


def test_samples_are_assessed_as_due_and_a_lowered_rate_is_found(samples: Connection) -> None:
    heads = dict(ask(samples, "select region_code, seq from marts.published_head"))
    for region, head in heads.items():
        candidate = reviewed(region, head)
        for check in (P03, P04):
            assert ask(samples, check.bind(check.offending, candidate)) == []
            assert ask(samples, check.bind(check.examined, candidate)) == ask(
                samples, check.bind(check.population, candidate)
            )
    ask(samples, "update policy.policy_rate set employer_rate = 0.091 where employer_rate = 0.09 returning 1")
    found = ask(samples, P03.bind(P03.offending, reviewed(NANJING, heads[NANJING])))
    ((under,),) = ask(samples, "select sum(under_amount) from marts.assessment_difference")
    assert found
    assert sum(row[-1] for row in found) == under > 0


@pytest.mark.usefixtures("deployed_warehouse")
def test_a_base_known_later_is_supplemented_and_nothing_else_changes() -> None:
    log = PostingLog(HUAINAN)
    first = log.add(*january(), recorded_at="2023-01-10 12:00:00+08")
    log.add(
        {"event_type": "period.closed", "occurred_on": "2023-01-31", "accounting_month": "2023-01-01"},
        recorded_at="2023-02-10 12:00:00+08",
    )
    later = log.add(assessed("P1", "3500", "289.37", "80.38"), recorded_at="2023-09-20 12:00:00+08")
    dbt.build("assessed")
    with closing(connect()) as connection:
        execute(connection, EARLY_BASE)
        publish(connection, later - 1)
        assert ask(connection, "select count(*) from marts.assessment_difference where reason_code <> 'as_due'") == [
            (0,)
        ]
        assert ask(connection, "select * from marts.supplementary_assessment") == []
        journal = "select md5(string_agg(line::text, '' order by event_seq, line_no)) from ledger.journal_line as line"
        before = ask(connection, journal)

        execute(connection, LATE_BASE)
        p2 = ("P2", Decimal("84.00"), Decimal("84.00"), "supplement_due")
        assert ask(connection, OWED) == [("P1", Decimal("47.75"), Decimal("47.75"), "supplement_due"), p2]
        # what was recorded in January is still right by what was known in January
        assert ask(connection, P03.bind(P03.offending, reviewed(HUAINAN, later - 1))) == []
        (listed,) = ask(connection, P04.bind(P04.offending, reviewed(HUAINAN, later - 1)))
        assert (listed[0], listed[-1]) == ("E1/2023-01/310/employee", Decimal("131.75"))

        publish(connection, later)
        assert ask(connection, OWED) == [("P1", Decimal("47.75"), Decimal("0.00"), "settled"), p2]
        assert ask(connection, P03.bind(P03.offending, reviewed(HUAINAN, later))) == []
        assert ask(connection, journal) == before
        shown = rates.regions(connection)
        assert [region.outstanding for region in shown if region.region_code == HUAINAN] == [Decimal("84.00")]
    assert first == 1
    said = words(by_id(tree(built(Settings.from_env(), "assessment")["assessment.html"]), HUAINAN))
    for part in ("7.20%", "等于合并前两险之和 7.20%", "待补（退）", "84.00", "E1"):
        assert part in said
    assert "P1" not in said


def january() -> list[Fact]:
    """E1 is registered, and the month is assessed, collected of one."""
    registered = {"event_type": "employer.registered", "family": "registration", "employer_no": "E1"}
    return [
        registered | {"occurred_on": "2022-03-01", "employer_type": "enterprise"},
        assessed("P1", "3500", "252.00", "70.00"),
        assessed("P2", "16000", "1086.26", "301.74"),
        assessed("P3", "8000", "576.00", "160.00"),
        ASSESSED
        | {"event_type": "contribution.collected", "occurred_on": "2023-01-20", "person_no": "P1"}
        | {"employer_amount": "252.00", "personal_amount": "70.00", "deposit_account": "treasury"},
    ]


def assessed(person: str, base: str, employer: str, personal: str) -> Fact:
    amounts = {"contribution_base": base, "employer_amount": employer, "personal_amount": personal}
    return ASSESSED | {"person_no": person, "contribution_month": "2023-01-01"} | amounts


def execute(connection: Connection, statement: str) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute("set role fund_transform")
        cursor.execute(statement)
        cursor.execute("reset role")


def publish(connection: Connection, seq: int) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)"
            " select region_code, last_seq, batch_id, batch_hash, '-', 'r' || batch_id from events.batch"
            " where region_code = %s and last_seq = %s",
            (HUAINAN, seq),
        )
