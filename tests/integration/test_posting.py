"""The journal as a function of the log: by increments or at once, in any order, whole or stopped by a missing rule."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from posting_log import Fact, PostingLog

from ingestion.database import connect
from runtime import dbt

HUAINAN, NANJING = "340400", "320100"
WarehouseFactory = Callable[..., str]
Rows = list[tuple[Any, ...]]

PREMIUM = {
    "event_type": "contribution.collected",
    "insurance_type": "310",
    "enrollment_category": "employee",
    "deposit_account": "treasury",
    "person_no": "P1",
}
MATERNITY_PREMIUM = PREMIUM | {"insurance_type": "510"}
BIRTH = {
    "event_type": "claim.paid",
    "insurance_type": "510",
    "benefit_item": "delivery_normal",
    "institution_code": "H1",
    "claim_no": "C1",
    "person_no": "P1",
}
MERGER = {"event_type": "fund.merged", "fund_code": "MAT", "occurred_on": "2019-12-01"}


def batches() -> list[list[Fact]]:
    """Two cities' worth of trouble in one region: both funds, a closed month, late facts, corrections, a year end."""
    opening = {"event_type": "balance.opened", "occurred_on": "2019-10-01", "account": "special_demand"}
    return [
        [
            opening | {"fund_code": "EMI", "amount": 50000},  # seq 1
            opening | {"fund_code": "MAT", "amount": 9000},
            MATERNITY_PREMIUM | {"occurred_on": "2019-10-08", "employer_amount": 70, "late_fee": 1},
            BIRTH | {"occurred_on": "2019-10-20", "pooled_amount": 3200, "personal_account_amount": 100},
            {"event_type": "period.closed", "occurred_on": "2019-10-31", "accounting_month": "2019-10-01"},
        ],
        [
            BIRTH | {"occurred_on": "2019-10-25", "pooled_amount": 400, "claim_no": "C2"},  # 6: booked in November
            {
                "event_type": "advance.paid",
                "insurance_type": "510",
                "occurred_on": "2019-11-02",
                "claim_no": "A1",
                "institution_code": "H1",
                "pooled_amount": 1000,
            },
            BIRTH
            | {"event_type": "advance.offset", "occurred_on": "2019-11-20", "pooled_amount": 600, "claim_no": "C3"}
            | {"original": 7},
            MERGER,  # 9
            BIRTH | {"occurred_on": "2019-11-28", "pooled_amount": 500, "claim_no": "C4"},  # follows the merger
        ],
        [
            BIRTH | {"event_type": "claim.recovered", "occurred_on": "2019-12-05", "pooled_amount": 200, "original": 4},
            PREMIUM
            | {"occurred_on": "2019-12-08", "employer_amount": 650, "personal_amount": 200}
            | {"personal_account_credit": 80},
            MATERNITY_PREMIUM | {"occurred_on": "2019-12-09", "employer_amount": 77},
            {"event_type": "year.closed", "occurred_on": "2019-12-31", "accounting_month": "2019-12-01"},
            BIRTH | {"occurred_on": "2020-01-05", "pooled_amount": 900, "claim_no": "C5"},
        ],
    ]


def rows(query: str) -> Rows:
    with closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def books() -> dict[str, Rows]:
    """Everything the ledger has appended, in a fixed order; heads apart, which tell of runs."""
    keys = {
        "journal_line": "region_code, event_seq, entry_no, line_no",
        "account_turnover": "region_code, batch_id, fund_code, accounting_month, account_code, sub_fund, entry_kind",
        "voucher": "region_code, fund_code, accounting_month, voucher_no",
    }
    return {table: rows(f"select * from ledger.{table} order by {order}") for table, order in keys.items()}


def balances(fund_code: str) -> dict[str, Decimal]:
    """Account -> balance, debit positive; accounts at zero left out."""
    found = rows(
        "select account_code, sum(debit_amount - credit_amount) from ledger.journal_line"
        f" where fund_code = '{fund_code}' group by 1 having sum(debit_amount - credit_amount) <> 0 order by 1"
    )
    return dict(found)


def build(run_id: str) -> None:
    dbt.deploy(run_id)
    dbt.build(run_id)


def build_only(*models: str) -> None:
    """A build that ends after these models, as if the machine had died."""
    arguments = ["run", "--select", *models, "--project-dir", str(dbt.PROJECT), "--profiles-dir", str(dbt.PROJECT)]
    environment = dbt._environment("broken")
    subprocess.run([sys.executable, "-m", "dbt.cli.main", *arguments], env=environment, check=True)


