"""What outside parties say: the bank's month-end balances, the tax office's collections, the fiscal side's funding."""

from __future__ import annotations

import json
from collections import defaultdict

from runtime.samples.cash import CashPlan
from runtime.samples.log import CityLog, day_of, fen, text
from runtime.samples.values import MONTHS, Month

Turnover = dict[tuple[Month, str], int]
_STATED_ACCOUNTS = ("cash", "treasury", "income", "special_demand", "special_time", "expenditure")


def lines(log: CityLog, plan: CashPlan) -> list[bytes]:
    """JSON lines of one city, month by month; nothing of the maternity fund after the merger."""
    collected, funded = _collected(log), _funded(log)
    stated: list[bytes] = []
    for month in MONTHS:
        for fund in ("EMI", "MAT"):
            if fund == "MAT" and month.last >= log.city.merger:
                continue
            for account in _STATED_ACCOUNTS:
                balance = plan.month_ends[month].get((fund, account), 0)
                stated.append(_line(log, month, fund, "bank_balance", account, balance))
            stated.append(_line(log, month, fund, "tax_collected", "treasury", collected[month, fund]))
            stated.append(_line(log, month, fund, "fiscal_expenditure", "special_demand", funded[month, fund]))
    return stated


def _line(log: CityLog, month: Month, fund: str, kind: str, account: str, amount: int) -> bytes:
    record = {
        "statement_id": f"{log.city.prefix}-{month.year}{month.month:02d}-{fund}-{kind}-{account}",
        "statement_date": f"{month.last:%Y%m%d}",
        "region": log.city.region_code,
        "fund": fund,
        "account": account,
        "kind": kind,
        "month": f"{month.year}{month.month:02d}",
        "amount_fen": amount,
        "party": "国库" if kind == "tax_collected" else "财政专户" if kind == "fiscal_expenditure" else "开户银行",
        "branch": f"{log.city.short_name}分行营业部",
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
