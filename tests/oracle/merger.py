"""fund.merged and its follow-ups (L2): MAT is emptied into EMI, whatever the order of arrival."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from .accounts import account_class
from .posting import Line, month_of
from .references import Event

ZERO = Decimal(0)


@dataclass(frozen=True)
class _Key:
    """A balance carried over: 暂付款 keep institution and claim."""

    account: str
    sub_fund: str
    institution: str = ""
    claim: str = ""


def with_merger(region_lines: list[Line], merged: Event, merger_date: date) -> list[Line]:
    """Lines of a region plus steps (a), (b), (c): once for all before `merged`, then event by event."""
    before = [line for line in region_lines if line.fund == "MAT" and line.event.seq < merged.seq]
    month = max(month_of(merger_date), merged.month)  # it may come when its month is closed (L3)
    result = [*region_lines, *_steps(before, merged, month)]
    later: dict[int, list[Line]] = defaultdict(list)
    for line in region_lines:
        if line.fund == "MAT" and line.event.seq > merged.seq:
            later[line.event.seq].append(line)
    for lines in later.values():
        result += _steps(lines, lines[0].event, month)
    return result


def _steps(lines: list[Line], event: Event, month: date) -> Iterator[Line]:
    """Three entries dated like fund.merged; nothing when every balance is zero."""
    if not lines:
        return
    blank = replace(lines[0], event=event, month=month, item="", method="", institution="", claim="")
    balances = _balances(lines)
    result = [key for key in balances if account_class(key.account) in "45"]
    own = _Key("3001", "pooled")
    for key in result:  # (a) closing, gross per account against 3001
        amount = balances.pop(key)
        yield _turned(blank, "MAT", "closing", key, amount)
        yield _on_its_side(blank, "MAT", "closing", own, amount)
        balances[own] += amount
    for key, amount in balances.items():
        if amount:
            yield _turned(blank, "MAT", "merger", key, amount)  # (b) out: opposite to the balance
            yield _on_its_side(blank, "EMI", "merger", _successor(key), amount)  # (c) in: on its own side


def _balances(lines: Iterable[Line]) -> dict[_Key, Decimal]:
    balances: dict[_Key, Decimal] = defaultdict(Decimal)
    for line in lines:
        carried = (line.institution, line.claim) if line.account == "1101" else ("", "")
        balances[_Key(line.account, line.sub_fund, *carried)] += line.debit - line.credit
    return defaultdict(Decimal, {key: amount for key, amount in balances.items() if amount})


def _successor(key: _Key) -> _Key:
    """L2 (c): net assets to 3001 pooled."""
    return _Key("3001", "pooled") if account_class(key.account) == "3" else key


def _turned(blank: Line, fund: str, kind: str, key: _Key, balance: Decimal) -> Line:
    return _on_its_side(blank, fund, kind, key, -balance)


def _on_its_side(blank: Line, fund: str, kind: str, key: _Key, balance: Decimal) -> Line:
    """Positive amounts always: a debit balance as a debit, a credit balance (a deficit too) by its sign."""
    return replace(
        blank,
        fund=fund,
        kind=kind,
        account=key.account,
        sub_fund=key.sub_fund,
        debit=max(balance, ZERO),
        credit=max(-balance, ZERO),
        institution=key.institution,
        claim=key.claim,
    )
