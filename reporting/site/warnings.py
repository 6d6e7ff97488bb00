"""What must be known before a figure of a region is used: its published books fail, or publication is frozen."""

from __future__ import annotations

from reporting import verdict as verdicts
from reporting.names import Name
from reporting.overview import Overview


def warnings_of(overview: Overview) -> dict[str, Name]:
    """The warning of every region with published books that has one, by code; the same while nothing else is found."""
    found = {verdict.region_code: verdicts.warning(verdict, overview.results_of(verdict.region_code))
             for verdict in overview.verdicts if verdict.published is not None}  # fmt: skip
    return {code: warning for code, warning in found.items() if warning is not None}
