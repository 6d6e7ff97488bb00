"""Events × conditions of the posting rules, all of them, each with the lines it must lead to.

What is expected is written here a second time, from the contract: for each event the pooled and the personal account,
the fund and the account of the money.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

REGION = "320100"  # merged on 2020-01-01
BEFORE, SAME_YEAR, AFTER, NEXT_YEAR = "2019-03-11", "2019-08-20", "2020-03-11", "2021-02-09"
MEDICAL = (
    "prenatal",
    "delivery_normal",
    "delivery_assisted",
    "delivery_caesarean",
    "miscarriage",
    "family_planning",
    "maternity_complication",
)
POOLED = {
    "inpatient": "50010101",
    "outpatient": "50010102",
    "outpatient_chronic": "50010102",
    "pharmacy": "50010102",
    **dict.fromkeys(MEDICAL, "5001010301"),
    "maternity_allowance": "5001010302",
    "nutrition_subsidy": "5001010303",
}
SEPARATE = {**dict.fromkeys(MEDICAL, "50011001"), "maternity_allowance": "50011002", "nutrition_subsidy": "50011003"}
PERSONAL = {"inpatient": "50010202", "pharmacy": "50010203"}  # everything else 50010201
MONEY = {"treasury": "1005", "income": "1002", "special": "100301", "temporary_receipt": "2001"}
PAY = {"expenditure": "1004", "special_demand": "100301", "cash": "1001"}

# (fund, account, sub-fund, debit, credit); red is a negative amount on the account's own side
Posted = tuple[str, str, str, Decimal, Decimal]


@dataclass
class Case:
    """A fact with the lines it must lead to; `needs` is recorded before it and referred to by it."""

    fact: dict[str, Any]
    lines: list[Posted] = field(default_factory=list)
    needs: Case | None = None

    def debit(self, fund: str, account: str, sub_fund: str, amount: int) -> Case:
        self.lines.append((fund, account, sub_fund, Decimal(amount), Decimal(0)))
        return self

    def credit(self, fund: str, account: str, sub_fund: str, amount: int) -> Case:
        self.lines.append((fund, account, sub_fund, Decimal(0), Decimal(amount)))
        return self


# ---- contributions -------------------------------------------------------------------------------------------------


def premium_incomes(insurance: str, category: str, fund: str) -> list[tuple[str, str, int]]:
    """Income lines of employer 700, personal 200, credit 80, late fee 5: (account, sub-fund, amount)."""
    if insurance == "510":
        return [("400110" if fund == "MAT" else "400101", "pooled", 700), ("490101", "pooled", 5)]
    if category == "employee":
        parts = [("400101", "pooled", 620), ("400102", "personal", 80), ("400103", "personal", 200)]
    elif category == "flexible":
        parts = [("400104", "pooled", 820), ("400104", "personal", 80)]
    else:
        parts = [("400104", "pooled", 900)]
    return [*parts, ("490101", "pooled", 5)]


def premium(event_type: str, insurance: str, category: str, deposit: str, on: str) -> dict[str, Any]:
    amounts = {"employer_amount": 700, "personal_amount": 200, "personal_account_credit": 80, "late_fee": 5}
    if insurance == "510":
        amounts |= {"personal_amount": 0, "personal_account_credit": 0}
    if category == "retiree":
        amounts["personal_account_credit"] = 0
    return {
        "event_type": event_type,
        "insurance_type": insurance,
        "enrollment_category": category,
        "deposit_account": deposit,
        "occurred_on": on,
        **amounts,
    }


def contribution_cases() -> Iterator[Case]:
    kinds = (("310", "employee"), ("310", "flexible"), ("310", "retiree"), ("510", "employee"))
    for (insurance, category), deposit, on in itertools.product(kinds, MONEY, (BEFORE, AFTER)):
        fund = "MAT" if insurance == "510" and on == BEFORE else "EMI"
        collected = Case(premium("contribution.collected", insurance, category, deposit, on))
        incomes = premium_incomes(insurance, category, fund)
        collected.debit(fund, MONEY[deposit], "shared", sum(amount for _, _, amount in incomes))
        for account, sub_fund, amount in incomes:
            collected.credit(fund, account, sub_fund, amount)
        yield collected
        for back_on in (SAME_YEAR, NEXT_YEAR) if on == BEFORE else (NEXT_YEAR,):
            back_fund = fund if back_on == SAME_YEAR else "EMI"
            refunded = Case(
                premium("contribution.refunded", insurance, category, deposit, back_on),
                needs=Case(collected.fact, collected.lines),
            )
            for account, sub_fund, amount in premium_incomes(insurance, category, back_fund):
                refunded.credit(back_fund, account, sub_fund, -amount)
            yield refunded.credit(back_fund, MONEY[deposit], "shared", sum(amount for _, _, amount in incomes))


# ---- benefits ------------------------------------------------------------------------------------------------------


def benefits() -> Iterator[tuple[str, str, bool, str]]:
    """(insurance, item, admitted, date) that acceptance lets through."""
    for insurance, item, admitted, on in itertools.product(("310", "510"), POOLED, (False, True), (BEFORE, AFTER)):
        is_cash = item in ("maternity_allowance", "nutrition_subsidy")
        if insurance == "510" and item not in SEPARATE:
            continue
        if insurance == "310" and on == BEFORE and is_cash:
            continue
        yield insurance, item, admitted, on


def pooled_account(insurance: str, item: str, admitted: bool, paid_on: str, fund: str) -> str:
    if fund == "MAT":
        return SEPARATE[item]
    if insurance == "310" and paid_on < "2020-01-01" and item in MEDICAL:
        return "50010101" if admitted else "50010102"
    return POOLED[item]


def claim(event_type: str, insurance: str, item: str, admitted: bool, on: str, **more: str | None) -> dict[str, Any]:
    amounts = {"pooled_amount": 4000, "personal_account_amount": 0 if item in ("maternity_allowance",) else 300}
    return {
        "event_type": event_type,
        "insurance_type": insurance,
        "benefit_item": item,
        "admitted_on": "2019-03-01" if admitted else None,
        "occurred_on": on,
        "claim_no": "C1",
        "institution_code": "H1",
        **amounts,
        **more,
    }


def benefit_parts(fact: dict[str, Any], paid_on: str, fund: str) -> list[tuple[str, str, str, int]]:
    """(fund, account, sub-fund, amount) of a benefit; the personal part is always the medical fund's."""
    insurance, item = fact["insurance_type"], fact["benefit_item"]
    pooled = pooled_account(insurance, item, fact["admitted_on"] is not None, paid_on, fund)
    parts = [(fund, pooled, "pooled", int(fact["pooled_amount"]))]
    if personal := int(fact["personal_account_amount"]):
        parts.append(("EMI", PERSONAL.get(item, "50010201"), "personal", personal))
    return parts


