"""Periods of rows: what is in force on a day, what comes next, which rows overlap, what is left open between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from parameters.files import Row
from parameters.tables import Table

Key = tuple[str, ...]


def first_day(row: Row) -> date:
    """First day of the row's period; the first of all days where it states none."""
    return date.fromisoformat(row["effective_from"]) if row["effective_from"] else date.min


def last_day(row: Row) -> date:
    """Last day of the row's period, inclusive; the last of all days when it is open."""
    return date.fromisoformat(row["effective_to"]) if row["effective_to"] else date.max


def key_of(table: Table, row: Row) -> Key:
    """What the row has in common with those that it replaces."""
    return tuple(row[name] for name in table.key)


def by_key(table: Table, rows: Iterable[Row]) -> dict[Key, list[Row]]:
    """Rows by key, each by period and then by the day from which it is known."""
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        found[key_of(table, row)].append(row)
    return {
        key: sorted(of_key, key=lambda row: (first_day(row), row["known_from"], row.line))
        for key, of_key in sorted(found.items())
    }


def in_force(rows: Iterable[Row], day: date, known_on: date | None = None) -> Row | None:
    """Of the rows of one key the one in force on a day, as known on another (None: as known at last)."""
    known = known_on.isoformat() if known_on else "9999"
    held = [row for row in rows if first_day(row) <= day <= last_day(row) and row["known_from"] <= known]
    return max(held, key=lambda row: (row["known_from"], row["effective_from"]), default=None)


def before(table: Table, rows: Iterable[Row], new: Row) -> Row | None:
    """Of the rows of one key the one that a new row takes the place of, or follows; None when there is none.

    With periods the one in force on the new row's first day, else that of the newest step not after the new row's.
    """
    if table.is_dated:
        return in_force(rows, first_day(new))
    limit = step_of(table, new)
    held = [row for row in rows if step_of(table, row) <= limit]
    return max(held, key=lambda row: (step_of(table, row), row["known_from"], row.line), default=None)


def step_of(table: Table, row: Row) -> tuple[Decimal, ...]:
    """Place of a row among those of its key; a step that is not stated is the last."""
    return tuple(Decimal(row[name] or "Infinity") for name in table.steps)


def next_change(rows: Iterable[Row], day: date) -> date | None:
    """The first day after `day` on which another row of the key is in force, or none; None when nothing changes."""
    rows = list(rows)
    now = in_force(rows, day)
    days = {first_day(row) for row in rows} | {_after(last_day(row)) for row in rows if last_day(row) < date.max}
    return next((other for other in sorted(days) if other > day and in_force(rows, other) is not now), None)


def overlapping(rows: list[Row]) -> Iterator[tuple[Row, Row]]:
    """Pairs of rows of one key of which neither wins: same day of knowledge, a day in common."""
    for place, row in enumerate(rows):
        for other in rows[place + 1 :]:
            if row["known_from"] == other["known_from"] and first_day(other) <= last_day(row):
                yield row, other


def gaps(rows: list[Row]) -> Iterator[tuple[Row, date, date]]:
    """Days between the periods of one key on which nothing is in force: the row before, first and last of them."""
    reached: Row | None = None
    for row in rows:
        if reached is not None and last_day(reached) < date.max and first_day(row) > _after(last_day(reached)):
            yield reached, _after(last_day(reached)), first_day(row) - timedelta(days=1)
        if reached is None or last_day(row) > last_day(reached):
            reached = row


def _after(day: date) -> date:
    return day + timedelta(days=1)
