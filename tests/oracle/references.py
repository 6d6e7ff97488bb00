"""References of corrections to their originals: existence, type, remaining amount (E3, E4).

`Event.used` holds what corrections have consumed of an event, per component; the sum of components of an
original never exceeds its own amounts. A row that fails here waits: it is tried again by every later run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from .policy import cents
from .rows import Row
from .vocabulary import FAMILY, ORIGINAL_TYPES

ZERO = Decimal(0)
Identity = tuple[str, str, str, str]  # region_code, source_system, family, source_event_key (E2)


class Waits(Exception):
    """The reference does not hold (yet): `E-REF-*`."""


@dataclass(eq=False)
class Event:
    """One row of the log."""

    identity: Identity
    row: Row
    file_id: int
    seq: int = 0
    credit: Decimal = ZERO  # personal_account_credit as given or computed
    original: Event | None = None
    month: date = date.min  # the accounting month it posts to (L3), known once it is posted
    used: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def region(self) -> str:
        return self.identity[0]

    @property
    def event_type(self) -> str:
        return self.row.text["event_type"]

    @property
    def occurred_on(self) -> date:
        day = self.row.values["occurred_on"]
        assert isinstance(day, date)
        return day

    @property
    def chain(self) -> Iterator[Event]:
        """This event, its original, the original of that, …"""
        yield self
        if self.original:
            yield from self.original.chain

    @property
    def root(self) -> Event:
        """The fact that a chain of corrections goes back to."""
        return list(self.chain)[-1]

    def text(self, column: str, default: str = "") -> str:
        """A text field, or its default when empty."""
        return self.row.text.get(column, default)

    def amount(self, column: str) -> Decimal:
        """An amount; empty amounts of a reversal are the payment's (E3: it reverses the whole)."""
        if self.event_type == "claim.reversed" and self.original:
            return self.original.amount(column)
        return self.row.amount(column)


def original_identity(row: Row, identity: Identity) -> Identity | None:
    """Where the original of a row must be found; None for rows that need none."""
    event_type = row.text["event_type"]
    key = row.text.get("original_event_key")
    family = FAMILY[ORIGINAL_TYPES[event_type][0]] if event_type in ORIGINAL_TYPES else ""
    if row.text.get("deposit_account") == "temporary_receipt":
        family = "treasury"
    if not family or not key:
        return None
    return identity[0], row.text.get("original_source_system", identity[1]), family, key


def consume(event: Event, original: Event) -> None:
    """Take the row's amounts from what remains of its original, or raise `Waits`."""
    allowed = ORIGINAL_TYPES.get(event.event_type, ("receipt.unidentified",))
    if original.event_type not in allowed:
        raise Waits("type")
    event.original = original
    _CONSUME[event.event_type](event, original)


def _take(original: Event, component: str, amount: Decimal, whole: Decimal) -> None:
    if original.used[component] + amount > whole:
        raise Waits(component)


def _refunded(event: Event, original: Event) -> None:
    parts = ("employer_amount", "personal_amount", "late_fee")
    for part in parts:
        _take(original, part, event.amount(part), original.amount(part))
    if "personal_account_credit" in event.row.values:
        event.credit = event.amount("personal_account_credit")
        _take(original, "credit", event.credit, original.credit)
    else:
        event.credit = min(_pro_rata(event, original), original.credit - original.used["credit"])
    for part in parts:
        original.used[part] += event.amount(part)
    original.used["credit"] += event.credit


def _pro_rata(event: Event, original: Event) -> Decimal:
    """L2 contribution.refunded: "a null credit pro rata of the original": by what the credit is a part of."""
    employee = original.text("enrollment_category") == "employee"
    parts = ("employer_amount",) if employee else ("employer_amount", "personal_amount")
    whole = sum((original.amount(part) for part in parts), ZERO)
    back = sum((event.amount(part) for part in parts), ZERO)
    return cents(original.credit * back / whole) if whole else ZERO


def _identified_premium(event: Event, original: Event) -> None:
    total = sum((event.amount(part) for part in ("employer_amount", "personal_amount", "late_fee")), ZERO)
    _simple(original, total)


def _simple(original: Event, amount: Decimal, column: str = "amount") -> None:
    _take(original, "all", amount, original.amount(column))
    original.used["all"] += amount


def benefit(event: Event) -> Decimal:
    """Both parts of a payment."""
    return event.amount("pooled_amount") + event.amount("personal_account_amount")


def _left_of_payment(original: Event) -> Decimal:
    used = original.used
    return benefit(original) - used["pooled_amount"] - used["personal_account_amount"] - used["returned"]


def _reversed(event: Event, original: Event) -> None:
    """E3: "empty or equal to the payment's, it reverses the whole"."""
    parts = ("pooled_amount", "personal_account_amount")
    if any(part in event.row.values and event.row.amount(part) != original.amount(part) for part in parts):
        raise Waits("amount differs")
    if _left_of_payment(original) != benefit(original):
        raise Waits("already consumed")
    for part in parts:
        original.used[part] += original.amount(part)
    if original.original:  # the reversed payment was an offset: the advance has its amount again
        original.original.used["all"] -= benefit(original)


def _recovered(event: Event, original: Event) -> None:
    parts = ("pooled_amount", "personal_account_amount")
    for part in parts:
        _take(original, part, event.amount(part), original.amount(part))
    if benefit(event) > _left_of_payment(original):
        raise Waits("amount")
    for part in parts:
        original.used[part] += event.amount(part)


def _returned(event: Event, original: Event) -> None:
    if event.amount("amount") > _left_of_payment(original):
        raise Waits("amount")
    original.used["returned"] += event.amount("amount")


def _reissued(event: Event, original: Event) -> None:
    _simple(original, event.amount("amount"))
    assert original.original
    original.original.used["returned"] -= event.amount("amount")


def _by_amount(event: Event, original: Event) -> None:
    _simple(original, event.amount("amount"))


_CONSUME = {
    "contribution.refunded": _refunded,
    "contribution.collected": _identified_premium,
    "claim.reversed": _reversed,
    "claim.recovered": _recovered,
    "advance.offset": lambda event, original: _simple(original, benefit(event), "pooled_amount"),
    "advance.returned": lambda event, original: _simple(original, event.amount("pooled_amount"), "pooled_amount"),
    "payment.returned": _returned,
    "payment.reissued": _reissued,
    "return.written_back": _by_amount,
    "receipt.identified": _by_amount,
    "outofarea.cleared": _by_amount,
    "outofarea.reimbursed": _by_amount,
}
