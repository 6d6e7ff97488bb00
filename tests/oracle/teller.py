"""Building blocks of an invented region: facts, days, amounts, and corrections that name their original."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from .vocabulary import FAMILY

FIRST_DAY, LAST_DAY = date(2019, 9, 1), date(2020, 6, 30)
SOURCES = ("oracle_east", "oracle_west")


@dataclass
class Fact:
    """One row to be sent, in text, with its source and a handle for corrections that name it."""

    source_system: str
    columns: dict[str, str]
    spent: dict[str, Decimal] = field(default_factory=dict)

    @property
    def family(self) -> str:
        return FAMILY[self.columns["event_type"]]

    @property
    def day(self) -> date:
        return date.fromisoformat(self.columns["occurred_on"])

    def amount(self, column: str) -> Decimal:
        return Decimal(self.columns.get(column) or 0)


class Teller:
    """Draws facts of one region; `facts` is what it has told so far."""

    def __init__(self, random: Random, region: str, merger_date: date) -> None:
        self.random = random
        self.region = region
        self.merger_date = merger_date
        self.facts: list[Fact] = []
        self.with_statements = True  # of outside parties, with figures that the books do not have
        self.persons: dict[str, str] = {}  # person_no -> category
        self.employers = [f"E{region}{number}" for number in range(3)]

    def add(self, event_type: str, day: date, **columns: object) -> Fact:
        """Record a fact; empty values leave the field empty."""
        shown = {column: str(value) for column, value in columns.items() if value not in (None, "")}
        key = f"{event_type}-{len(self.facts)}"
        source = self.random.choice(SOURCES)
        envelope = {"event_type": event_type, "source_event_key": key, "occurred_on": day.isoformat()}
        fact = Fact(source, {**envelope, "region_code": self.region, **shown})
        self.facts.append(fact)
        return fact

    def correct(self, event_type: str, day: date, original: Fact, **columns: object) -> Fact:
        """A fact that names its original, and the original's source when it is another."""
        fact = self.add(event_type, day, original_event_key=original.columns["source_event_key"], **columns)
        if fact.source_system != original.source_system:
            fact.columns["original_source_system"] = original.source_system
        return fact

    def day(self, first: date = FIRST_DAY, last: date = LAST_DAY) -> date:
        """A day of the span, both ends included."""
        return first + timedelta(days=self.random.randint(0, max((last - first).days, 0)))

    def later(self, day: date) -> date:
        """A correction's day: soon or months after, over the merger and the year's end."""
        return min(day + timedelta(days=self.random.choice([0, 3, 40, 90, 150])), LAST_DAY)

    def money(self, top: int = 500000) -> Decimal:
        return Decimal(self.random.randint(1, top)) / 100

    def maybe(self, share: float) -> bool:
        return self.random.random() < share

    def part(self, amount: Decimal) -> Decimal:
        """More than nothing and at most all of it."""
        if amount <= Decimal("0.01") or self.maybe(0.3):
            return amount
        share = Decimal(self.random.randint(1, 99)) / 100
        return max((amount * share).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP), Decimal("0.01"))

    def fund(self, day: date, share_mat: float = 0.4) -> str:
        return "MAT" if day < self.merger_date and self.maybe(share_mat) else "EMI"

    def sub_fund(self, fund: str) -> str:
        return "personal" if fund == "EMI" and self.maybe(0.3) else "pooled"
