"""Published accounts of other places, fed in as events, come out of the statements as they were published."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

import pytest
from posting_log import Fact, PostingLog

from ingestion.database import connect
from runtime import dbt

Figures = dict[tuple[str, str], Decimal]

CITY, COUNTRY = "321281", "100000"
TEN_THOUSAND, HUNDRED_MILLION = 10_000, 100_000_000  # yuan


def yuan(text: str, unit: int) -> Decimal:
    return Decimal(text) * unit


def city_2016() -> list[Fact]:
    """Xinghua, employee fund, 2016 (audit notice, in 10,000 yuan). Published: totals, assets and both balances.

    How premiums and benefits divide between the sub-funds was not published and is chosen here; opening balances are
    what the published closing balances leave.
    """

    def amount(text: str) -> Decimal:
        return yuan(text, TEN_THOUSAND)

    opening = {"event_type": "balance.opened", "fund_code": "EMI", "occurred_on": "2016-01-01"}
    premium = {"event_type": "contribution.collected", "insurance_type": "310", "enrollment_category": "employee"}
    claim = {"event_type": "claim.paid", "insurance_type": "310", "occurred_on": "2016-11-30", "claim_no": "C1"}
    special = {"fund_code": "EMI", "account": "special_demand", "occurred_on": "2016-06-30"}
    return [
        opening | {"account": "special_demand", "amount": amount("6975.52")},
        opening | {"account": "special_time", "amount": amount("25350")},
        opening | {"account": "temporary_payment", "amount": amount("5023")},
        opening | {"account": "personal_balance", "amount": amount("21629.82")},
        premium
        | {"occurred_on": "2016-03-31", "deposit_account": "special", "employer_amount": amount("28356.33")}
        | {"personal_amount": amount("11000"), "personal_account_credit": amount("5000")},
        special | {"event_type": "subsidy.received", "sub_fund": "pooled", "amount": amount("8011.49")},
        special | {"event_type": "transfer.received", "sub_fund": "personal", "amount": amount("60.10")},
        special | {"event_type": "interest.credited", "sub_fund": "pooled", "amount": amount("583.16")},
        {"event_type": "cash.transferred", "fund_code": "EMI", "occurred_on": "2016-07-01"}
        | {"from_account": "special_demand", "to_account": "expenditure", "amount": amount("40331.64")},
        claim | {"benefit_item": "inpatient", "pooled_amount": amount("22000")},
        claim | {"benefit_item": "outpatient", "pooled_amount": amount("3331.64")},
        claim | {"benefit_item": "pharmacy", "personal_account_amount": amount("15000"), "occurred_on": "2016-12-31"},
    ]


def country_2024() -> list[Fact]:
    """The whole country, employee fund, 2024 (bulletin, in 100 million yuan): flows and balances by sub-fund."""

    def amount(text: str) -> Decimal:
        return yuan(text, HUNDRED_MILLION)

    opening = {"event_type": "balance.opened", "fund_code": "EMI", "occurred_on": "2024-01-01"}
    other = {"fund_code": "EMI", "account": "special_demand", "occurred_on": "2024-12-31"}
    return [
        opening | {"account": "special_demand", "amount": amount("40287.33")},
        opening | {"account": "personal_balance", "amount": amount("13961.57")},
        other | {"event_type": "other.received", "sub_fund": "pooled", "amount": amount("17342.45")},
        other | {"event_type": "other.received", "sub_fund": "personal", "amount": amount("6390.01")},
        other | {"event_type": "other.paid", "sub_fund": "pooled", "amount": amount("13222.71")},
        other | {"event_type": "other.paid", "sub_fund": "personal", "amount": amount("5879.83")},
    ]


def build_books() -> None:
    with closing(connect(role="fund_transform")) as connection, connection, connection.cursor() as cursor:
        for region in (CITY, COUNTRY):
            cursor.execute(
                "insert into policy.policy_region select (jsonb_populate_record(held, %s)).*"
                " from policy.policy_region as held where held.region_code = '320100'",
                ('{"region_code": "' + region + '"}',),
            )
    PostingLog(CITY).add(*city_2016())
    PostingLog(COUNTRY).add(*country_2024())
    dbt.build("published accounts")


def year_to_date(region_code: str, month: str) -> Figures:
    return figures(
        "select line_code, sub_fund, amount_year_to_date from ledger.candidate_income_expenditure_statement",
        region_code,
        month,
    )


def sheet(region_code: str, month: str) -> Figures:
    return figures("select line_code, sub_fund, closing_amount from ledger.candidate_balance_sheet", region_code, month)


def figures(query: str, region_code: str, month: str) -> Figures:
    with closing(connect(role="fund_quality")) as connection, connection.cursor() as cursor:
        cursor.execute(f"{query} where region_code = %s and accounting_month = %s", (region_code, month))
        return {(line, sub_fund): amount for line, sub_fund, amount in cursor.fetchall()}


@pytest.mark.usefixtures("deployed_warehouse")
def test_published_accounts_come_out_as_published() -> None:
    build_books()
    statement, balance = year_to_date(CITY, "2016-12-01"), sheet(CITY, "2016-12-01")
    published = {
        "I10": "39356.33", "I20": "8011.49", "I40": "60.10", "I30": "583.16", "I90": "48011.08",
        "E10": "40331.64", "E90": "40331.64", "S10": "7679.44", "S30": "45027.96",
    }  # fmt: skip
    assert {line: statement[line, "total"] for line in published} == {
        line: yuan(text, TEN_THOUSAND) for line, text in published.items()
    }
    published = {
        "A41": "14654.96", "A42": "25350", "A60": "5023", "A50": "0", "A90": "45027.96",
        "L90": "0", "N10": "22338.04", "N20": "22689.92", "N90": "45027.96", "T90": "45027.96",
    }  # fmt: skip
    assert {line: balance[line, "total"] for line in published} == {
        line: yuan(text, TEN_THOUSAND) for line, text in published.items()
    }

    statement, balance = year_to_date(COUNTRY, "2024-12-01"), sheet(COUNTRY, "2024-12-01")
    # The bulletin's own total of income is 23,732.47: its sub-funds add up to one hundredth less.
    by_sub_fund = {
        ("I90", "pooled"): "17342.45", ("I90", "personal"): "6390.01", ("I90", "total"): "23732.46",
        ("E90", "pooled"): "13222.71", ("E90", "personal"): "5879.83", ("E90", "total"): "19102.54",
        ("S10", "pooled"): "4119.74", ("S10", "personal"): "510.18",
        ("S30", "pooled"): "30445.50", ("S30", "personal"): "14471.75",
    }  # fmt: skip
    assert {key: statement[key] for key in by_sub_fund} == {
        key: yuan(text, HUNDRED_MILLION) for key, text in by_sub_fund.items()
    }
    assert balance["T90", "total"] == balance["A90", "total"] == yuan("44917.25", HUNDRED_MILLION)
