"""Personal accounts, arrears and institutions: figures worked out by hand, increments, and what a day costs.

Nanjing. Yuan. Premium of December for P1 at employer E1: assessed 700 + 150, later 650 + 150; collected 600 + 150 with a credit
of 80 and a late fee of 9; in January 20 + 5 of it go back, 4 of them credit. P2 at E1: assessed 400 + 100, nothing collected.
Hospital H1: C1 settled for 900 + 100 with a deposit of 90 kept back, paid 810 + 100, the 100 from P2's account for P1's bill;
60 + 40 recovered in the same year, 10 of P2's part after it; the deposit released in February. C2 of 200 settled against the
advance of 500. C3 of 50 paid to the patient, who never got it: reversed, and still owed.
    personal accounts  nobody 1,000 opened + 7 interest; P1 80 + 150 = 230, then -4 -5 = 221; P2 -100 + 40 = -60, then +10 -12 = -62
    N20                December 1,007 + 230 - 60 = 1,177; January 1,007 + 221 - 60 = 1,168; February 1,007 + 221 - 62 = 1,166
    arrears            650 + 150 + 400 + 100 = 1,300 - (600 + 150) + (20 + 5) = 575, two months before February
    H1 December        settled 1,000, paid 910 - 100 = 810, deposit 90, advance 500; owed 1,000 - 810 - 100 recovered - 90 = 0
       January         settled 200, paid 200 by the advance, of which 300 remain; owed 0
       February        settled 50, paid 90 + 50 - 50 - 10 = 80, deposit 0; owed 50; 90 of the 140 paid went to H1 itself: 0.6429
    claims             batch 1: C1 settled 1,000 less 90, paid 910, nothing owed; batch 3: C2 settled and paid 200, C3 settled 50, paid
                       50, reversed 50, so 50 owed since February. Nobody is registered: P1, P2 and E1 are awaited by each batch.
"""

# ruff: noqa: E501 - one fact a row reads better than wrapped

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from posting_log import Fact, PostingLog

from ingestion.database import connect
from runtime import dbt

pytestmark = pytest.mark.slow

WarehouseFactory = Callable[..., str]
Rows = list[tuple[Any, ...]]
NANJING = "320100"
DELTAS = {
    "personal_account_turnover": "region_code, person_no, fund_code, accounting_month, batch_id",
    "assessed_contribution": "region_code, person_no, employer_no, contribution_month, insurance_type, batch_id",
    "contribution_turnover": "region_code, employer_no, contribution_month, insurance_type, enrollment_category, batch_id",
    "institution_settled": "region_code, institution_code, accounting_month, batch_id",
    "institution_turnover": "region_code, institution_code, accounting_month, batch_id",
    "claim_turnover": "region_code, claim_no, batch_id",
    "claim_unpaid": "region_code, settled_month, institution_code, batch_id",
    "awaited_reference": "region_code, reference_kind, reference_no, claim_no, batch_id",
    "employer_base_turnover": "region_code, employer_no, contribution_month, batch_id",
    "enrollment_spell": "region_code, person_no, batch_id, insurance_type, valid_from",
    "enrollment_coverage": "region_code, person_no, batch_id, gap_kind, gap_from",
    "insured_turnover": "region_code, insured_month, insurance_type, enrollment_category, worker_group, employer_no, batch_id",
    "maternity_source_turnover": "region_code, source_system, paid_month, batch_id",
    "settlement_turnover": "region_code, settled_month, institution_code, paid_on, claim_no, batch_id",
}
PREMIUM = {
    "insurance_type": "310",
    "enrollment_category": "employee",
    "employer_no": "E1",
    "contribution_month": "2019-12-01",
}
CLAIM = {"insurance_type": "310", "institution_code": "H1", "person_no": "P1"}
TREASURY = {"fund_code": "EMI"}


def assessed(person: str, employer: int, personal: int) -> Fact:
    about = {"event_type": "contribution.assessed", "occurred_on": "2019-12-05", "person_no": person}
    return (
        PREMIUM | about | {"employer_amount": employer, "personal_amount": personal, "contribution_base": 10 * employer}
    )


def enrolled(person: str, insurance_type: str) -> Fact:
    about = {"event_type": "enrollment.started", "occurred_on": "2019-12-01", "person_no": person, "employer_no": "E1"}
    return about | {"insurance_type": insurance_type, "enrollment_category": "employee", "contribution_base": 7000}


