"""Which sample files are due when: the rows that `make run` puts into events.source_calendar."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class CalendarRow(NamedTuple):
    """A row of events.source_calendar; its region waits for the file, without one every region of the source does."""

    source_system: str
    family: str
    due_rule: str
    active_from: date
    region_code: str | None


_QUARTERLY = "quarterly day 10 until 2020Q2"
# Registration comes when there is something to register; claims and treasury facts start with the fourth quarter.
_ACTIVE_FROM = {"contribution": date(2019, 9, 1), "claim": date(2019, 10, 1), "treasury": date(2019, 10, 1)}
_STATEMENTS = {"treasury": date(2019, 10, 1)}
# events.source_calendar has one row for a source and family: what concerns both cities has no region.
_SOURCES = (
    ("huainan", "340400", _ACTIVE_FROM),
    ("nanjing", "320100", _ACTIVE_FROM),
    ("tax_bureau", None, _STATEMENTS),
    ("fiscal_bureau", None, _STATEMENTS),
)

DEMO_CALENDAR: tuple[CalendarRow, ...] = tuple(
    CalendarRow(source_system, family, _QUARTERLY, active_from, region_code)
    for source_system, region_code, families in _SOURCES
    for family, active_from in families.items()
)
