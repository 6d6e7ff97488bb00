"""Which files are due: activation of a source by its profile, and the state of each file. Dates are Beijing dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from psycopg2.extensions import cursor as Cursor

from ingestion.profiles import profile_of
from ingestion.settings import Settings, SettingsError

_PERIOD = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])|[0-9]{4}Q[1-4]")
_UNTIL = " until "
_ACTIVATE = """
INSERT INTO events.source_calendar (source_system, family, due_rule, active_from, region_code)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_ROWS = """
SELECT source_system, family, due_rule, active_from, region_code FROM events.source_calendar
ORDER BY source_system, family, due_rule
"""
_DUE = """
SELECT source_system, family, region_code, period, first_day, last_day, due_on, state, arrived_on, file_name, due_rule
FROM events.due_file(%s)
ORDER BY source_system, family, first_day, due_rule
"""


@dataclass(frozen=True)
class CalendarRow:
    """A row of events.source_calendar; its region waits for the files, without one every region of the source does."""

    source_system: str
    family: str
    due_rule: str
    active_from: date
    region_code: str | None


@dataclass(frozen=True)
class DueFile:
    """The file of a period. `state`: missing, awaited, on_time, late, early; unreadable for a rule without periods."""

    source_system: str
    family: str
    region_code: str | None
    period: str | None
    first_day: date | None
    last_day: date | None
    due_on: date | None
    state: str
    arrived_on: date | None
    file_name: str | None
    due_rule: str


@dataclass(frozen=True)
class Activation:
    """Files of a source count from the period in which `active_from` lies, up to `until` (2020-06 or 2020Q2).

    Without families all those with a rule; without a region every one that the source sends.
    """

    source_system: str
    active_from: date
    until: str | None = None
    families: tuple[str, ...] = ()
    region_code: str | None = None


def activate(cursor: Cursor, settings: Settings, wanted: Activation) -> list[CalendarRow]:
    """Enter the rules that a source's profile states (`due:`), of all its families or those named; returns the rows.

    What is active already stays as it is. Raises FileRejected for a faulty profile, SettingsError when nothing in it is
    due, or when the same rule is active with another end.
    """
    rows = _rows_of(settings, wanted)
    _check_ends(rows, active(cursor))
    for row in rows:
        cursor.execute(_ACTIVATE, (row.source_system, row.family, row.due_rule, row.active_from, row.region_code))
    entered = {_key(row) for row in rows}
    return [row for row in active(cursor) if _key(row) in entered]


def _key(row: CalendarRow) -> tuple[str, str, str]:
    return row.source_system, row.family, row.due_rule


def _check_ends(rows: list[CalendarRow], known: list[CalendarRow]) -> None:
    """The same rule with two ends would expect each file twice."""
    wanted = {(row.source_system, row.family, row.due_rule.partition(_UNTIL)[0]): row.due_rule for row in rows}
    for row in known:
        rule = wanted.get((row.source_system, row.family, row.due_rule.partition(_UNTIL)[0]), row.due_rule)
        if rule != row.due_rule:
            raise SettingsError(
                f"{row.source_system}/{row.family} is active as {row.due_rule!r}; an administrator has to change"
                " that row of events.source_calendar"
            )


def active(cursor: Cursor) -> list[CalendarRow]:
    """The whole calendar."""
    cursor.execute(_ROWS)
    return [CalendarRow(*row) for row in cursor.fetchall()]


def due_files(cursor: Cursor, business_date: date) -> list[DueFile]:
    """Files whose period had ended before the business date, and earlier ones that have come all the same."""
    cursor.execute(_DUE, (business_date,))
    return [DueFile(*row) for row in cursor.fetchall()]


def _rows_of(settings: Settings, wanted: Activation) -> list[CalendarRow]:
    if wanted.until is not None and not _PERIOD.fullmatch(wanted.until):
        raise SettingsError(f"until {wanted.until}: neither a month such as 2020-06 nor a quarter such as 2020Q2")
    feeds = [feed for _, feed in profile_of(wanted.source_system, settings.sources_dir).feeds]
    asked = wanted.families or [feed.family for feed in feeds]
    due = {(feed.family, feed.due) for feed in feeds if feed.due and feed.family in asked}
    absent = sorted(set(wanted.families) - {family for family, _ in due})
    if absent or not due:
        raise SettingsError(
            f"the profile of {wanted.source_system} does not say when its files"
            f"{' of ' + ', '.join(absent) if absent else ''} are due; add `due:` to its feeds"
        )
    if wanted.until and any(_UNTIL in rule for _, rule in due):
        raise SettingsError(f"the profile of {wanted.source_system} says itself until when its files are due")
    end = f"{_UNTIL}{wanted.until}" if wanted.until else ""
    return [
        CalendarRow(wanted.source_system, family, rule + end, wanted.active_from, wanted.region_code)
        for family, rule in sorted(due)
    ]
