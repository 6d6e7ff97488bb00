"""The page of risk early warning: indicators with their level, and the charts behind them."""

from __future__ import annotations

from collections.abc import Mapping

from reporting.analysis import reading
from reporting.analysis.figures import LEVELS, PARTS, UNITS, lines, part, percent, value
from reporting.names import BENEFIT_ITEMS, STATUSES, Name, name_of
from reporting.site.frame import Frame
from reporting.site.pages import Source

KEY = "risk"
FILE = "risk.html"

ITEMS = {**BENEFIT_ITEMS, "delivery": Name("全部分娩", "All deliveries")}
BORDERS = (
    ("red_below", "red", Name("红线", "red line")),
    ("yellow_below", "amber", Name("正常下限", "lower bound")),
    ("yellow_above", "green", Name("正常上限", "upper bound")),
    ("excessive_above", "second", Name("过高线", "excessive above")),
)


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    return {
        FILE: frame.html(
            "risk.html.j2",
            KEY,
            regions=reading.risks(source.connection),
            names=source.names,
            LEVELS=LEVELS,
            UNITS=UNITS,
            PARTS=PARTS,
            BORDERS=BORDERS,
            value=value,
            part=part,
            lines=lines,
            STATUSES=STATUSES,
            percent=percent,
            item_name=lambda code: name_of(ITEMS, code),
        )
    }
