"""The page of claims monitoring: findings by rule, month and whom they concern, and institutions side by side."""

from __future__ import annotations

from collections.abc import Mapping

from expectations.suites.monitoring import rules
from reporting import monitoring, reviews
from reporting.analysis.figures import percent
from reporting.names import Name
from reporting.quality import exists
from reporting.site.frame import Frame
from reporting.site.pages import Source
from reporting.verdict import Light

KEY = "monitoring"
FILE = "monitoring.html"

POSITIONS: dict[str | None, tuple[Light, Name]] = {
    "above": ("amber", Name("高于上限", "above")),
    "below": ("grey", Name("低于下限", "below")),
    "within": ("green", Name("限内", "within")),
    None: ("grey", Name("无可比", "no peers")),
}


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    made = exists(source.connection, "marts.institution_comparison")
    found = monitoring.read(source.connection) if made else monitoring.Monitoring((), (), (), ())
    return {FILE: render(source, frame, found, reviews.newest(source.connection) if made else [])}


def render(source: Source, frame: Frame, found: monitoring.Monitoring, reviewed: list[reviews.Review]) -> str:
    """The HTML."""
    return frame.html(
        "monitoring.html.j2",
        KEY,
        found=found,
        reviewed=reviewed,
        rules={rule.code: rule for rule in rules()},
        names=source.names,
        POSITIONS=POSITIONS,
        said=_said(found),
        percent=percent,
    )


def _said(found: monitoring.Monitoring) -> Name:
    """The chart of months in words."""
    most = max(found.of_months, key=lambda month: (month.found, month.month), default=None)
    if most is None:
        return Name("没有命中。", "No findings.")
    total = sum(month.found for month in found.of_months)
    return Name(
        f"共 {total} 项，最多的月份是 {most.month:%Y-%m}，{most.found} 项。",
        f"{total} findings in all; most, {most.found}, in {most.month:%Y-%m}.",
    )
