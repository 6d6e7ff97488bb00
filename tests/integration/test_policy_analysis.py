"""Risk, budget, statistics and disclosure of small books, every figure worked out by hand here, and P11-P14 on them.

Huainan, merged before the books begin. Yuan.
    2020-01-01  opened: special account 100,000, of it personal accounts 10,000: pooled 90,000
    January 2020   premium 1,000 + 200, credit 150: pooled 850, personal 350; delivery of P1 300, inpatient 700
                   pooled 90,000 + 850 - 1,000 = 89,850; 50 received that nobody has identified
    February 2020  allowance of P1 500, prenatal care of P2 100; pooled 89,250
    January 2021   premium 1,200 + 200, credit 150: pooled 1,050, personal 350; caesarean of P3 600, inpatient 600
                   pooled 89,250 + 1,050 - 1,200 = 89,100; personal accounts 10,000 + 350 + 350 = 10,700
    Months in reserve: January 2020 89,850 / 1,000; February 89,250 / (1,600 / 2);
        January 2021 89,100 / ((600 + 1,200) / 12), of the twelve months from February 2020 on
    Assessed for January 2020 1,200, paid; for December 2020 600, not paid: 600 of 1,800 in arrears in January 2021
    Budget of 2021: benefits 1,000 in all, 1,000 of it maternity; the total, 900, is not what its lines add up to, and
        inpatient costs of 600 have no budget at all
"""

from __future__ import annotations

from contextlib import closing
from datetime import date
from decimal import Decimal

import pytest
from posting_log import Fact, PostingLog

from expectations.check import REVIEW, Candidate, Check
from expectations.suites.policy.analysis import P11, P12, P13, P14
from ingestion.database import connect
from ingestion.settings import Settings
from runtime import dbt
from tests.integration.pages_support import built, tree, words
from tests.integration.test_marts_hand_worked import let_finance_read, publish_everything, query

REGION = "340400"
BUSINESS_DATE = date(2021, 4, 1)
PREMIUM: Fact = {
    "event_type": "contribution.collected",
    "insurance_type": "310",
    "enrollment_category": "employee",
    "deposit_account": "special",
    "employer_no": "E1",
    "person_no": "P1",
    "personal_amount": 200,
    "personal_account_credit": 150,
}
ASSESSED: Fact = {**PREMIUM, "event_type": "contribution.assessed", "deposit_account": None, "contribution_base": 5000}


def claim(number: str, item: str, person: str, settled: str, paid: str, amount: int) -> list[Fact]:
    """A claim settled and paid out of the special account."""
    fact: Fact = {
        "insurance_type": "310",
        "benefit_item": item,
        "claim_no": number,
        "person_no": person,
        "institution_code": None if item == "maternity_allowance" else "H1",
        "pooled_amount": amount,
    }
    payment = {"pay_account": "special_demand", "payee_type": "institution", "payment_no": f"N{number}"}
    return [
        {**fact, "event_type": "claim.settled", "occurred_on": settled, "medical_fee_total": amount * 2},
        {**fact, **payment, "event_type": "claim.paid", "occurred_on": paid},
    ]


