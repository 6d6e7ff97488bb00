"""The page of entitlement: what was paid in allowances and subsidies beside what the rules give, and the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reporting import entitlement
from reporting.analysis.figures import STATUS_LIGHTS, percent
from reporting.names import BENEFIT_ITEMS, PAYEES, Name
from reporting.site.frame import Frame
from reporting.site.pages import Source
from reporting.verdict import Light

KEY = "entitlement"
FILE = "entitlement.html"

KINDS: dict[str, tuple[Light, Name]] = {
    "as_due": ("green", Name("相符", "as due")),
    "overpaid": ("red", Name("多付", "overpaid")),
    "not_entitled": ("red", Name("无资格而支付", "no right to it")),
    "underpaid": ("amber", Name("少付", "underpaid")),
    "not_computable": ("grey", Name("无从计算", "not computable")),
}
CASES = {
    "birth": Name("分娩", "birth"),
    "difficult_birth": Name("难产、剖宫产另加", "difficult birth, added"),
    "additional_child": Name("每多一个婴儿另加", "each further child, added"),
    "provincial_extension": Name("省延长产假另加", "provincial extension, added"),
    "nursing_leave": Name("男职工护理假", "nursing leave of the husband"),
    "tubal_ligation": Name("输卵管结扎", "tubal ligation"),
    "vasectomy": Name("输精管结扎", "vasectomy"),
    "intrauterine_device": Name("放置、取出宫内节育器", "intrauterine device"),
    "tubal_reversal": Name("输卵管复通", "tubal reversal"),
    "vas_reversal": Name("输精管复通", "vas reversal"),
}
ROUNDINGS = {
    "half_up": Name("四舍五入", "half up"),
    "down": Name("舍去", "down"),
    "up": Name("进位", "up"),
    "none": Name("不取整", "not rounded"),
}


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    return {FILE: render(source, frame, entitlement.entitlements(source.connection, frame.clock.business_date))}


def render(source: Source, frame: Frame, regions: Sequence[entitlement.EntitlementOf]) -> str:
    """The HTML."""
    return frame.html(
        "entitlement.html.j2",
        KEY,
        regions=regions,
        names=source.names,
        case_name=case_name,
        ITEMS=BENEFIT_ITEMS,
        KINDS=KINDS,
        PAYEES=PAYEES,
        ROUNDINGS=ROUNDINGS,
        STATUSES=STATUS_LIGHTS,
        percent=percent,
        MONTHS=entitlement.MONTHS,
    )


def case_name(case: str, weeks_from: int | None, weeks_below: int | None) -> Name:
    """A case of the seed: by its name, or a miscarriage by its weeks."""
    if weeks_from is None:
        return CASES.get(case, Name(case, case))
    if weeks_below is None:
        return Name(f"流产、引产，孕{weeks_from}周起", f"miscarriage, from week {weeks_from}")
    return Name(f"流产，孕{weeks_from}至不足{weeks_below}周", f"miscarriage, week {weeks_from} to under {weeks_below}")