def batches() -> list[list[Fact]]:
    """The story above in the order of its seq."""
    return [
        [
            TREASURY | {"event_type": "balance.opened", "occurred_on": "2019-12-01", "account": "personal_balance", "amount": 1000},  # 1
            TREASURY | {"event_type": "balance.opened", "occurred_on": "2019-12-01", "account": "special_demand", "amount": 5000},
            assessed("P1", 700, 150),
            PREMIUM | {"event_type": "contribution.collected", "occurred_on": "2019-12-10", "person_no": "P1", "employer_amount": 600, "personal_amount": 150, "personal_account_credit": 80, "late_fee": 9, "deposit_account": "treasury"},  # 4
            CLAIM | {"event_type": "claim.settled", "occurred_on": "2019-12-12", "claim_no": "C1", "benefit_item": "inpatient", "pooled_amount": 900, "personal_account_amount": 100, "deposit_withheld_amount": 90},
            CLAIM | {"event_type": "advance.paid", "occurred_on": "2019-12-15", "claim_no": "A1", "pooled_amount": 500},  # 6
            CLAIM | {"event_type": "claim.paid", "occurred_on": "2019-12-20", "claim_no": "C1", "benefit_item": "inpatient", "payee_type": "institution", "account_holder_no": "P2", "pooled_amount": 810, "personal_account_amount": 100},  # 7
        ],
        [
            assessed("P1", 650, 150),
            assessed("P2", 400, 100),
            CLAIM | {"event_type": "claim.recovered", "occurred_on": "2019-12-28", "claim_no": "C1", "benefit_item": "inpatient", "pooled_amount": 60, "personal_account_amount": 40, "original": 7},
            TREASURY | {"event_type": "interest.allocated", "occurred_on": "2019-12-31", "amount": 7},
            {"event_type": "year.closed", "occurred_on": "2019-12-31", "accounting_month": "2019-12-01"},
            enrolled("P1", "310"),
        ],
        [
            PREMIUM | {"event_type": "contribution.refunded", "occurred_on": "2020-01-10", "person_no": "P1", "employer_amount": 20, "personal_amount": 5, "personal_account_credit": 4, "deposit_account": "special", "original": 4},
            CLAIM | {"event_type": "claim.settled", "occurred_on": "2020-01-11", "claim_no": "C2", "benefit_item": "outpatient", "pooled_amount": 200},
            CLAIM | {"event_type": "advance.offset", "occurred_on": "2020-01-20", "claim_no": "C2", "benefit_item": "outpatient", "pooled_amount": 200, "original": 6},
            CLAIM | {"event_type": "claim.paid", "occurred_on": "2020-02-05", "claim_no": "C1", "benefit_item": "inpatient", "settlement_kind": "deposit_release", "payee_type": "institution", "pooled_amount": 90},
            CLAIM | {"event_type": "claim.settled", "occurred_on": "2020-02-06", "claim_no": "C3", "benefit_item": "outpatient", "pooled_amount": 50},
            CLAIM | {"event_type": "claim.paid", "occurred_on": "2020-02-10", "claim_no": "C3", "benefit_item": "outpatient", "payee_type": "person", "pooled_amount": 50},  # 19
            CLAIM | {"event_type": "claim.reversed", "occurred_on": "2020-02-11", "claim_no": "C3", "benefit_item": "outpatient", "original": 19},
            TREASURY | {"event_type": "transfer.sent", "occurred_on": "2020-02-12", "sub_fund": "personal", "account": "special_demand", "person_no": "P2", "amount": 12},
            CLAIM | {"event_type": "claim.recovered", "occurred_on": "2020-02-13", "claim_no": "C1", "benefit_item": "inpatient", "personal_account_amount": 10, "original": 7},
            enrolled("P1", "510"),
            {"event_type": "claim.paid", "occurred_on": "2020-02-14", "insurance_type": "310", "person_no": "P9", "claim_no": "C9", "benefit_item": "delivery_normal", "payee_type": "person", "pooled_amount": 30},
        ],
    ]  # fmt: skip


def rows(query: str, role: str | None = None) -> Rows:
    with closing(connect(role=role) if role else connect()) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def shown(query: str) -> list[str]:
    """Rows as finance staff see them, values separated by a blank, null as a dash."""
    return [" ".join("-" if value is None else str(value) for value in row) for row in rows(query, "finance_reader")]


def deltas() -> dict[str, Rows]:
    return {table: rows(f"select * from ledger.{table} order by {order}") for table, order in DELTAS.items()}


def run_models(*models: str) -> None:
    """Just these models, as a build that died or one whose cost is looked at."""
    arguments = ["run", "--select", *models, "--project-dir", str(dbt.PROJECT), "--profiles-dir", str(dbt.PROJECT)]
    subprocess.run([sys.executable, "-m", "dbt.cli.main", *arguments], env=dbt._environment("some"), check=True)


