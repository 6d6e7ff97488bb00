"""The page of accounting months: open or closed, who prepared and approved, what was signed, and what is frozen."""

from __future__ import annotations

from collections.abc import Mapping

from reporting import periods
from reporting.names import Name
from reporting.site.frame import Frame
from reporting.site.pages import Source
from reporting.verdict import Light

KEY = "periods"
FILE = "periods.html"

DECISIONS: dict[str | None, tuple[Light, Name]] = {
    None: ("amber", Name("等待审批", "waiting for a decision")),
    "approved": ("green", Name("已批准，关账未完成", "approved, close not complete")),
    "rejected": ("red", Name("已退回", "rejected")),
    "timed_out": ("grey", Name("超时未批", "timed out")),
    "void": ("grey", Name("作废", "void")),
}
OUTCOMES = {
    "ok": Name("符合", "in order"),
    "attention": Name("提请注意", "deserve a look"),
    "waivable": Name("须说明理由", "need a reason"),
    "blocked": Name("不得关账", "stand against closing"),
    "info": Name("供参考", "for information"),
}
OUTCOME_LIGHTS: dict[str, Light] = {"attention": "amber", "waivable": "amber", "blocked": "red"}


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    return {FILE: render(source, frame, periods.periods(source.connection))}


def render(source: Source, frame: Frame, regions: list[periods.Periods]) -> str:
    """The HTML; files are linked when they lie in the folder of reports."""
    return frame.html(
        "periods.html.j2",
        KEY,
        regions=regions,
        names=source.names,
        DECISIONS=DECISIONS,
        OUTCOMES=OUTCOMES,
        OUTCOME_LIGHTS=OUTCOME_LIGHTS,
        there=lambda path: source.folder is not None and (source.folder / path).is_file(),
    )