def facts() -> list[Fact]:
    opening: Fact = {"event_type": "balance.opened", "occurred_on": "2020-01-01", "fund_code": "EMI"}
    received: Fact = {"event_type": "receipt.unidentified", "occurred_on": "2020-01-10", "fund_code": "EMI"}
    return [
        {**opening, "account": "special_demand", "amount": 100000},
        {**opening, "account": "personal_balance", "amount": 10000},
        {**PREMIUM, "occurred_on": "2020-01-08", "employer_amount": 1000, "contribution_month": "2020-01-01"},
        {**received, "account": "special_demand", "amount": 50},
        *claim("C1", "delivery_normal", "P1", "2020-01-05", "2020-01-15", 300),
        *claim("C2", "inpatient", "P9", "2020-01-05", "2020-01-15", 700),
        *claim("C3", "maternity_allowance", "P1", "2020-02-03", "2020-02-08", 500),
        *claim("C4", "prenatal", "P2", "2020-02-01", "2020-02-03", 100),
        {**ASSESSED, "occurred_on": "2020-01-02", "employer_amount": 1000, "contribution_month": "2020-01-01"},
        {**ASSESSED, "occurred_on": "2020-12-02", "employer_amount": 400, "contribution_month": "2020-12-01"},
        {**PREMIUM, "occurred_on": "2021-01-08", "employer_amount": 1200, "contribution_month": "2021-01-01"},
        *claim("C5", "delivery_caesarean", "P3", "2021-01-05", "2021-01-15", 600),
        *claim("C6", "inpatient", "P9", "2021-01-05", "2021-01-15", 600),
    ]


PARAMETERS = """
    insert into policy.budget (region_code, fund_code, budget_year, line_code, adjustment_no, amount, principle,
        policy_basis, data_source, forecast_basis, change_reason, approved_on, approved_by, known_from, status, source)
    select '340400', 'EMI', 2021, line, 0, amount, '以收定支', '文号', '账簿', '测算', reason, '2021-01-20', '市人大',
        '2021-01-20', 'assumed', 's'
    from (values ('E1131', 1000, '原因'), ('E113', 1000, '原因'), ('E11', 1000, ''), ('E90', 900, '原因'),
        ('E50', 1000, '原因')) as stated (line, amount, reason);
    insert into policy.budget_factor (region_code, fund_code, budget_year, line_code, factor_code, factor_zh, factor_en,
        percent, amount, basis, known_from, status, source)
    values ('340400', 'EMI', 2022, 'E1131', 'births', '出生下降', 'fewer births', -0.05, null, '预测', '2021-01-01',
        'assumed', 's');
    insert into policy.disclosure_calendar values ('340400', '2020-12-01', null, 25, 5, '2021-01-01', 'assumed', 's');
"""
SET_ASIDE = """
    insert into events.file_registry values (1, 'by_hand', 'a.claim.csv', repeat('0', 64), 1, now());
    insert into events.quarantine (quarantine_id, file_id, line_no, region_code, family, source_system, error_codes,
        messages, amount, quarantined_at)
    values (1, 1, 2, '340400', 'claim', 'by_hand', array['E-VALUE'], array['x'], 80, '2021-03-30');
"""


def indicators(month: str) -> dict[str, str]:
    """Indicator -> value, months and level of a month."""
    found = query(
        "SELECT indicator_code, round(value, 4), months_present, level FROM marts.risk_indicator"
        " WHERE region_code = %s AND accounting_month = %s",
        REGION,
        month,
    )
    return {str(code): f"{value} {months} {level}" for code, value, months, level in found}


