"""Who has, who owes and who is owed: personal accounts, premiums in arrears, institutions (L5).

How the columns that the contract leaves open are read: README, L15 to L19.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from .posting import Line, month_of
from .references import Event, benefit
from .statements import months_between

ZERO = Decimal(0)
Account = tuple[str, str, date, str]  # region, fund, month, person ("" for what belongs to nobody)
PersonalAccounts = dict[Account, tuple[Decimal, Decimal, Decimal, Decimal]]  # credited, interest, paid, closing
Premium = tuple[str, str, date, str, str]  # region, employer ("" for none), contribution month, insurance, category
Arrears = dict[
    Premium, tuple[Decimal, Decimal, Decimal, Decimal, int]
]  # assessed, collected, refunded, arrears, months
Place = tuple[str, str, date]  # region, institution, month


@dataclass(frozen=True)
class Settlement:
    """Row of institution_settlement: three of the month, then positions at its end."""

    settled: Decimal
    paid: Decimal
    deposit: Decimal
    advance: Decimal
    unpaid: Decimal
    claims: int
    direct_share: Decimal | None


Settlements = dict[Place, Settlement]


def corrected(event: Event) -> Event:
    """The payment or premium that a correction takes back; a fact of its own is itself."""
    if event.event_type == "return.written_back":
        assert event.original
        assert event.original.original
        return event.original.original
    if event.event_type in ("contribution.refunded", "claim.reversed", "claim.recovered"):
        return event.original or event
    return event


def personal_accounts(lines: Iterable[Line]) -> PersonalAccounts:
    """One row a person and month with movement; closing balances run on."""
    moved: dict[tuple[str, str, str], dict[date, list[Decimal]]] = defaultdict(
        lambda: defaultdict(lambda: [ZERO, ZERO, ZERO])
    )
    for line in lines:
        if line.sub_fund != "personal" or line.kind not in ("normal", "opening"):
            continue
        amounts = moved[line.region, line.fund, _holder(line.event)][line.month]
        if line.account.startswith("5"):
            amounts[2] += line.debit - line.credit
        else:
            amounts[1 if line.account == "4201" else 0] += line.credit - line.debit
    result: PersonalAccounts = {}
    for (region, fund, person), by_month in moved.items():
        balance = ZERO
        for month in sorted(by_month):
            credited, interest, paid = by_month[month]
            balance += credited + interest - paid
            result[region, fund, month, person] = (credited, interest, paid, balance)
    return result


def _holder(event: Event) -> str:
    """L5, E3: whose account pays; empty = the person; of the corrected payment for corrections."""
    for step in (corrected(event), event):
        if holder := step.text("account_holder_no") or step.text("person_no"):
            return holder
    return ""


def arrears(by_region: Mapping[str, list[Event]], latest: Mapping[str, date]) -> Arrears:
    """Assessed by each person's latest assessment, less what was collected and not given back; no late fees."""
    assessed: dict[Premium, dict[str, Decimal]] = defaultdict(dict)
    sums: dict[Premium, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for events in by_region.values():
        for event in events:
            if event.event_type == "contribution.assessed":
                assessed[_premium(event)][event.text("person_no")] = _principal(event)
                sums[_premium(event)][0] += ZERO
            elif event.event_type in ("contribution.collected", "contribution.refunded"):
                sums[_premium(corrected(event))][event.event_type == "contribution.refunded"] += _principal(event)
    result: Arrears = {}
    for key, (collected, refunded) in sums.items():
        due = sum(assessed[key].values(), ZERO)
        open_amount = max(due - collected + refunded, ZERO)
        month = latest.get(key[0], key[2])
        overdue = len(months_between(key[2], month)) - 1 if open_amount and month > key[2] else 0
        result[key] = (due, collected, refunded, open_amount, overdue)
    return result


def _principal(event: Event) -> Decimal:
    return event.amount("employer_amount") + event.amount("personal_amount")


def _premium(event: Event) -> Premium:
    month = event.row.values["contribution_month"]
    assert isinstance(month, date)
    texts = (event.text(column) for column in ("insurance_type", "enrollment_category"))
    insurance, category = texts
    return event.region, event.text("employer_no"), month, insurance, category


_Flows = dict[str, Decimal]


def settlements(by_region: Mapping[str, list[Event]], lines: Iterable[Line], latest: Mapping[str, date]) -> Settlements:
    """Every month of an institution from its first movement to the region's latest month."""
    flows: dict[tuple[str, str], dict[date, _Flows]] = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    for events in by_region.values():
        for event in events:
            institution = corrected(event).text("institution_code") or event.text("institution_code")
            if institution:
                for name, amount in _flows(event):
                    flows[event.region, institution][month_of(event.occurred_on)][name] += amount
    for line in lines:
        if line.account == "1101" and line.institution:
            flows[line.region, line.institution][line.month]["advance"] += line.debit - line.credit
    result: Settlements = {}
    for (region, institution), by_month in flows.items():
        last = max(latest.get(region, date.min), *by_month)
        result |= _run(region, institution, by_month, months_between(min(by_month), last))
    return result


def _flows(event: Event) -> Iterator[tuple[str, Decimal]]:
    if event.event_type == "claim.settled":
        yield "claims", Decimal(1)
        yield "settled", benefit(event)
        yield "deposit", event.amount("deposit_withheld_amount")
    elif event.event_type in ("claim.paid", "advance.offset"):
        yield "paid", benefit(event)
        if event.event_type == "advance.offset" or event.text("payee_type") == "institution":
            yield "direct", benefit(event)
        yield "payment", benefit(event)
        if event.event_type == "claim.paid":
            yield from _release(event, -benefit(event))
    elif event.event_type == "claim.reversed":
        yield "paid", -benefit(event)
        yield from _release(corrected(event), benefit(event))
    elif event.event_type in ("claim.recovered", "return.written_back"):
        amount = benefit(event) if event.event_type == "claim.recovered" else event.amount("amount")
        yield "paid", -amount
        yield "forgone", amount


def _release(payment: Event, amount: Decimal) -> Iterator[tuple[str, Decimal]]:
    if payment.event_type == "claim.paid" and payment.text("settlement_kind") == "deposit_release":
        yield "deposit", amount


def _run(region: str, institution: str, by_month: Mapping[date, _Flows], months: list[date]) -> Settlements:
    result: Settlements = {}
    deposit = advance = owed = ZERO
    for month in months:
        moved = by_month.get(month, defaultdict(Decimal))
        deposit += moved["deposit"]
        advance += moved["advance"]
        owed += moved["settled"] - moved["paid"] - moved["forgone"]
        share = (
            (moved["direct"] / moved["payment"]).quantize(Decimal("0.0001"), ROUND_HALF_UP)
            if moved["payment"]
            else None
        )
        result[region, institution, month] = Settlement(
            moved["settled"], moved["paid"], deposit, advance, owed - deposit, int(moved["claims"]), share
        )
    return result
