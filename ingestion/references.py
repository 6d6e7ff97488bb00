"""References of corrections to their originals: pure functions over facts, no database.

A refund, reversal, recovery, return, offset or identification consumes what it takes from its original. Facts of the
log are replayed in the order of seq, then rows of a file (a part of it, or what was held back) are decided in line
order; an original further down is decided first. What a row needs but can't have is told by `E-REF-*`: it waits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal("0.00")
_CENT = Decimal("0.01")
_WHOLE = "whole"  # taken from the sum of an original's components, not from one of them

# event type -> family of its original, types the original may have
ORIGINALS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "contribution.refunded": ("contribution", ("contribution.collected",)),
    "contribution.collected": ("treasury", ("receipt.unidentified",)),  # with deposit_account temporary_receipt only
    "claim.reversed": ("claim", ("claim.paid", "advance.offset")),
    "claim.recovered": ("claim", ("claim.paid", "advance.offset")),
    "advance.offset": ("claim", ("advance.paid",)),
    "advance.returned": ("claim", ("advance.paid",)),
    "receipt.identified": ("treasury", ("receipt.unidentified",)),
    "payment.returned": ("claim", ("claim.paid",)),
    "payment.reissued": ("treasury", ("payment.returned",)),
    "return.written_back": ("treasury", ("payment.returned",)),
    "outofarea.cleared": ("treasury", ("outofarea.advanced",)),
    "outofarea.reimbursed": ("treasury", ("outofarea.paid_for_others",)),
}
CONTRIBUTION_PARTS = ("employer_amount", "personal_amount", "late_fee")
CLAIM_PARTS = ("pooled_amount", "personal_account_amount")
_TAKEN_IN_SUM: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "contribution.collected": ("amount", CONTRIBUTION_PARTS),
    "advance.offset": ("pooled_amount", CLAIM_PARTS),
    "advance.returned": ("pooled_amount", ("pooled_amount",)),
    "payment.returned": (_WHOLE, ("amount",)),
}
AMOUNTS = (*CONTRIBUTION_PARTS, "personal_account_credit", *CLAIM_PARTS, "amount")

Key = tuple[str, str, str, str]  # region_code, source_system, family, source_event_key


@dataclass(frozen=True)
class Fact:
    """What the decision needs to know of an event. `place` is the seq in the log or the line in the file."""

    place: int
    key: Key
    event_type: str
    occurred_on: date
    content_hash: bytes
    original_key: Key | None = None
    original_seq: int | None = None
    fund_code: str | None = None
    sub_fund: str | None = None
    insurance_type: str | None = None
    enrollment_category: str | None = None
    amounts: Mapping[str, Decimal | None] = field(default_factory=dict)

    def amount(self, name: str) -> Decimal:
        """In yuan, zero when empty."""
        return self.amounts.get(name) or ZERO

    def total(self, names: Iterable[str]) -> Decimal:
        """Sum of several amounts."""
        return sum((self.amount(name) for name in names), ZERO)


@dataclass(frozen=True)
class Decision:
    """What becomes of one row of the file. Without codes, `duplicate_of` and `conflict_with` it is accepted."""

    line_no: int
    codes: tuple[str, ...] = ()
    duplicate_of: int | None = None
    conflict_with: int | None = None
    original_seq: int | None = None
    original_line: int | None = None
    sub_fund: str | None = None
    personal_account_credit: Decimal | None = None

    @property
    def accepted(self) -> bool:
        """Whether the row goes into the log."""
        return not self.codes and self.duplicate_of is None and self.conflict_with is None


@dataclass
class _Entry:
    """An accepted fact and what is left of it."""

    fact: Fact
    in_log: bool
    original: _Entry | None
    remaining: dict[str, Decimal]
    returned: Decimal = ZERO  # sent back by the bank and not paid again; not yet known to be of which component

    def takes_too_much(self, wanted: Mapping[str, Decimal]) -> bool:
        parts = {name: amount for name, amount in wanted.items() if name != _WHOLE}
        money = [name for name in self.remaining if name != "personal_account_credit"]
        left = sum((self.remaining[name] for name in money), ZERO) - self.returned
        asked = sum((amount for name, amount in wanted.items() if name != "personal_account_credit"), ZERO)
        return asked > left or any(amount > self.remaining.get(name, ZERO) for name, amount in parts.items())

    def take(self, wanted: Mapping[str, Decimal]) -> None:
        for name, amount in wanted.items():
            if name == _WHOLE:
                self.returned += amount
            else:
                self.remaining[name] = self.remaining.get(name, ZERO) - amount


class Book:
    """What is left of the originals, from the log and from the rows of the file accepted so far."""

    def __init__(self, merger_dates: Mapping[str, date], merged_regions: Iterable[str] = ()) -> None:
        self._merger_dates = merger_dates
        self._merged = set(merged_regions)
        self._by_key: dict[Key, _Entry] = {}
        self._by_seq: dict[tuple[str, int], _Entry] = {}

    def replay(self, fact: Fact) -> None:
        """Take in a fact of the log; called in the order of seq."""
        original = self._by_seq.get((fact.key[0], fact.original_seq)) if fact.original_seq is not None else None
        entry = self._enter(fact, original, in_log=True)
        self._by_seq[(fact.key[0], fact.place)] = entry

    def find(self, key: Key) -> _Entry | None:
        """An accepted fact."""
        return self._by_key.get(key)

    def decide(self, fact: Fact) -> Decision:
        """Judge a row of the file against what is accepted so far, and take it in when it holds."""
        if fact.event_type == "fund.merged":
            return self._decide_merger(fact)
        if fact.original_key is None:
            self._enter(fact, None, in_log=False)
            return Decision(fact.place)
        original = self.find(fact.original_key)
        codes = self._codes(fact, original)
        if original is None or codes:
            return Decision(fact.place, codes=codes)
        return self._accept(fact, original)

    def _decide_merger(self, fact: Fact) -> Decision:
        region = fact.key[0]
        if region in self._merged:
            return Decision(fact.place, codes=("E-VALUE-MERGER-TWICE",))
        self._merged.add(region)
        self._enter(fact, None, in_log=False)
        return Decision(fact.place)

    def _codes(self, fact: Fact, original: _Entry | None) -> tuple[str, ...]:
        if original is None:
            return ("E-REF-ORIGINAL",)
        if original.fact.event_type not in ORIGINALS[fact.event_type][1]:
            return ("E-REF-TYPE",)
        codes = []
        if not self._fund_fits(fact, original):
            codes.append("E-REF-FUND")
        if (
            original.takes_too_much(_wanted(fact, original))
            or _is_partial_reversal(fact, original)
            or _exceeds_part(fact, original)
        ):
            codes.append("E-REF-AMOUNT")
        if not codes and fact.event_type == "return.written_back" and _written_back_to(fact, original) is None:
            codes.append("E-SCHEMA-REQUIRED")
        return tuple(codes)

    def _accept(self, fact: Fact, original: _Entry) -> Decision:
        credit = _refund_credit(fact, original)
        self._enter(fact, original, in_log=False)
        return Decision(
            fact.place,
            original_seq=original.fact.place if original.in_log else None,
            original_line=None if original.in_log else original.fact.place,
            sub_fund=_written_back_to(fact, original) if fact.event_type == "return.written_back" else None,
            personal_account_credit=credit if fact.amounts.get("personal_account_credit") is None else None,
        )

    def _enter(self, fact: Fact, original: _Entry | None, *, in_log: bool) -> _Entry:
        if original is not None:
            original.take(_wanted(fact, original))
            _give_back(fact, original)
        entry = _Entry(fact, in_log, original, _components(fact))
        self._by_key[fact.key] = entry
        return entry

    def _fund_fits(self, fact: Fact, original: _Entry) -> bool:
        """The row's own fund is the original's, or EMI from the merger on. A correction without a fund follows it."""
        own = self._own_fund(fact)
        if own is None:
            return True
        merger_date = self._merger_dates.get(fact.key[0], date.max)
        return own == ("EMI" if fact.occurred_on >= merger_date else self._fund(original.fact))

    def _own_fund(self, fact: Fact) -> str | None:
        if fact.fund_code is not None:
            return fact.fund_code
        return self._fund(fact) if fact.event_type == "contribution.collected" else None

    def _fund(self, fact: Fact) -> str:
        if fact.fund_code is not None:
            return fact.fund_code
        before = fact.occurred_on < self._merger_dates.get(fact.key[0], date.max)
        return "MAT" if fact.insurance_type == "510" and before else "EMI"


def decide_rows(rows: list[Fact], book: Book) -> dict[int, Decision]:
    """Decide rows of one file, given in line order. The first line of a key wins; an original is decided first."""
    return _Run(rows, book).decide_all()


class _Run:
    def __init__(self, rows: list[Fact], book: Book) -> None:
        self._rows = rows
        self._book = book
        self._decisions: dict[int, Decision] = {}
        self._under_way: set[int] = set()
        self._of_key: dict[Key, list[Fact]] = defaultdict(list)
        self._takers: dict[Key, list[Fact]] = defaultdict(list)
        self._winner: dict[Key, Fact] = {}
        for fact in rows:
            self._of_key[fact.key].append(fact)
            if fact.original_key is not None:
                self._takers[fact.original_key].append(fact)

    def decide_all(self) -> dict[int, Decision]:
        for fact in self._rows:
            self._decide(fact, early=False)
        return self._decisions

    def _decide(self, fact: Fact, *, early: bool) -> None:
        if fact.place in self._decisions or fact.place in self._under_way:
            return
        self._under_way.add(fact.place)
        if fact.original_key is not None:
            self._decide_first(fact, fact.original_key, early=early)
        self._decisions[fact.place] = self._decision(fact)
        self._under_way.discard(fact.place)

    def _decide_first(self, fact: Fact, original_key: Key, *, early: bool) -> None:
        """The original itself, and, for a row taken before its turn, rows above it that take from the same original."""
        for original in self._of_key.get(original_key, ()):
            self._decide(original, early=True)
        if early:
            for other in self._takers[original_key]:
                if other.place >= fact.place:
                    break
                self._decide(other, early=True)

    def _decision(self, fact: Fact) -> Decision:
        winner = self._winner.get(fact.key)
        if winner is not None:
            same = winner.content_hash == fact.content_hash
            if same:
                return Decision(fact.place, duplicate_of=winner.place)
            return Decision(fact.place, conflict_with=winner.place)
        decision = self._book.decide(fact)
        if decision.accepted:
            self._winner[fact.key] = fact
        return decision


def _components(fact: Fact) -> dict[str, Decimal]:
    """What others may take from a fact."""
    if fact.event_type == "contribution.collected":
        names: tuple[str, ...] = (*CONTRIBUTION_PARTS, "personal_account_credit")
    elif fact.event_type in ("claim.paid", "advance.offset"):
        names = CLAIM_PARTS
    else:
        names = ("pooled_amount",) if fact.event_type == "advance.paid" else ("amount",)
    return {name: fact.amount(name) for name in names}


def _wanted(fact: Fact, original: _Entry) -> dict[str, Decimal]:
    """What a fact takes from its original, in the original's components."""
    if fact.event_type == "contribution.refunded":
        credit = _refund_credit(fact, original) or ZERO
        return {name: fact.amount(name) for name in CONTRIBUTION_PARTS} | {"personal_account_credit": credit}
    if fact.event_type == "claim.reversed":
        return _components(original.fact)
    if fact.event_type == "claim.recovered":
        return {name: fact.amount(name) for name in CLAIM_PARTS}
    return _wanted_in_sum(fact)


