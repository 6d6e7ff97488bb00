"""Streams of accepted facts told again as other regions: closed in between, cut into builds, in another order.

A region of its own for each way of telling lets many of them be built together. Events are copies; what acceptance has
computed for them stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from .generator import Shape, generate
from .log import Log
from .policy import load
from .posting import following
from .references import Event
from .rows import Row

TODAY = date(2026, 11, 20)
_STORY = Shape(size=2, runs=1, slots=1, bad_rows=0, copies=0, bad_files=False)
# What the log's columns have no place for, or what is given anew.
_NOT_COLUMNS = {"source_event_key", "original_event_key", "original_source_system", "schema_version", "region_code"}
_NOT_COLUMNS |= {"receipt_no", "tax_voucher_no", "tax_authority_code", "certificate_no", "employer_name"}


@dataclass
class Variant:
    """One region: the events of its log in order, cut into batches, and the build in which each batch arrives."""

    region: str
    city: str
    events: list[Event]
    batches: list[list[Event]] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)

    def of_build(self, number: int) -> list[list[Event]]:
        """Batches that arrive before a build."""
        return [batch for batch, build in zip(self.batches, self.arrivals, strict=True) if build == number]


def facts(seed: int, most: int) -> tuple[str, list[Event]]:
    """City and accepted facts of a story in the order of its log, at most about so many; originals stay with them."""
    log, random = Log(load(), TODAY), Random(seed)
    for run in generate(seed, _STORY):
        log.run(run)
    city = random.choice(sorted(log.by_region))
    told = [event for event in log.by_region[city] if event.identity[2] != "registration"]
    merged = [event for event in told if event.event_type == "fund.merged"]
    chosen = {step for event in random.sample(told, min(most, len(told))) for step in event.chain}
    return city, _originals_first([event for event in told if event in chosen or event in merged])


def _originals_first(events: Sequence[Event]) -> list[Event]:
    """A file may name the correction first; batches that are cut anew must not part it from its original that way."""
    result: list[Event] = []
    for event in events:
        result += [step for step in reversed(list(event.chain)) if step not in result]
    return result


def told_as(region: str, city: str, events: Sequence[Event]) -> Variant:
    """Copies of events as the log of another region, with seqs of their own."""
    copies: dict[Event, Event] = {}
    for seq, event in enumerate(events, 1):
        original = copies[event.original] if event.original else None
        identity = (region, *event.identity[1:])
        copies[event] = Event(identity, event.row, event.file_id, seq, event.credit, original)
    return Variant(region, city, [copies[event] for event in events])


def cut(variant: Variant, random: Random, builds: int, *, at_once: bool = False) -> Variant:
    """Cut the log into batches of one to seven events, spread over the builds or all in the last one."""
    begin = 0
    while begin < len(variant.events):
        end = begin + random.randint(1, 7)
        variant.batches.append(variant.events[begin:end])
        begin = end
    count = len(variant.batches)
    spread = sorted(random.randrange(builds) for _ in range(count))
    variant.arrivals = [builds - 1] * count if at_once else spread
    return variant


def cut_alike(variant: Variant, other: Variant, builds: int) -> Variant:
    """The same batches as another telling of the same log, all of them in the last build."""
    places = {event.seq: event for event in variant.events}
    variant.batches = [[places[event.seq] for event in batch] for batch in other.batches]
    variant.arrivals = [builds - 1] * len(variant.batches)
    return variant


def closed_in_between(events: Sequence[Event], random: Random) -> list[Event]:
    """The same facts with months closed at random places, each year by year.closed just before its December."""
    result, month = list(events), date(2019, 8, 1)
    places = sorted(random.randrange(len(events) + 1) for _ in range(random.randint(1, 5)))
    for added, place in enumerate(places):
        closing = []
        for _ in range(random.randint(1, 4)):
            month = following(month)
            if month.month == 12:
                closing.append(control("year.closed", date(month.year, 12, 31), month))
            closing.append(control("period.closed", month, month))
        at = place + sum(1 for event in result if event.identity[2] == "control") if added else place
        result[at:at] = closing
    return result


def control(event_type: str, day: date, month: date) -> Event:
    """An event that the pipeline itself writes."""
    values = {"occurred_on": day, "accounting_month": month}
    row = Row(1, {"event_type": event_type, "occurred_on": day.isoformat()}, dict(values))
    return Event(("", "pipeline", "control", f"{event_type} {month}"), row, 0)


def any_order(events: Sequence[Event], random: Random) -> list[Event]:
    """The same facts in another order; a correction never comes before its original."""
    left, result = list(events), list[Event]()
    while left:
        free = [event for event in left if event.original is None or event.original in result]
        result.append(random.choice(free))
        left.remove(result[-1])
    return result


def columns(event: Event) -> dict[str, Any]:
    """An event as the columns of the log; `original` is the seq of what it refers to."""
    row = {column: value for column, value in event.row.values.items() if column not in _NOT_COLUMNS}
    row |= {"event_type": event.event_type, "family": event.identity[2], "occurred_on": event.occurred_on}
    if event.identity[2] == "contribution" and event.event_type != "contribution.assessed":
        row["personal_account_credit"] = event.credit
    return row | ({"original": event.original.seq} if event.original else {})
