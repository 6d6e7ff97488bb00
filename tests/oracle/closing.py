"""year.closed (L2 year end): income and expenditure of the year and before go to net assets, by sub-fund."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from .accounts import account_class
from .posting import Line, closed_month
from .references import Event

ZERO = Decimal(0)
NET_ASSETS = {"pooled": "3001", "personal": "3002"}


def with_year_ends(region_lines: list[Line], years: Iterable[Event], merged: Event | None) -> list[Line]:
    """Lines of a region plus the closing entries of its years; after the merger there is no MAT left to close."""
    result, closed = list(region_lines), set[int]()
    for event in sorted(years, key=lambda year: year.seq):
        for fund in ("EMI", "MAT"):
            if fund == "EMI" or merged is None or event.seq < merged.seq:
                result += _close(region_lines, event, fund, closed)
    return result


def _close(region_lines: list[Line], event: Event, fund: str, closed: set[int]) -> Iterator[Line]:
    """What was known by then, and no earlier year end has closed; gross, each account against net assets."""
    balances: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for place, line in enumerate(region_lines):
        known = line.event.seq < event.seq and line.month <= closed_month(event)
        if place not in closed and known and line.fund == fund and account_class(line.account) in "45":
            closed.add(place)
            balances[line.account, line.sub_fund] += line.debit - line.credit
    for (account, sub_fund), balance in balances.items():
        yield from _entry(event, fund, account, sub_fund, balance)


def _entry(event: Event, fund: str, account: str, sub_fund: str, balance: Decimal) -> Iterator[Line]:
    blank = Line(event.region, event, fund, closed_month(event), "closing", account, sub_fund, ZERO, ZERO)
    for leg, amount in ((account, -balance), (NET_ASSETS[sub_fund], balance)):
        if amount:
            yield replace(blank, account=leg, debit=max(amount, ZERO), credit=max(-amount, ZERO))