def publish() -> None:
    """Publish what is built, and let finance staff read all regions."""
    with closing(connect(autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)"
            " select distinct on (region_code) region_code, seq, batch_id, batch_hash, '-', 'by hand'"
            " from ledger.built_head order by region_code, seq desc;"
            "insert into access.region_grant (reader, reader_role) values ('finance_reader', 'finance_reader')"
        )


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("deployed_warehouse")
def test_figures_worked_out_by_hand_whatever_the_increments(
    warehouse_factory: WarehouseFactory, deployed_template: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    step_by_step = PostingLog(NANJING)
    for place, facts in enumerate(batches()):
        step_by_step.add(*facts)
        if place == 1:
            run_models("built_head", "journal_line", "assessed_contribution")
        dbt.build(f"step {place}")
    by_increments = deltas()
    dbt.build("nothing new")
    assert deltas() == by_increments
    assert all(by_increments.values())
    publish()
    check_figures()

    monkeypatch.setenv("FUND_DATABASE_URL", warehouse_factory(template=deployed_template[0]))
    at_once = PostingLog(NANJING)
    for facts in batches():
        at_once.add(*facts)
    dbt.build("at once")
    assert deltas() == by_increments
    assert rows("select * from ledger.unposted_event") == []


def check_figures() -> None:
    assert shown("select * from marts.personal_account_balance order by person_no nulls first, accounting_month") == [
        "320100 EMI 2019-12-01 - 1000.00 7.00 0.00 1007.00",
        "320100 EMI 2019-12-01 P1 230.00 0.00 0.00 230.00",
        "320100 EMI 2020-01-01 P1 -9.00 0.00 0.00 221.00",
        "320100 EMI 2019-12-01 P2 0.00 0.00 60.00 -60.00",
        "320100 EMI 2020-02-01 P2 10.00 0.00 12.00 -62.00",
    ]
    n20 = "select accounting_month, closing_amount from marts.balance_sheet where line_code = 'N20' and sub_fund = 'total'"
    assert shown(f"{n20} order by 1") == ["2019-12-01 1177.00", "2020-01-01 1168.00", "2020-02-01 1166.00"]
    assert shown("select * from marts.contribution_arrears") == [
        "320100 E1 2019-12-01 310 employee 1300.00 750.00 25.00 575.00 2"
    ]
    owed = "select settled_month, institution_code, batch_id, unpaid_change from ledger.claim_unpaid where unpaid_change <> 0"
    assert rows(owed) == [(date(2020, 2, 1), "H1", 3, Decimal("50.00"))]
    awaited = (
        "select batch_id, string_agg(reference_kind || ' ' || reference_no, ', ' order by reference_kind, reference_no)"
    )
    assert rows(f"{awaited} from ledger.awaited_reference group by 1 order by 1") == [
        (1, "employer E1, enrollment P1, examined -, person P1, person P2"),
        (2, "employer E1, examined -, person P1, person P2"),
        (
            3,
            "employer E1, enrollment P1, enrollment P1, enrollment P1, enrollment P9, examined -, person P1, person P2,"
            " settlement C9",
        ),
    ]
    assert shown("select * from marts.institution_settlement order by accounting_month") == [
        "320100 H1 2019-12-01 1000.00 810.00 90.00 500.00 0.00 1 1.0000",
        "320100 H1 2020-01-01 200.00 200.00 90.00 300.00 0.00 1 1.0000",
        "320100 H1 2020-02-01 50.00 80.00 0.00 300.00 50.00 1 0.6429",
    ]


# The sum over persons of the newest balance at or before each month, beside the balance sheet.
ACCOUNTS_AND_SHEET = """
select sheet.region_code, sheet.accounting_month, sheet.closing_amount, (
    select sum(held.closing_balance) from (
        select distinct on (person_no) closing_balance from marts.personal_account_balance as account
        where account.region_code = sheet.region_code and account.accounting_month <= sheet.accounting_month
        order by person_no, accounting_month desc
    ) as held
)
from marts.balance_sheet as sheet
where sheet.fund_code = 'EMI' and sheet.line_code = 'N20' and sheet.sub_fund = 'total'
"""
# By the statement: income but interest with openings, interest, expenditure of the personal accounts.
COLUMNS_AND_STATEMENT = """
select region_code, accounting_month, credited, interest, paid, of_credited, of_interest, of_paid
from (
    select region_code, accounting_month, sum(credited_amount) as credited, sum(interest_amount) as interest, sum(paid_amount) as paid
    from marts.personal_account_balance group by 1, 2
) as account
full join (
    select
        region_code, accounting_month,
        sum(amount_month) filter (where line_code in ('I90', 'S25')) - sum(amount_month) filter (where line_code = 'I30') as of_credited,
        sum(amount_month) filter (where line_code = 'I30') as of_interest,
        sum(amount_month) filter (where line_code = 'E90') as of_paid
    from marts.income_expenditure_statement where fund_code = 'EMI' and sub_fund = 'personal' group by 1, 2
) as statement using (region_code, accounting_month)
"""
# Advances of institutions are on account 1101, which holds others' beside them.
ADVANCES = """
select region_code, institution_code, sum(debit_amount - credit_amount) from marts.general_ledger
where account_code = '1101' and institution_code is not null group by 1, 2 having sum(debit_amount - credit_amount) <> 0
"""
ADVANCE_BALANCES = """
select distinct on (region_code, institution_code) region_code, institution_code, advance_balance
from marts.institution_settlement order by region_code, institution_code, accounting_month desc
"""
# Premiums without late fees, as the log of the samples has them.
PREMIUMS = """
select
    sum(employer_amount) filter (where event_type = 'contribution.collected')
    + sum(personal_amount) filter (where event_type = 'contribution.collected'),
    sum(employer_amount) filter (where event_type = 'contribution.refunded')
    + sum(personal_amount) filter (where event_type = 'contribution.refunded'),
    (select sum(latest.amount) from (
        select distinct on (region_code, person_no, employer_no, contribution_month, insurance_type, enrollment_category)
            coalesce(employer_amount, 0) + coalesce(personal_amount, 0) as amount
        from events.event where event_type = 'contribution.assessed'
        order by region_code, person_no, employer_no, contribution_month, insurance_type, enrollment_category, seq desc
    ) as latest)
from events.event
"""


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("published_copy")
def test_samples_tie_to_the_statements_and_a_day_costs_a_day() -> None:
    compared = rows(ACCOUNTS_AND_SHEET)
    assert len(compared) == 20
    assert [row for row in compared if row[2] != row[3]] == []
    columns = rows(COLUMNS_AND_STATEMENT)
    assert len(columns) == 20
    assert [row for row in columns if row[2:5] != row[5:8]] == []
    assert sorted(rows(ADVANCES)) == sorted(row for row in rows(ADVANCE_BALANCES) if row[2])
    assert len(rows(ADVANCES)) > 1
    totals = "select sum(collected_amount), sum(refunded_amount), sum(assessed_amount) from marts.contribution_arrears"
    assert rows(totals) == rows(PREMIUMS)

    check_cost_of_a_day()


def check_cost_of_a_day() -> None:
    """The second of two days, after a history of seventy thousand events: each table goes on from its own last row."""
    history = rows("select count(*) from events.event")[0][0]
    facts = [assessed("P1", 700, 150), *batches()[0][3:7], *batches()[2][4:6], *batches()[2][-2:]]
    day = [{name: value for name, value in fact.items() if name != "original"} for fact in facts]
    for region in (NANJING, "340400"):
        PostingLog(region).add(*day)
    run_models("built_head", "journal_line", "account_turnover", *DELTAS)
    PostingLog(NANJING).add(*day)
    run_models("built_head", "journal_line", "account_turnover")
    before = tuples_read()
    run_models(*DELTAS)
    read = {table: count - before[table] for table, count in tuples_read().items()}
    assert history > 70_000
    assert 0 < sum(read.values()) < 1_000, read
    newest = (
        "region_code = '320100' and batch_id = (select max(batch_id) from events.batch where region_code = '320100')"
    )
    for table in DELTAS:
        # an enrolment told once more changes no number of insured persons
        adds = table != "insured_turnover"
        assert rows(f"select count(*) > 0 from ledger.{table} where {newest}") == [(adds,)], table


def tuples_read() -> dict[str, int]:
    """Rows that any plan has taken from the log and the big tables of the ledger so far, by table."""
    return dict(
        rows(
            "select relname, seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_user_tables where relname in"
            " ('event', 'journal_line', 'personal_account_turnover', 'assessed_contribution', 'contribution_turnover',"
            " 'institution_settled', 'institution_turnover', 'claim_turnover', 'claim_unpaid', 'awaited_reference',"
            " 'employer_base_turnover', 'enrollment_coverage', 'enrollment_spell', 'insured_turnover', 'maternity_source_turnover',"
            " 'settlement_turnover')"
        )
    )
