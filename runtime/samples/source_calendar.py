"""From when to when the sample files are due: what `make run` activates, by the rules of the sources' own profiles."""

from __future__ import annotations

from datetime import date

from ingestion.source_calendar import Activation

_UNTIL = "2020Q2"
_FOURTH_QUARTER = date(2019, 10, 1)  # claims and treasury facts start with it
# The calendar has one row for a source, family and rule: what concerns both cities has no region.
_CITIES = (("huainan", "340400"), ("nanjing", "320100"))
_BUREAUS = ("tax_bureau", "fiscal_bureau")

DEMO_CALENDAR: tuple[Activation, ...] = (
    *(
        Activation(source_system, active_from, _UNTIL, families, region)
        for source_system, region in _CITIES
        for active_from, families in (
            (date(2019, 9, 1), ("contribution",)),
            (_FOURTH_QUARTER, ("claim", "treasury")),
        )
    ),
    *(Activation(source_system, _FOURTH_QUARTER, _UNTIL) for source_system in _BUREAUS),
)
