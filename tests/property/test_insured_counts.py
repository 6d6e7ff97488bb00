"""Persons insured by month, against a recount day by day in plain Python of what the log says of each person.

Stories hold starts, changes and ends of two employers and of oneself in any order: late, of one day, contradicting one
another, told again by later batches; batches are built one by one or several at once.
"""

from __future__ import annotations

import calendar
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.enrollment_books import EnrollmentBooks, enrollment_books

__all__ = ["enrollment_books"]

REGION = "320100"
MERGER = date(2020, 1, 1)
FIRST_DAY, LAST_DAY = date(2019, 10, 1), date(2020, 4, 30)
MONTHS = [date(2019, 10, 1), date(2019, 11, 1), date(2019, 12, 1), *(date(2020, month, 1) for month in range(1, 5))]
Key = tuple[str, str, str | None]


@dataclass(frozen=True)
class State:
    """What is in force for a person under one insurance on one day."""

    category: str
    group: str | None
    employer: str | None
    base: Decimal | None


# Days at the edges of months, where errors live, and some between them.
DAYS = st.sampled_from(
    [
        *MONTHS,
        *(month - timedelta(days=1) for month in MONTHS[1:]),
        date(2019, 11, 14),
        date(2020, 1, 16),
        date(2020, 2, 29),
    ]
)
WHO = st.one_of(
    st.tuples(st.just("employee"), st.sampled_from(["E1", "E2"]), st.sampled_from([None, "migrant"])),
    st.tuples(st.just("flexible"), st.none(), st.sampled_from([None, "new_form"])),
    st.tuples(st.just("retiree"), st.none(), st.none()),
)


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """One enrolment fact of one of three persons."""
    category, employer, group = draw(WHO)
    insurance = draw(st.sampled_from(["310", "310", "510"]))
    kind = draw(st.sampled_from(["started", "started", "changed", "ended"]))
    return {
        "event_type": f"enrollment.{kind}",
        "occurred_on": draw(DAYS),
        "person_no": draw(st.sampled_from(["P1", "P1", "P2", "P3"])),
        "insurance_type": insurance,
        "enrollment_category": category,
        "employer_no": employer,
        "worker_group": group,
        "contribution_base": draw(st.sampled_from([None, Decimal("5000.00"), Decimal("6000.00")])),
    }


BATCHES = st.lists(
    st.tuples(st.lists(facts(), min_size=1, max_size=7), st.booleans()), min_size=1, max_size=5
)  # with each batch, whether it is built before the next one comes


def by_day(events: Sequence[dict[str, Any]]) -> dict[date, State]:
    """State by day of one person under one insurance; the events in the order of the log."""
    told = sorted(events, key=lambda event: event["occurred_on"])  # stable: those of one day stay in the log's order
    states: dict[date, State] = {}
    now: State | None = None
    is_over, base, groups = False, None, dict[str, str | None]()
    day = FIRST_DAY
    while day <= LAST_DAY:
        for event in (event for event in told if event["occurred_on"] == day):
            category, employer = event["enrollment_category"], event["employer_no"]
            if event["event_type"] == "enrollment.ended":
                if now and now.category == category and (None in (now.employer, employer) or now.employer == employer):
                    now, is_over = None, True
                continue
            if event["event_type"] == "enrollment.started":
                is_over, base, groups = False, None, {}
            if is_over:
                continue
            base = event["contribution_base"] or base
            groups[category] = event["worker_group"] or groups.get(category)
            now = State(category, groups[category], employer, base)
        if now:
            states[day] = now
        day += timedelta(days=1)
    return states


def days_of(month: date) -> Iterator[date]:
    for number in range(1, calendar.monthrange(month.year, month.month)[1] + 1):
        yield month.replace(day=number)