def fund_of(insurance: str, *days: str) -> str:
    return "MAT" if insurance == "510" and all(day < "2020-01-01" for day in days) else "EMI"


def paid(fact: dict[str, Any], money: str) -> Case:
    case = Case(fact)
    on = fact["occurred_on"]
    parts = benefit_parts(fact, on, fund_of(fact["insurance_type"], on))
    for fund, account, sub_fund, amount in parts:
        case.debit(fund, account, sub_fund, amount)
    return with_money(case, parts, money, side="credit")


def with_money(case: Case, parts: list[tuple[str, str, str, int]], money: str, *, side: str, sign: int = 1) -> Case:
    """One line of money a fund: parts of one fund are one entry."""
    totals: Counter[str] = Counter()
    for fund, _, _, amount in parts:
        totals[fund] += amount
    for fund, amount in totals.items():
        (case.credit if side == "credit" else case.debit)(fund, money, "shared", sign * amount)
    return case


def corrected(event_type: str, payment: Case, on: str, counter: str) -> Case:
    """A reversal or recovery of the whole payment."""
    original = payment.fact
    insurance, paid_on = original["insurance_type"], original["occurred_on"]
    fact = {**original, "event_type": event_type, "occurred_on": on, "pay_account": None}
    case = Case(fact, needs=payment)
    parts = benefit_parts(original, paid_on, fund_of(insurance, paid_on, on))
    is_same_year, is_reversal = paid_on[:4] == on[:4], event_type == "claim.reversed"
    for fund, account, sub_fund, amount in parts:
        if is_same_year:
            case.debit(fund, account, sub_fund, -amount)
        else:
            case.credit(fund, "490102", sub_fund, amount)
    if is_same_year and is_reversal:
        return with_money(case, parts, counter, side="credit", sign=-1)
    return with_money(case, parts, counter, side="debit")


