"""A small ledger over rows of the sample files, independent of the posting rules: balances by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from tests.unit.sample_rows import MERGER, Row, yuan


def fund_of(row: Row) -> str:
    """The fund that a row is of: the maternity fund's own until the merger."""
    separate = row["occurred_on"] < MERGER[row["region_code"]]
    own = row.get("fund_code") == "MAT" or row.get("insurance_type") == "510"
    return "MAT" if separate and own else "EMI"


def _deposit(row: Row, default: str) -> str:
    return {"special": "special_demand"}.get(row.get("deposit_account", default), row.get("deposit_account", default))


def entry_of(row: Row) -> list[tuple[str, str, str, Decimal]]:
    """(fund, debit, credit, amount) of a fact, coarse: income, expenditure and net assets are one account each."""
    kind, fund = row["event_type"], fund_of(row)
    if row["family"] == "contribution":
        total = sum((yuan(row, name) for name in ("employer_amount", "personal_amount", "late_fee")), Decimal(0))
        entry = (fund, _deposit(row, ""), "earned", total if kind == "contribution.collected" else -total)
        return [] if kind == "contribution.assessed" else [entry]
    if row["family"] == "claim":
        return _claim_entry(row, kind, fund)
    return [(fund, debit, credit, yuan(row, "amount")) for debit, credit in _treasury_entry(row, kind)]


def _claim_entry(row: Row, kind: str, fund: str) -> list[tuple[str, str, str, Decimal]]:
    pooled, personal = yuan(row, "pooled_amount"), yuan(row, "personal_account_amount")
    pay_account = row.get("pay_account", "expenditure")
    debit, credit = {
        "claim.paid": ("benefit", pay_account),
        "claim.reversed": ("expenditure", "benefit"),
        "claim.recovered": (_deposit(row, "special"), "benefit"),
        "advance.paid": ("temporary_payment", pay_account),
        "advance.offset": ("benefit", "temporary_payment"),
        "advance.returned": (_deposit(row, "special"), "temporary_payment"),
        "claim.settled": ("", ""),
    }[kind]
    return [(fund, debit, credit, pooled), ("EMI", debit, credit, personal)] if debit else []


def _treasury_entry(row: Row, kind: str) -> list[tuple[str, str]]:
    account = row.get("account", "")
    if kind == "cash.transferred":
        return [(row["to_account"], row["from_account"])]
    if kind == "balance.opened":
        liability = account in ("temporary_receipt", "loan", "personal_balance")
        return [("net_assets", account)] if liability else [(account, "net_assets")]
    return {
        "receipt.unidentified": [(account, "temporary_receipt")],
        "payment.returned": [(account, "temporary_receipt")],
        "receipt.identified": [("temporary_receipt", "earned")],
        "payment.reissued": [("temporary_receipt", "expenditure")],
        "return.written_back": [("temporary_receipt", "benefit")],
        "loan.received": [(account, "loan")],
        "loan.repaid": [("loan", account)],
        "outofarea.advanced": [("temporary_payment", "special_demand")],
        "outofarea.cleared": [("benefit", "temporary_payment")],
        "outofarea.paid_for_others": [("temporary_payment", "expenditure")],
        "outofarea.reimbursed": [("special_demand", "temporary_payment")],
        "fund.merged": [],
        "balance.stated": [],
        "interest.allocated": [],
        "account.credited": [],
    }.get(kind, [(account, "earned")] if kind.endswith((".received", ".credited")) else [("outlay", account)])


def balances_by_day(facts: list[Row], region: str) -> Iterator[tuple[str, dict[tuple[str, str], Decimal]]]:
    """Balances, debit positive, after each day on which something happened."""
    balances: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    by_day: dict[str, list[Row]] = defaultdict(list)
    for row in facts:
        if row["region_code"] == region and row["family"] != "registration":
            by_day[row["occurred_on"]].append(row)
    for day in sorted(by_day):
        if day >= MERGER[region]:
            for (fund, account), amount in list(balances.items()):
                if fund == "MAT":
                    balances["EMI", account] += amount
                    balances[fund, account] = Decimal(0)
        for row in by_day[day]:
            for fund, debit, credit, amount in entry_of(row):
                balances[fund, debit] += amount
                balances[fund, credit] -= amount
        yield day, dict(balances)
