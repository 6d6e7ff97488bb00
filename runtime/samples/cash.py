"""Keeps the bank accounts in order: sweeps to the fiscal special account, funding of what is to be paid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from runtime.samples.log import CityLog, Row, day_of, fen, text
from runtime.samples.values import MONTHS, Fen, Month, yuan

Movement = tuple[str, str, int]
Balances = dict[tuple[str, str], int]
_RESERVE = yuan(30_000)
_ROUND_TO = yuan(10_000)
_INFLOWS = {
    "interest.credited",
    "subsidy.received",
    "superior.received",
    "subordinate.received",
    "transfer.received",
    "other.received",
    "receipt.unidentified",
    "payment.returned",
    "loan.received",
    "balance.opened",
}
_OUTFLOWS = {
    "remitted.up",
    "subsidised.down",
    "transfer.sent",
    "catastrophic.transferred",
    "other.paid",
    "account.paid_out",
    "loan.repaid",
}
_FIXED = {
    "payment.reissued": ("expenditure", -1),
    "outofarea.advanced": ("special_demand", -1),
    "outofarea.paid_for_others": ("expenditure", -1),
    "outofarea.reimbursed": ("special_demand", 1),
}
_MONEY_ACCOUNTS = {"cash", "treasury", "income", "special_demand", "special_time", "expenditure", "bond"}


def movements(log: CityLog, row: Row) -> Iterator[Movement]:
    """(fund, account, signed fen) for each bank account that a fact moves."""
    family = text(row, "event_type").split(".")[0]
    if family == "contribution":
        yield from _contribution(log, row)
    elif family in ("claim", "advance"):
        yield from _claim(log, row)
    elif row["event_type"] != "fund.merged":
        yield from (item for item in _treasury(row) if item[1] in _MONEY_ACCOUNTS)


def _contribution(log: CityLog, row: Row) -> Iterator[Movement]:
    account = {"special": "special_demand"}.get(text(row, "deposit_account"), text(row, "deposit_account"))
    if account in _MONEY_ACCOUNTS:
        total = sum(fen(row, name) for name in ("employer_amount", "personal_amount", "late_fee"))
        sign = -1 if row["event_type"] == "contribution.refunded" else 1
        yield log.city.fund_of(text(row, "insurance_type"), day_of(row)), account, sign * total


def _claim(log: CityLog, row: Row) -> Iterator[Movement]:
    fund = log.city.fund_of(text(row, "insurance_type"), day_of(row))
    pooled, personal = fen(row, "pooled_amount"), fen(row, "personal_account_amount")
    paid_from = text(row, "pay_account") or "expenditure"
    returned_to = "expenditure" if row.get("deposit_account") == "expenditure" else "special_demand"
    account, sign = {
        "claim.paid": (paid_from, -1),
        "claim.reversed": ("expenditure", 1),
        "claim.recovered": (returned_to, 1),
        "advance.paid": (paid_from, -1),
        "advance.returned": (returned_to, 1),
    }.get(text(row, "event_type"), ("", 0))
    if sign:
        yield fund, account, sign * pooled
        yield "EMI", account, sign * personal


def _treasury(row: Row) -> Iterator[Movement]:
    fund, event_type, amount = text(row, "fund_code"), text(row, "event_type"), int(fen(row, "amount"))
    if event_type == "cash.transferred":
        yield fund, text(row, "from_account"), -amount
        yield fund, text(row, "to_account"), amount
    elif event_type in _INFLOWS:
        yield fund, text(row, "account"), amount
    elif event_type in _OUTFLOWS:
        yield fund, text(row, "account"), -amount
    elif event_type in _FIXED:
        account, sign = _FIXED[event_type]
        yield fund, account, sign * amount


class CashPlan:
    """Walks through the days, adding the transfers that keep every account above zero."""

    def __init__(self, log: CityLog) -> None:
        self.log = log
        self.balances: Balances = defaultdict(int)
        self.month_ends: dict[Month, dict[tuple[str, str], int]] = {}
        self._by_day: dict[date, list[Movement]] = defaultdict(list)
        for rows in log.rows.values():
            for row in rows:
                self._by_day[day_of(row)].extend(movements(log, row))

    def run(self) -> None:
        """Add all transfers; remember the balances at each month end."""
        for month in MONTHS:
            self._fund_payments(month)
            for number in range(1, month.last.day + 1):
                self._day(month, month.day(number))
            self.month_ends[month] = {key: value for key, value in self.balances.items() if value}

    def _day(self, month: Month, day: date) -> None:
        if day == self.log.city.merger:
            self._merge()
        for fund, account, amount in self._by_day[day]:
            self.balances[fund, account] += amount
        if day.day in (10, 20, 28) or day == month.last:
            for fund in self._funds(day):
                self._sweep(day, fund, "income")
                if day.day != month.last.day:
                    self._sweep(day, fund, "treasury")
        negative = {key: value for key, value in self.balances.items() if value < 0}
        if negative:
            raise ArithmeticError(f"{self.log.city.source_system} {day}: overdrawn {negative}")

    def _funds(self, day: date) -> tuple[str, ...]:
        return ("EMI", "MAT") if day < self.log.city.merger else ("EMI",)

    def _merge(self) -> None:
        for (fund, account), amount in list(self.balances.items()):
            if fund == "MAT":
                self.balances["EMI", account] += amount
                self.balances[fund, account] = 0

    def _sweep(self, day: date, fund: str, account: str) -> None:
        amount = self.balances[fund, account]
        if amount > 0:
            self._transfer(day, fund, account, "special_demand", amount)
            self._apply(fund, account, "special_demand", amount)

    def _transfer(self, day: date, fund: str, source: str, target: str, amount: int) -> None:
        self.log.treasury("cash.transferred", day, fund, from_account=source, to_account=target, amount=Fen(amount))

    def _apply(self, fund: str, source: str, target: str, amount: int) -> None:
        self.balances[fund, source] -= amount
        self.balances[fund, target] += amount

    def _fund_payments(self, month: Month) -> None:
        """On the first of the month the expenditure account gets what the month's payment plan needs."""
        day = month.first
        for fund in self._funds(day):
            short = _RESERVE - self._lowest(month, fund)
            if short > 0:
                amount = -(-short // _ROUND_TO) * _ROUND_TO
                self._transfer(day, fund, "special_demand", "expenditure", amount)
                self._by_day[day] += [(fund, "special_demand", -amount), (fund, "expenditure", amount)]

    def _lowest(self, month: Month, fund: str) -> int:
        """Lowest balance the expenditure account would reach in the month without new funding."""
        merged = self.log.city.merger == month.first and fund == "EMI"
        balance = self.balances[fund, "expenditure"] + (self.balances["MAT", "expenditure"] if merged else 0)
        path = [balance := balance + self._net(month.day(number), fund) for number in range(1, month.last.day + 1)]
        return min(path)

    def _net(self, day: date, fund: str) -> int:
        return sum(amount for owner, account, amount in self._by_day[day] if (owner, account) == (fund, "expenditure"))
