"""The page of the merger: baseline and after, whether benefits were kept, and the self-check item by item."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from reporting import entitlement, reviews
from reporting.names import BENEFIT_ITEMS, FUNDS, Name
from reporting.site.frame import Frame
from reporting.site.pages import Source
from reporting.verdict import Light

KEY = "merger"
FILE = "merger.html"

RESULTS: dict[str, tuple[Light, Name]] = {
    "met": ("green", Name("做到", "met")),
    "not_met": ("red", Name("未做到", "not met")),
    "cannot_tell": ("grey", Name("本表不能判断", "can't be told here")),
}
KINDS: dict[str, tuple[Light, Name]] = {
    "not_reduced": ("green", Name("未降低", "not reduced")),
    "reduced_by_rules": ("red", Name("规则降低", "reduced by the rules")),
    "paid_below_old_rules": ("amber", Name("实付低于原规则", "paid below the old rules")),
    "not_computable": ("grey", Name("无从比较", "can't be compared")),
}
DETAILS = {
    "310": Name("职工医保", "employee medical"),
    "310_employee": Name("其中在职职工", "of which employees"),
    "maternity": Name("生育保险", "maternity"),
    **BENEFIT_ITEMS,
}
# What stands in the self-check's column of where to look, beside names of tables, checks and pages.
WORDS = {
    "检查 ": "check ",
    "页面 ": "page ",
    "报表行 ": "statement line ",
    " 起的审视记录": " and on: results of the review",
    "应参保人数由全民参保登记计划提供": "who should be insured is told by the national registration plan",
    "由职能部门填报，不由本系统回答": "reported by the departments, not answered here",
    "；": "; ",
    "、": ", ",
    "（": " (",
    "）": ")",
}
SIDES = {"before": Name("合并前", "before"), "after": Name("合并后", "after")}


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    found = entitlement.mergers(source.connection)
    made = {review.region_code: review for review in reviews.newest(source.connection)} if found else {}
    return {FILE: render(source, frame, found, made)}


def render(
    source: Source, frame: Frame, regions: Sequence[entitlement.MergerOf], made: Mapping[str, reviews.Review]
) -> str:
    """The HTML."""
    return frame.html(
        "merger.html.j2",
        KEY,
        regions=regions,
        names=source.names,
        rule_name=rule_name,
        where=where,
        ITEMS=BENEFIT_ITEMS,
        FUNDS=FUNDS,
        RESULTS=RESULTS,
        reviews=made,
        KINDS=KINDS,
        DETAILS=DETAILS,
        SIDES=SIDES,
    )


def rule_name(met_when: str, target: Decimal | None) -> Name:
    """When an item counts as met, in words."""
    if met_when == "numerator_zero":
        return Name("分子为零", "numerator is zero")
    if met_when == "not_judged":
        return Name("只列数字，不作判断", "figures only, not judged")
    if met_when == "numerator_positive":
        return Name("分子大于零", "numerator above zero")
    share = f"{(target or 0) * 100:.0f} %"
    return Name(f"分子 ÷ 分母不低于 {share}", f"numerator ÷ denominator at least {share}")


def where(text: str) -> Name:
    """Where to look in both languages; parameters by the mart that readers may ask, for the seeds they may not."""
    zh = re.sub(r"policy\.(\w+)", r"marts.policy_parameter（\1）", text)
    en = zh
    for said, meant in WORDS.items():
        en = en.replace(said, meant)
    return Name(zh, en)
