"""Errors that cancel each other are no agreement; collections stated without an account are those of all accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from reporting import books
from reporting.tie_out import figures
from reporting.tie_out.command import report
from runtime import dbt
from tests.integration.posting_log import PostingLog
from tests.integration.replay_support import ask, publish

REGION = "320100"
Fact = Mapping[str, Any]
FIGURES = """
    SELECT account_code, stated_on, status, difference::text, in_transit_amount::text, item_count FROM marts.tie_out
    WHERE accounting_month = %s ORDER BY 1 NULLS FIRST, 2
"""
ITEMS = """
    SELECT status, match_number, difference::text FROM marts.tie_out_item
    WHERE accounting_month = %s AND status <> 'matched' ORDER BY 3, 2 NULLS FIRST
"""


def premium(day: str, number: str, amount: int, account: str = "treasury") -> Fact:
    return {
        **{"event_type": "contribution.collected", "insurance_type": "310", "enrollment_category": "employee"},
        **{"deposit_account": account, "person_no": "P1", "personal_amount": 0, "personal_account_credit": 0},
        **{"occurred_on": day, "receipt_no": number, "employer_amount": amount},
    }


def paid(day: str, number: str, amount: int) -> Fact:
    return {
        **{"event_type": "claim.paid", "occurred_on": day, "insurance_type": "310", "benefit_item": "inpatient"},
        **{"payee_type": "institution", "institution_code": "H1", "payment_no": number, "claim_no": f"C{number}"},
        **{"person_no": "P1", "pooled_amount": amount},
    }


def stated(kind: str, day: str, amount: int, **about: str) -> Fact:
    return {
        **{"event_type": "balance.stated", "fund_code": "EMI", "schema_version": 2, "statement_kind": kind},
        **{"occurred_on": day, "amount": amount, **about},
    }


def receipts(day: str, *numbered: tuple[str, int]) -> Sequence[Fact]:
    """The tax office's day: its total, and receipt by receipt."""
    rows = [stated("tax_collected", day, amount, account="treasury", tax_voucher_no=no) for no, amount in numbered]
    return [*rows, stated("tax_collected", day, sum(amount for _, amount in numbered), account="treasury")]


def settled(month: str, *numbered: tuple[str, int]) -> Sequence[Fact]:
    """A hospital's month: its total, and payment by payment."""
    about, last = {"institution_code": "H1", "accounting_month": f"{month}-01"}, f"{month}-28"
    rows = [stated("institution_settled", last, amount, **about, payment_no=number) for number, amount in numbered]
    return [*rows, stated("institution_settled", last, sum(amount for _, amount in numbered), **about)]


def movements(balance: int, *moved: tuple[str, str, int]) -> Sequence[Fact]:
    """A bank's list of the expenditure account: the balance after each movement (day, number, amount)."""
    rows = []
    for day, number, amount in moved:
        balance += amount
        rows.append(stated("bank_balance", day, balance, account="expenditure", payment_no=number))
    return rows


FACTS: Sequence[Fact] = (
    {"event_type": "balance.opened", "occurred_on": "2020-01-01", "fund_code": "EMI", "account": "expenditure"}
    | {"amount": 50_000},
    # January: a receipt that we lack, and one that they lack, of one amount on one day.
    premium("2020-01-08", "T5", 100),
    premium("2020-01-08", "T6", 70),
    *receipts("2020-01-08", ("T9", 100), ("T6", 70)),
    # February: two receipts of other amounts, five more and five less.
    premium("2020-02-08", "U1", 100),
    premium("2020-02-08", "U2", 200),
    *receipts("2020-02-08", ("U1", 105), ("U2", 195)),
    # March: a month of a hospital, one amount wrong, and what makes up for it missing there.
    paid("2020-03-03", "Z1", 900),
    paid("2020-03-04", "Z2", 50),
    *settled("2020-03", ("Z1", 950)),
    # June: a bank's list; of the 9th one payment is wrong upwards, one downwards, and one is booked on the 10th.
    paid("2020-06-09", "Y1", 300),
    paid("2020-06-09", "Y2", 400),
    paid("2020-06-09", "Y3", 25),
    *movements(50_000 - 900 - 50, ("2020-06-08", "Y0", 0)),
    *movements(50_000 - 900 - 50, ("2020-06-09", "Y1", -310), ("2020-06-09", "Y2", -390), ("2020-06-10", "Y3", -25)),
    # August: lists without an error.
    premium("2020-08-08", "V1", 100),
    *receipts("2020-08-08", ("V1", 100)),
    # October: part of the collections went straight to the special account, part to the income account.
    premium("2020-10-08", "W1", 100),
    premium("2020-10-09", "W2", 30, "special_demand"),
    premium("2020-10-10", "W3", 7, "income"),
    stated("tax_collected", "2020-10-31", 137, accounting_month="2020-10-01"),
    stated("tax_collected", "2020-10-31", 100, accounting_month="2020-10-01", account="treasury"),
    stated("tax_collected", "2020-10-31", 31, accounting_month="2020-10-01", account="special_demand"),
)


def compared(month: str) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    day = f"{month}-01"
    return ask(FIGURES, day), ask(ITEMS, day)


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("deployed_warehouse")
def test_what_cancels_is_shown_and_collections_without_an_account_are_all_of_them() -> None:
    PostingLog(REGION).add(*FACTS)
    dbt.build("offsets")
    publish()

    assert compared("2020-01") == (
        [("1005", date(2020, 1, 8), "offsetting", "0.00", "0.00", 2)],
        [("missing_here", "T9", "-100.00"), ("missing_there", "T5", "100.00")],
    )
    assert compared("2020-02") == (
        [("1005", date(2020, 2, 8), "offsetting", "0.00", "0.00", 2)],
        [("amount_differs", "U1", "-5.00"), ("amount_differs", "U2", "5.00")],
    )
    assert compared("2020-03") == (
        [(None, date(2020, 3, 31), "offsetting", "0.00", "0.00", 2)],
        [("amount_differs", "Z1", "-50.00"), ("missing_there", "Z2", "50.00")],
    )
    of_bank, items = compared("2020-06")
    assert of_bank == [
        ("1004", date(2020, 6, 8), "agreed", "0.00", "0.00", 0),
        ("1004", date(2020, 6, 9), "offsetting", "-25.00", "-25.00", 3),
        ("1004", date(2020, 6, 10), "agreed", "0.00", "25.00", 1),
    ]
    assert items == [
        ("amount_differs", "Y2", "-10.00"),
        ("in_transit", "Y3", "-25.00"),
        ("amount_differs", "Y1", "10.00"),
        ("in_transit", "Y3", "25.00"),
    ]
    assert compared("2020-08") == ([("1005", date(2020, 8, 8), "agreed", "0.00", "0.00", 0)], [])

    october, _ = compared("2020-10")
    assert [(row[0], row[2], row[3]) for row in october] == [
        (None, "agreed", "0.00"),
        ("100301", "unexplained", "-1.00"),
        ("1005", "agreed", "0.00"),
    ]
    with books.one_state() as connection:
        told = "\n".join(report(connection, REGION, date(2020, 1, 1)))
        all_accounts = [one.what for one in figures(connection, REGION, date(2020, 10, 1)) if one.account_code is None]
    assert "1 个差错相抵" in told
    assert "差错相抵 offsetting errors" in told
    assert [name.en.rpartition(", ")[2] for name in all_accounts] == ["all accounts that collect"]
    assert {row[0] for row in ask("SELECT sum(unexplained_amount) FROM marts.tie_out")} == {Decimal("-1.00")}
