"""The page of providers: agreements that name maternity care, and their indicators against the targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from reporting import settlement
from reporting.analysis.figures import percent
from reporting.names import AGREEMENT_INDICATORS, STATUSES, Name
from reporting.site.frame import Frame
from reporting.site.pages import Source
from reporting.verdict import Light

KEY = "providers"
FILE = "providers.html"

AGREEMENTS: dict[str, tuple[Light, Name]] = {
    "valid": ("green", Name("有效，写明生育医疗服务", "valid, names maternity care")),
    "without_maternity": ("amber", Name("未写明生育医疗服务", "does not name maternity care")),
    "not_in_force": ("red", Name("服务当日不在有效期", "not in force on the day of service")),
    "none": ("red", Name("没有协议", "no agreement")),
}
FORMULAS = {
    "caesarean_share": Name("剖宫产例数 ÷ 全部分娩例数", "caesareans ÷ deliveries"),
    "cost_per_delivery": Name("分娩医疗费总额 ÷ 分娩例数", "fees of deliveries ÷ deliveries"),
    "direct_settlement_share": Name(
        "直接付给机构的金额 ÷ 对该机构结算的支付", "paid directly ÷ paid on its settlements"
    ),
    "days_to_settle": Name("出院至结算日数合计 ÷ 例数", "days from discharge to settlement ÷ cases"),
    "overcharge_share": Name("超价格金额 ÷ 可比结算金额", "above the price ÷ settled that has a price"),
    "prenatal_heads_per_delivery": Name("按标准推算的人头 ÷ 分娩例数", "heads derived from the price ÷ deliveries"),
}
SHARES = {"caesarean_share", "direct_settlement_share", "overcharge_share"}
OUTCOMES: dict[str, tuple[Light, Name]] = {
    "met": ("green", Name("达标", "met")),
    "missed": ("amber", Name("未达标", "missed")),
    "too_few": ("grey", Name("例数不足，不考核", "too few to judge")),
}
# Whose numerator, and whose denominator too, is an amount of money.
OF_MONEY = {"cost_per_delivery", "direct_settlement_share", "overcharge_share"}
PER_MONEY = {"direct_settlement_share", "overcharge_share"}
COMPARISONS = {"at_most": "≤", "at_least": "≥"}


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    return {FILE: render(source, frame, settlement.providers(source.connection))}


def render(source: Source, frame: Frame, regions: Sequence[settlement.ProvidersOf]) -> str:
    """The HTML."""
    return frame.html(
        "providers.html.j2",
        KEY,
        regions=regions,
        names=source.names,
        AGREEMENTS=AGREEMENTS,
        INDICATORS=AGREEMENT_INDICATORS,
        FORMULAS=FORMULAS,
        OUTCOMES=OUTCOMES,
        COMPARISONS=COMPARISONS,
        STATUSES=STATUSES,
        figure=figure,
        part=part,
        OF_MONEY=OF_MONEY,
        PER_MONEY=PER_MONEY,
    )


def part(number: Decimal, money: bool) -> str:
    """Numerator or denominator: money with two decimals, what counts whole where it is."""
    return f"{number:,.2f}" if money or number != number.to_integral_value() else f"{number:,.0f}"


def figure(indicator_code: str, value: Decimal | None) -> str:
    """A value or target as it is read: shares in per cent, the rest with two decimals; a missing one is a dash."""
    if value is None or indicator_code in SHARES:
        return percent(value)
    return f"{value:,.2f}"