def claim_cases() -> Iterator[Case]:
    for number, (insurance, item, admitted, on) in enumerate(benefits()):
        pay_account = list(PAY)[number % len(PAY)]
        fact = claim("claim.paid", insurance, item, admitted, on, pay_account=pay_account)
        yield paid(fact, PAY[pay_account])
        for later in (SAME_YEAR if on == BEFORE else "2020-11-02", NEXT_YEAR):
            yield corrected("claim.reversed", paid(fact, PAY[pay_account]), later, PAY[pay_account])
            deposit = ("special", "expenditure")[number % 2]
            recovery = corrected("claim.recovered", paid(fact, PAY[pay_account]), later, {**MONEY, **PAY}[deposit])
            recovery.fact["deposit_account"] = deposit
            yield recovery


def advance_cases() -> Iterator[Case]:
    for insurance, item, admitted, on in benefits():
        fund = fund_of(insurance, on)
        # an advance of MAT has no personal part
        amounts = {"personal_account_amount": 0} if fund == "MAT" and item in MEDICAL else {}
        advance = {
            "event_type": "advance.paid",
            "insurance_type": insurance,
            "occurred_on": on,
            "claim_no": "A1",
            "institution_code": "H1",
            "pooled_amount": 9000,
        }
        given = Case(advance).debit(fund, "1101", "shared", 9000).credit(fund, "1004", "shared", 9000)
        offset = paid(claim("advance.offset", insurance, item, admitted, on) | amounts, "1101")
        if any(line_fund != fund for line_fund, *_ in offset.lines):
            continue
        offset.needs = given
        yield offset
        returned = Case({**advance, "event_type": "advance.returned", "pooled_amount": 500}, needs=given)
        yield returned.debit(fund, "100301", "shared", 500).credit(fund, "1101", "shared", 500)


def clearing_cases() -> Iterator[Case]:
    """outofarea.cleared and return.written_back: one row a sub-fund."""
    for fund, item, on in itertools.product(("EMI", "MAT"), POOLED, (BEFORE, AFTER)):
        if fund == "MAT" and (on == AFTER or item not in SEPARATE):
            continue
        if fund == "EMI" and on == BEFORE and item in ("maternity_allowance", "nutrition_subsidy"):
            continue
        advanced = treasury("outofarea.advanced", on, fund, 9000, counterparty="320000")
        given = Case(advanced).debit(fund, "1101", "shared", 9000).credit(fund, "100301", "shared", 9000)
        account = SEPARATE[item] if fund == "MAT" else pooled_account("310", item, False, on, fund)
        row = treasury("outofarea.cleared", on, fund, 800, sub_fund="pooled", benefit_item=item)
        yield Case(row, needs=given).debit(fund, account, "pooled", 800).credit(fund, "1101", "shared", 800)
        if fund == "EMI":
            personal = PERSONAL.get(item, "50010201")
            row = row | {"sub_fund": "personal"}
            yield Case(row, needs=given).debit(fund, personal, "personal", 800).credit(fund, "1101", "shared", 800)


def written_back_cases() -> Iterator[Case]:
    for insurance, item, admitted, on in benefits():
        fund = fund_of(insurance, on)
        payment = paid(claim("claim.paid", insurance, item, admitted, on), "1004")
        for back_on, sub_fund in itertools.product(
            (SAME_YEAR if on == BEFORE else "2020-11-02", NEXT_YEAR), ("pooled", "personal")
        ):
            if sub_fund == "personal" and fund == "MAT":
                continue
            back_fund = fund if back_on == SAME_YEAR else "EMI"
            returned = Case(treasury("payment.returned", back_on, back_fund, 300, account="expenditure"), needs=payment)
            returned.debit(back_fund, "1004", "shared", 300).credit(back_fund, "2001", "shared", 300)
            row = treasury("return.written_back", back_on, back_fund, 300, sub_fund=sub_fund)
            case = Case(row, needs=returned).debit(back_fund, "2001", "shared", 300)
            if on[:4] != back_on[:4]:
                yield case.credit(back_fund, "490102", sub_fund, 300)
            elif sub_fund == "personal":
                yield case.debit(back_fund, PERSONAL.get(item, "50010201"), "personal", -300)
            else:
                account = pooled_account(insurance, item, admitted, on, back_fund)
                yield case.debit(back_fund, account, "pooled", -300)