def recount(people: dict[tuple[str, str], dict[date, State]]) -> dict[tuple[date, Key], Counter[str]]:
    """Figures by month and (insurance, category, group)."""
    counts: dict[tuple[date, Key], Counter[str]] = defaultdict(Counter)
    employers: dict[tuple[date, Key], set[str | None]] = defaultdict(set)
    for (_, insurance), states in people.items():
        for month in MONTHS:
            count_month(counts, employers, insurance, month, states)
    for (month, (insurance, category, group)), figures in counts.items():
        of_category = {
            kind[2]: found - {None}
            for (when, kind), found in employers.items()
            if (when, *kind[:2]) == (month, insurance, category)
        }
        figures["employer_count"] = len(of_category.get(group, ()))
        figures["category_employer_count"] = len(set().union(*of_category.values()))
        covers = category == "employee" and (insurance == "310") == (month >= MERGER)
        figures["maternity_covered_count"] = figures["person_count"] if covers else 0
    return {place: figures for place, figures in counts.items() if +figures}


def count_month(
    counts: dict[tuple[date, Key], Counter[str]],
    employers: dict[tuple[date, Key], set[str | None]],
    insurance: str,
    month: date,
    states: dict[date, State],
) -> None:
    """What one person adds to a month."""
    before, last = states.get(month - timedelta(days=1)), max(days_of(month))
    within = [states[day] for day in days_of(month) if day in states]
    after, final = states.get(last), within[-1] if within else before

    def place(state: State) -> tuple[date, Key]:
        return month, (insurance, state.category, state.group)

    if after:
        counts[place(after)]["person_count"] += 1
        employers[place(after)].add(after.employer)
    if final:
        counts[place(final)]["person_in_month_count"] += bool(within)
        counts[place(final)]["joined_count"] += not before
        counts[place(final)]["left_count"] += not after
    if before and within and final and place(before) != place(final):
        counts[place(before)]["moved_out_count"] += 1
        counts[place(final)]["moved_in_count"] += 1


COLUMNS = (
    *("person_count", "person_in_month_count", "joined_count", "left_count", "moved_in_count", "moved_out_count"),
    *("employer_count", "category_employer_count", "maternity_covered_count"),
)


def counted(books: EnrollmentBooks) -> dict[tuple[date, Key], Counter[str]]:
    return {
        (row["insured_month"], (row["insurance_type"], row["enrollment_category"], row["worker_group"])): Counter(
            {column: row[column] for column in COLUMNS}
        )
        for row in books.rows("select * from marts.insured_count")
    }


def assert_recount(books: EnrollmentBooks, events: Sequence[dict[str, Any]]) -> None:
    people: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for event in events:
        people.setdefault((event["person_no"], event["insurance_type"]), []).append(event)
    states = {who: by_day(told) for who, told in people.items()}
    expected = {
        place: Counter({column: figures[column] for column in COLUMNS})
        for place, figures in recount(states).items()
        if place[1][0] == "310" or place[0] < MERGER
    }
    assert counted(books) == expected
    months = {
        (row["person_no"], row["insurance_type"], row["insured_month"]): row
        for row in books.rows("select * from marts.person_insured_month")
    }
    for (person, insurance), known in states.items():
        for month in MONTHS:
            if insurance == "510" and month >= MERGER:
                continue
            insured = [day for day in days_of(month) if day in known]
            row = months.get((person, insurance, month))
            if not insured:
                assert row is None or (row["status"], row["insured_days"]) == ("not_insured", 0)
                continue
            assert row is not None
            state = known[insured[-1]]
            assert row["status"] == ("insured" if insured[-1] == max(days_of(month)) else "left")
            assert (row["insured_days"], row["enrollment_category"], row["worker_group"]) == (
                len(insured),
                state.category,
                state.group,
            )
            assert (row["employer_no"], row["contribution_base"]) == (state.employer, state.base)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES)
def test_counts_are_those_of_a_recount(
    enrollment_books: EnrollmentBooks,
    batches: list[tuple[list[dict[str, Any]], bool]],
) -> None:
    books = enrollment_books
    books.begin()
    events: list[dict[str, Any]] = []
    for number, (told, is_built) in enumerate(batches, start=1):
        events += told
        seq = books.add(REGION, *told)
        if number == 1:
            books.reach(REGION, "2020-04-01")
        if is_built or number == len(batches):
            books.build(REGION)
            books.publish(REGION, seq)
            assert_recount(books, events)