def _wanted_in_sum(fact: Fact) -> dict[str, Decimal]:
    """What is taken from an original that has one component, or from the sum of its components."""
    component, names = _TAKEN_IN_SUM.get(fact.event_type, ("amount", ("amount",)))
    return {component: fact.total(names)}


def _give_back(fact: Fact, original: _Entry) -> None:
    """A reversed offset frees its advance; a payment issued again is a payment again."""
    root = original.original
    if root is None:
        return
    if fact.event_type == "claim.reversed" and original.fact.event_type == "advance.offset":
        root.take({"pooled_amount": -original.fact.total(CLAIM_PARTS)})
    if fact.event_type == "payment.reissued":
        root.take({_WHOLE: -fact.amount("amount")})


def _is_partial_reversal(fact: Fact, original: _Entry) -> bool:
    """A reversal reverses the whole: its amounts are empty or those of the payment."""
    if fact.event_type != "claim.reversed":
        return False
    return any(fact.amounts.get(name) not in (None, original.fact.amount(name)) for name in CLAIM_PARTS)


def _exceeds_part(fact: Fact, original: _Entry) -> bool:
    """A payment is written back to a sub-fund that paid at least as much."""
    part = _written_back_to(fact, original) if fact.event_type == "return.written_back" else None
    if part is None or original.original is None:
        return False
    paid = original.original.fact.amount("personal_account_amount" if part == "personal" else "pooled_amount")
    return fact.amount("amount") > paid


def _refund_credit(fact: Fact, original: _Entry) -> Decimal | None:
    """Credit that a refund takes back: as given, else pro rata of what was collected, capped at what is left."""
    if fact.event_type != "contribution.refunded":
        return None
    given = fact.amounts.get("personal_account_credit")
    if given is not None:
        return given
    collected = original.fact
    names = (
        ("employer_amount",) if collected.enrollment_category == "employee" else ("employer_amount", "personal_amount")
    )
    base = collected.total(names)
    if not base:
        return ZERO
    share = (collected.amount("personal_account_credit") * fact.total(names) / base).quantize(_CENT, ROUND_HALF_UP)
    return min(share, original.remaining["personal_account_credit"])


def _written_back_to(fact: Fact, original: _Entry) -> str | None:
    """Sub-fund of a written-back payment: as given, else the only one its payment has; None when it has both."""
    if fact.sub_fund is not None:
        return fact.sub_fund
    payment = original.original
    if payment is None:
        return None
    pooled, personal = (payment.fact.amount(name) for name in CLAIM_PARTS)
    if pooled and personal:
        return None
    return "personal" if personal else "pooled"
