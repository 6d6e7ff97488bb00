"""The page of settlement: payment methods, prices, time limits, advances and deposits, and the old platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reporting import settlement
from reporting.analysis.figures import percent
from reporting.names import BASES, BENEFIT_ITEMS, MATTERS, PAYMENT_METHODS, STATUSES, Name
from reporting.site.frame import Frame
from reporting.site.pages import Source
from reporting.verdict import Light

KEY = "settlement"
FILE = "settlement.html"

UNITS = {
    "cases": Name("例", "cases"),
    "units": Name("单元", "units"),
    "heads_by_price": Name("人头（按标准推算）", "heads, by the price"),
    "unknown": Name("不可计", "not known"),
}
PLATFORM: dict[str, tuple[Light, Name]] = {
    "ties_out": ("green", Name("相符", "ties out")),
    "differs": ("red", Name("不符", "differs")),
    "not_stated": ("amber", Name("平台未报合计", "not stated")),
    "nothing": ("grey", Name("无业务", "nothing")),
    "closed": ("green", Name("已并入，无业务", "closed, nothing after")),
    "after_migration": ("red", Name("并入后仍有业务", "something after the migration")),
    "merged_at_once": ("green", Name("随合并一次并入", "went over with the merger")),
}


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    return {FILE: render(source, frame, settlement.settlements(source.connection))}


def render(source: Source, frame: Frame, regions: Sequence[settlement.SettlementOf]) -> str:
    """The HTML."""
    return frame.html(
        "settlement.html.j2",
        KEY,
        regions=regions,
        names=source.names,
        ITEMS=BENEFIT_ITEMS,
        METHODS=PAYMENT_METHODS,
        MATTERS=MATTERS,
        BASES=BASES,
        UNITS=UNITS,
        STATUSES=STATUSES,
        PLATFORM=PLATFORM,
        MONTHS=settlement.MONTHS,
        percent=percent,
    )
