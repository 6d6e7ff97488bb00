"""What outside parties say: the bank's month-end balances, the tax office's collections, the fiscal side's funding."""

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


def _funded(log: CityLog) -> Turnover:
    """What the fiscal side paid into the expenditure account."""
    turnover: Turnover = defaultdict(int)
    for row in log.of_type("cash.transferred"):
        if (row["from_account"], row["to_account"]) == ("special_demand", "expenditure"):
            turnover[Month.of(day_of(row)), text(row, "fund_code")] += fen(row, "amount")
    return turnover