def found_by(check: Check, head: int) -> dict[str, Decimal | None]:
    """Item -> amount of what a check of the review lists; something was examined."""
    candidate = Candidate(REGION, 0, head, 1, None, 0, BUSINESS_DATE, None, scope=REVIEW)
    with closing(connect(role="fund_quality", autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(check.bind(check.examined, candidate))
        assert cursor.fetchone()[0] > 0
        cursor.execute(check.bind(check.population, candidate))
        assert cursor.fetchone()[0] > 0
        cursor.execute(f"select item, amount from ({check.bind(check.offending, candidate)}) as found")
        return dict(cursor.fetchall())


def administer(statements: str, role: str | None = None) -> None:
    with closing(connect(role=role, autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(statements)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("deployed_warehouse")
def test_risk_budget_statistics_and_disclosure_come_out_as_worked_out_by_hand() -> None:
    let_finance_read()
    log = PostingLog(REGION)
    head = log.add(*facts()) + len(facts()) - 1
    dbt.build("analysis")
    publish_everything("analysis")
    administer(PARAMETERS)

    check_indicators()
    check_budget()
    check_statistics()
    check_disclosure()
    check_pages()
    check_findings(head)


def check_indicators() -> None:
    assert indicators("2020-01-01")["pooled_months_in_reserve"] == "89.8500 1 excessive"
    assert indicators("2020-02-01")["pooled_months_in_reserve"] == "111.5625 2 excessive"
    assert indicators("2021-01-01") == {
        "pooled_months_in_reserve": "594.0000 12 excessive",
        "current_balance": "-150.0000 1 None",
        "current_balance_year_to_date": "-150.0000 1 None",
        "current_balance_rate": "-0.1429 1 yellow",
        "income_growth": "0.2353 1 None",
        "expenditure_growth": "0.2000 1 None",
        "growth_gap": "0.0353 1 green",
        "maternity_share": "0.6667 12 excessive",
        "maternity_growth": "1.0000 1 excessive",
        "caesarean_share": "1.0000 1 excessive",
        "institution_cost_ratio": "None 1 no_data",
        "arrears_rate": "0.3333 2 excessive",
        "temporary_payment_days": "0.0000 1 green",
        "temporary_receipt_days": "387.0000 1 yellow_high",
        "personal_account_balance": "10700.0000 1 green",
    }
    assert query("SELECT account_code, age_days, age_band, open_amount, is_overdue FROM marts.temporary_item") == [
        ("2001", 387, "over_365", Decimal("50.00"), True)
    ]


def check_budget() -> None:
    executed = query(
        "SELECT line_code, adjusted_amount, amount_year_to_date, round(execution_rate, 2), is_exceeded, deviation_level"
        " FROM marts.budget_execution WHERE region_code = %s AND accounting_month = '2021-01-01'"
        " AND adjusted_amount IS NOT NULL ORDER BY 1",
        REGION,
    )
    assert [[str(value) for value in row] for row in executed] == [
        ["E11", "1000.00", "1200.00", "1.20", "True", "yellow_high"],
        ["E113", "1000.00", "600.00", "0.60", "False", "yellow_high"],
        ["E1131", "1000.00", "600.00", "0.60", "False", "yellow_high"],
        ["E50", "1000.00", "1200.00", "1.20", "True", "yellow_high"],
        ["E90", "900.00", "1200.00", "1.33", "True", "yellow_high"],
    ]
    proposed = query(
        "SELECT line_code, annual_amount, factor_amount, proposed_amount FROM marts.budget_proposal"
        " WHERE region_code = %s AND budget_year = 2022 AND line_code = ANY(%s) ORDER BY 1",
        REGION,
        ["I90", "E90", "E113", "E1131", "S10"],
    )
    assert [[str(value) for value in row] for row in proposed] == [
        ["E113", "7200.00", "-360.00", "6840.00"],
        ["E1131", "7200.00", "-360.00", "6840.00"],
        ["E90", "14400.00", "-360.00", "14040.00"],
        ["I90", "16800.00", "0.00", "16800.00"],
        ["S10", "2400.00", "360.00", "2760.00"],
    ]
    incomplete = (
        "SELECT count(*) FROM marts.budget_proposal WHERE '' IN (principle, policy_basis, data_source, forecast_basis,"
    )
    assert query(f"{incomplete} change_reason)") == [(0,)]


def check_statistics() -> None:
    told = query(
        "SELECT accounting_month::text, beneficiary_count, visit_count, amount, beneficiary_count_year_to_date,"
        " visit_count_year_to_date, average_days_to_payment, longest_days_to_payment FROM marts.maternity_statistics"
        " WHERE region_code = %s AND amount <> 0 ORDER BY 1",
        REGION,
    )
    assert told == [
        ("2020-01-01", 1, 1, Decimal("300.00"), 1, 1, Decimal("10.00"), 10),
        ("2020-02-01", 2, 1, Decimal("600.00"), 2, 2, Decimal("3.50"), 5),
        ("2021-01-01", 1, 1, Decimal("600.00"), 1, 1, Decimal("10.00"), 10),
    ]
    either = (
        "SELECT definition_code, visit_count FROM marts.maternity_visit_count WHERE accounting_month = '2020-02-01'"
    )
    assert query(f"{either} ORDER BY 1") == [("visit_from_2023", 2), ("visit_to_2022", 1)]


def check_disclosure() -> None:
    (told,) = query(
        "SELECT income_amount, income_10k, maternity_expenditure_amount, surplus_amount, balance_amount,"
        " beneficiary_count, has_small_numbers, due_on::text, footnote_en FROM marts.public_disclosure"
        " WHERE region_code = %s AND accounting_month = '2021-01-01'",
        REGION,
    )
    assert [str(value) for value in told[:-1]] == [
        *("1400.00", "0.14", "600.00", "200.00", "99800.00"),
        *("None", "True", "2021-02-25"),
    ]
    assert "maternity income is no longer listed" in str(told[-1])
    lines = [str(line) for (line,) in query("SELECT line FROM marts.disclosure_csv(%s) ORDER BY place", REGION)]
    assert lines[0].startswith("region_code,fund_code,accounting_month,participant_count,")
    assert lines[-1].startswith("340400,EMI,2021-01-01,")
    assert lines[-1].endswith(",1400.00,1400.00,1200.00,1200.00,600.00,600.00,200.00,200.00,99800.00,true")
    assert len(lines) == 14


def check_pages() -> None:
    settings = Settings.from_env()
    for key in ("risk", "budget", "statistics"):
        ((_, html),) = built(settings, key).items()
        assert "P1" not in words(tree(html)).split(), "a page shows nobody's number"
    files = built(settings, "disclosure")
    assert set(files) == {"disclosure.html", "disclosure_340400.csv"}
    assert files["disclosure_340400.csv"].endswith("99800.00,true\n")
    assert "人数过少，不公布" in words(tree(files["disclosure.html"]))
    assert "594.00" in words(tree(built(settings, "overview")["index.html"]))


def check_findings(head: int) -> None:
    assert set(found_by(P11, head)) == {
        *("pooled_months_in_reserve", "current_balance_rate", "maternity_share", "maternity_growth", "caesarean_share"),
        *("arrears_rate", "temporary_receipt_days"),
    }
    assert found_by(P12, head) == {
        "EMI/2021/E11": Decimal(200),
        "EMI/2021/E10": Decimal(1200),
        "EMI/2021/E111": Decimal(600),
        "EMI/2021/E113": Decimal("516.67"),
        "EMI/2021/E1131": Decimal("516.67"),
        "EMI/2021/E50": Decimal(200),
        "EMI/2021/E90": Decimal(300),
        "explanation/EMI/2021/E11/0": Decimal(1000),
        "total/EMI/2021/E90/0": Decimal(100),
        "total/EMI/2021/E50/0": Decimal(1000),
    }
    assert found_by(P13, head) == {}
    administer(SET_ASIDE, role="fund_ingest")
    assert found_by(P13, head) == {"open/claim": Decimal(80)}
    # February is due by 25 March, March not yet; the three months of the books were published years after their day.
    assert found_by(P14, head) == {"2021-02": None, "late": None}
    # Without the row of the seed no calendar is in force to November: that is said, no month is left out in silence.
    administer("delete from policy.disclosure_calendar where region_code = '340400' and effective_from < '2020-12-01'")
    assert found_by(P14, head) == {"calendar/2020-01": None, "2021-02": None, "late": None}
    told = (
        "SELECT beneficiary_count, has_small_numbers, due_on FROM marts.public_disclosure WHERE fund_code = 'EMI'"
        " AND region_code = %s AND accounting_month = '2020-02-01'"
    )
    assert query(told, REGION) == [(None, True, None)]
