"""What outside parties say: the bank's month-end balances, the tax office's collections, the fiscal side's payments.

All of it agrees with the facts, but for one month: its last payment reaches the bank's books a day later.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from runtime.samples.cash import CashPlan
from runtime.samples.cities import City
from runtime.samples.log import CityLog, day_of, fen, text
from runtime.samples.values import MONTHS, Month

Turnover = dict[tuple[Month, str], int]
_STATED_ACCOUNTS = ("cash", "treasury", "income", "special_demand", "special_time", "expenditure")
_NOT_YET_PAID = Month(2020, 3)  # the last payment of this month reaches the bank's books in the next
_DIRECT = (
    "remitted.up",
    "subsidised.down",
    "transfer.sent",
    "catastrophic.transferred",
    "other.paid",
    "account.paid_out",
)
_FIRST_PERIOD = "2019Q4"  # the statement of September comes with those of the fourth quarter


@dataclass(frozen=True)
class Statement:
    """One figure that an outside party states for a month; the amount in fen."""

    city: City
    month: Month
    fund: str
    kind: str
    account: str
    amount: int

    @property
    def number(self) -> str:
        """The party's own key."""
        month = f"{self.month.year}{self.month.month:02d}"
        return f"{self.city.prefix}-{month}-{self.fund}-{self.kind}-{self.account}"

    @property
    def period(self) -> str:
        """The quarter whose file brings it."""
        return max(self.month.quarter, _FIRST_PERIOD)


def stated(log: CityLog, plan: CashPlan) -> Iterator[Statement]:
    """All statements on one city, month by month; nothing of the maternity fund after the merger."""
    collected, funded = _collected(log), _funded(log)
    for month in MONTHS:
        for fund in ("EMI", "MAT"):
            if fund == "MAT" and month.last >= log.city.merger:
                continue
            for account in _STATED_ACCOUNTS:
                balance = plan.month_ends[month].get((fund, account), 0)
                if (month, fund, account) == (_NOT_YET_PAID, "EMI", "expenditure"):
                    balance += _last_payment(log, month)
                yield Statement(log.city, month, fund, "bank_balance", account, balance)
            yield Statement(log.city, month, fund, "tax_collected", "treasury", collected[month, fund])
            yield Statement(log.city, month, fund, "fiscal_expenditure", "special_demand", funded[month, fund])


def of_kind(statements: Iterable[Statement], kind: str) -> dict[str, list[Statement]]:
    """Statements of one kind by the period whose file brings them."""
    periods: dict[str, list[Statement]] = defaultdict(list)
    for statement in statements:
        if statement.kind == kind:
            periods[statement.period].append(statement)
    return periods


def bank_line(statement: Statement) -> bytes:
    """The bank's JSON line."""
    record = {
        "statement_id": statement.number,
        "statement_date": f"{statement.month.last:%Y%m%d}",
        "region": statement.city.region_code,
        "fund": statement.fund,
        "account": statement.account,
        "kind": statement.kind,
        "month": f"{statement.month.year}{statement.month.month:02d}",
        "amount_fen": statement.amount,
        "party": "开户银行",
        "branch": f"{statement.city.short_name}分行营业部",
    }
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def _collected(log: CityLog) -> Turnover:
    """What the tax office took, late fees included, by month and fund."""
    turnover: Turnover = defaultdict(int)
    for row in log.of_type("contribution.collected"):
        if row["deposit_account"] == "treasury":
            fund = log.city.fund_of(text(row, "insurance_type"), day_of(row))
            amounts = (fen(row, name) for name in ("employer_amount", "personal_amount", "late_fee"))
            turnover[Month.of(day_of(row)), fund] += sum(amounts)
    return turnover


def _last_payment(log: CityLog, month: Month) -> int:
    """Amount of the month's last payment out of the expenditure account."""
    paid = [
        row
        for row in log.of_type("claim.paid")
        if Month.of(day_of(row)) == month
        and text(row, "insurance_type") == "310"
        and text(row, "pay_account") in ("", "expenditure")
    ]
    last = max(paid, key=lambda row: (day_of(row), text(row, "source_event_key")))
    return fen(last, "pooled_amount") + fen(last, "personal_account_amount")


def _funded(log: CityLog) -> Turnover:
    """What the fiscal side paid, into the expenditure account or directly."""
    turnover: Turnover = defaultdict(int)
    for row in log.of_type("cash.transferred"):
        if (row["from_account"], row["to_account"]) == ("special_demand", "expenditure"):
            turnover[Month.of(day_of(row)), text(row, "fund_code")] += fen(row, "amount")
    for row in log.of_type("claim.paid"):
        if row.get("pay_account") == "special_demand":
            fund = log.city.fund_of(text(row, "insurance_type"), day_of(row))
            turnover[Month.of(day_of(row)), fund] += fen(row, "pooled_amount")
            turnover[Month.of(day_of(row)), "EMI"] += fen(row, "personal_account_amount")
    for row in (row for event_type in _DIRECT for row in log.of_type(event_type)):
        if row["account"] == "special_demand":
            turnover[Month.of(day_of(row)), text(row, "fund_code")] += fen(row, "amount")
    return turnover