# ---- treasury ------------------------------------------------------------------------------------------------------


def treasury(event_type: str, on: str, fund: str, amount: int, **more: str | None) -> dict[str, Any]:
    return {"event_type": event_type, "occurred_on": on, "fund_code": fund, "amount": amount, **more}


ACCOUNTS = {
    "cash": "1001",
    "treasury": "1005",
    "income": "1002",
    "special_demand": "100301",
    "special_time": "100302",
    "expenditure": "1004",
}
INCOMES = {
    "interest.credited": "4201",
    "subsidy.received": "4101",
    "superior.received": "4401",
    "subordinate.received": "4402",
    "other.received": "490109",
}
EXPENDITURES = {
    "remitted.up": "5302",
    "subsidised.down": "5301",
    "other.paid": "5901",
    "catastrophic.transferred": "5101",
}


def treasury_cases() -> Iterator[Case]:
    for (symbol, money), (fund, sub_fund, on) in itertools.product(
        ACCOUNTS.items(), (("EMI", "pooled", AFTER), ("EMI", "personal", AFTER), ("MAT", "pooled", BEFORE))
    ):
        for event_type, account in INCOMES.items():
            row = treasury(event_type, on, fund, 60, sub_fund=sub_fund, account=symbol)
            yield Case(row).debit(fund, money, "shared", 60).credit(fund, account, sub_fund, 60)
        for event_type, account in EXPENDITURES.items():
            if fund == "EMI" or event_type != "catastrophic.transferred":
                row = treasury(event_type, on, fund, 60, sub_fund=sub_fund, account=symbol)
                yield Case(row).debit(fund, account, sub_fund, 60).credit(fund, money, "shared", 60)
    yield from personal_cases()
    yield from identified_cases()


def personal_cases() -> Iterator[Case]:
    for symbol, money in ACCOUNTS.items():
        row = treasury("transfer.received", AFTER, "EMI", 70, sub_fund="personal", account=symbol)
        yield Case(row).debit("EMI", money, "shared", 70).credit("EMI", "4301", "personal", 70)
        row = treasury("transfer.sent", AFTER, "EMI", 70, sub_fund="personal", account=symbol)
        yield Case(row).debit("EMI", "5201", "personal", 70).credit("EMI", money, "shared", 70)
        row = treasury("account.paid_out", AFTER, "EMI", 70, account=symbol)
        yield Case(row).debit("EMI", "5901", "personal", 70).credit("EMI", money, "shared", 70)
        row = treasury("loan.received", AFTER, "EMI", 70, account=symbol)
        yield Case(row).debit("EMI", money, "shared", 70).credit("EMI", "2101", "shared", 70)
        row = treasury("loan.repaid", AFTER, "EMI", 70, account=symbol)
        yield Case(row).debit("EMI", "2101", "shared", 70).credit("EMI", money, "shared", 70)
    row = treasury("interest.allocated", AFTER, "EMI", 70)
    yield Case(row).credit("EMI", "4201", "pooled", -70).credit("EMI", "4201", "personal", 70)
    row = treasury("account.credited", AFTER, "EMI", 70)
    yield Case(row).credit("EMI", "400101", "pooled", -70).credit("EMI", "400102", "personal", 70)


def identified_cases() -> Iterator[Case]:
    for account, code, sub_fund in (
        ("1101", "1101", "shared"),
        ("400110", "400101", "pooled"),
        ("4401", "4401", "pooled"),
    ):
        receipt = treasury("receipt.unidentified", AFTER, "EMI", 500, account="income")
        given = Case(receipt).debit("EMI", "1002", "shared", 500).credit("EMI", "2001", "shared", 500)
        row = treasury("receipt.identified", AFTER, "EMI", 500, identified_as=account)
        if sub_fund != "shared":
            row["sub_fund"] = sub_fund
        yield Case(row, needs=given).debit("EMI", "2001", "shared", 500).credit("EMI", code, sub_fund, 500)


CASES: dict[str, Callable[[], Iterator[Case]]] = {
    "contributions": contribution_cases,
    "claims": claim_cases,
    "advances": advance_cases,
    "out of area": clearing_cases,
    "written back": written_back_cases,
    "treasury": treasury_cases,
}
