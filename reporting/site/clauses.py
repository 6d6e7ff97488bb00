"""The page of the notices: every clause, what answers it in the running system, and how its checks stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from reporting import clauses
from reporting.clauses import Clause, SelfCheck, Standing
from reporting.names import Name
from reporting.site.frame import Frame
from reporting.site.pages import Source
from reporting.verdict import Light

KEY = "clauses"
FILE = "clauses.html"
NEVER = Standing(made=False, open=0)


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    register = clauses.clauses(source.connection)
    standings = clauses.standings(source.connection, register)
    return {FILE: render(source, frame, register, standings, clauses.checked(source.connection))}


def render(
    source: Source,
    frame: Frame,
    register: Sequence[Clause],
    standings: Mapping[tuple[str, str], Standing],
    checked: Mapping[str, SelfCheck],
) -> str:
    """The HTML."""
    regions = [(region, list(of_region)) for region, of_region in groupby(register, lambda clause: clause.region_code)]
    return frame.html(
        "clauses.html.j2",
        KEY,
        regions=regions,
        names=source.names,
        checked=checked,
        titles={entry.file: entry.title for entry in frame.pages},
        light_of=lambda region, code: light_of(standings.get((region, code), NEVER)),
    )


def light_of(standing: Standing) -> tuple[Light, Name]:
    """Light and word of a check in a region."""
    if not standing.made:
        return "grey", Name("未检查", "not made")
    if standing.open:
        return "amber", Name(f"{standing.open} 条未解决", f"{standing.open} open")
    return "green", Name("无未解决", "none open")