@pytest.mark.exhaustive
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("deployed_warehouse")
def test_increments_give_row_for_row_what_one_build_gives(
    warehouse_factory: WarehouseFactory, deployed_template: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    step_by_step = PostingLog(HUAINAN)
    for place, facts in enumerate(batches()):
        step_by_step.add(*facts)
        if place == 1:
            build_only("built_head", "journal_line")
        build(f"step {place}")
    by_increments = books()
    build("nothing new")
    assert books() == by_increments

    monkeypatch.setenv("FUND_DATABASE_URL", warehouse_factory(template=deployed_template[0]))
    at_once = PostingLog(HUAINAN)
    for facts in batches():
        at_once.add(*facts)
    build("at once")
    assert books() == by_increments

    assert rows("select * from ledger.unposted_event") == []
    # 9,000 + 71 - 3,200 - 400 - 1,000 (advance, 600 of it used) - 500 have left MAT; 400 of the advance stay open.
    assert balances("MAT") == {}
    # 3001: 50,000 + what came in (9,000 + 71 - 3,200 - 400 - 600 - 500 = 4,371) + 2019 closed: pooled 570 + 77 + 200
    # recovered; the year end puts the personal part, 280 - 100, into 3002.
    assert balances("EMI") == {
        "1004": Decimal("-6100.00"),  # 3,200 + 400 + 1,000 + 500 out of MAT, 100 personal, 900 in January
        "1005": Decimal("998.00"),  # 71 + 850 + 77
        "100301": Decimal("59200.00"),  # 50,000 + 9,000 + 200
        "1101": Decimal("400.00"),
        "3001": Decimal("-55218.00"),
        "3002": Decimal("-180.00"),
        "5001010301": Decimal("900.00"),
    }
    assert (
        rows("select accounting_month, original_month from ledger.journal_line where event_seq = 6 and entry_no = 1")
        == [(rows("select date '2019-11-01', date '2019-10-01'")[0])] * 2
    )


@pytest.mark.exhaustive
@pytest.mark.usefixtures("deployed_warehouse")
def test_the_merger_gives_the_same_balances_whatever_arrives_first() -> None:
    facts: list[Fact] = [
        MATERNITY_PREMIUM | {"occurred_on": "2019-11-08", "employer_amount": 70},
        BIRTH | {"occurred_on": "2019-11-20", "pooled_amount": 3200},
        BIRTH | {"occurred_on": "2019-12-03", "pooled_amount": 1100},
        MATERNITY_PREMIUM | {"occurred_on": "2019-12-04", "employer_amount": 64},
    ]
    merger_last, merger_first = PostingLog(HUAINAN), PostingLog(NANJING)
    merger_last.add(*facts, MERGER)
    merger_first.add(
        MERGER | {"occurred_on": "2020-01-01"},
        *(fact | {"occurred_on": str(fact["occurred_on"]).replace("2019-12", "2020-01")} for fact in facts),
    )
    build("both orders")
    per_region = [dict(balances_of(region)) for region in (HUAINAN, NANJING)]
    assert per_region[0] == per_region[1]
    assert {key for key in per_region[0] if key[0] == "MAT"} == set()


def balances_of(region_code: str) -> Iterable[tuple[tuple[str, str, str], Decimal]]:
    for fund_code, account_code, sub_fund, balance in rows(
        "select fund_code, account_code, sub_fund, sum(debit_amount - credit_amount) from ledger.journal_line"
        f" where region_code = '{region_code}' group by 1, 2, 3 having sum(debit_amount - credit_amount) <> 0"
    ):
        yield (fund_code, account_code, sub_fund), balance


@pytest.mark.usefixtures("deployed_warehouse")
def test_a_region_stops_at_what_it_cannot_book_and_goes_on_once_there_is_a_rule() -> None:
    """An allowance under 310 before the merger has no rule: nothing is skipped, the other region goes on."""
    huainan, nanjing = PostingLog(HUAINAN), PostingLog(NANJING)
    allowance = BIRTH | {"insurance_type": "310", "benefit_item": "maternity_allowance", "occurred_on": "2019-11-21"}
    huainan.add(MATERNITY_PREMIUM | {"occurred_on": "2019-11-08", "employer_amount": 70})
    huainan.add(
        MATERNITY_PREMIUM | {"occurred_on": "2019-11-09", "employer_amount": 71},
        allowance | {"pooled_amount": 9000},
    )
    nanjing.add(MATERNITY_PREMIUM | {"occurred_on": "2019-11-08", "employer_amount": 90})
    build("stopped")
    booked = "select region_code, event_seq from ledger.journal_line group by 1, 2 order by 1, 2"
    assert rows(booked) == [(NANJING, 1), (HUAINAN, 1)]
    problem = "no posting rule for claim.paid / pre_merger_maternity_allowance"
    assert rows("select event_seq, amount, problem from ledger.unposted_event order by 1") == [
        (2, Decimal("71.00"), "not in the journal: an earlier event of the region, or of its batch, waits"),
        (3, Decimal("0.00"), problem),
    ]
    add_rule("pre_merger_maternity_allowance", like="pre_merger_outpatient")
    build("goes on")
    assert rows(booked) == [(NANJING, 1), (HUAINAN, 1), (HUAINAN, 2), (HUAINAN, 3)]
    assert rows("select * from ledger.unposted_event") == []


def add_rule(variant: str, *, like: str) -> None:
    """As if rows had been added to the seed: the rules of `like` for another variant."""
    with closing(connect(role="fund_transform")) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "create temporary table added as select * from policy.posting_rules"
            " where event_type = 'claim.paid' and posting_variant = %s",
            (like,),
        )
        cursor.execute("update added set posting_variant = %s, rule_id = 'X' || rule_id", (variant,))
        cursor.execute("insert into policy.posting_rules select * from added")
