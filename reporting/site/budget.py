"""The page of budgets: how far they are executed, whether they add up, and what is proposed for the next year."""

from __future__ import annotations

from collections.abc import Mapping

from reporting.analysis import reading
from reporting.analysis.figures import LEVELS, percent
from reporting.names import STATUSES, Name
from reporting.site.frame import Frame
from reporting.site.pages import Source

KEY = "budget"
FILE = "budget.html"

# The explanations that the approval of a budget asks for, in its order.
EXPLANATIONS = {
    "principle": Name("编制原则", "principles"),
    "policy_basis": Name("政策依据", "policy basis"),
    "data_source": Name("数据来源", "source of the data"),
    "forecast_basis": Name("预测及计算依据", "forecast and its basis"),
    "change_reason": Name("增减变化原因", "reasons for the change"),
}


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    return {
        FILE: frame.html(
            "budget.html.j2",
            KEY,
            regions=reading.budgets(source.connection),
            names=source.names,
            LEVELS=LEVELS,
            EXPLANATIONS=EXPLANATIONS,
            STATUSES=STATUSES,
            percent=percent,
        )
    }
