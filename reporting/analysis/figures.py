"""Figures as people read them: levels with their light, ratios in per cent, values by their unit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from reporting import verdict
from reporting.names import STATUSES, Name
from reporting.verdict import Light

_STATUS_TONES: dict[str, Light] = {"verified": "green", "secondary": "amber", "assumed": "grey"}
# None: no warning line is set for the indicator.
LEVELS: dict[str | None, tuple[Light, Name]] = {
    "red": ("red", Name("红色预警", "red")),
    "excessive": ("red", Name("过高", "excessive")),
    "yellow": ("amber", Name("黄色预警", "yellow")),
    "yellow_high": ("amber", Name("偏高", "yellow, high")),
    "green": ("green", Name("正常", "normal")),
    "no_data": ("grey", Name("无数据或不可比", "no data, or not comparable")),
    None: ("grey", Name("未设预警线", "no line set")),
}

# How well a parameter is founded, with its light.
STATUS_LIGHTS: dict[str, tuple[Light, Name]] = {code: (light, STATUSES[code]) for code, light in _STATUS_TONES.items()}


def percent(share: Decimal | None) -> str:
    """`26.35%` of 0.2635; a dash where there is none."""
    # Adding zero takes the sign from what rounds to nothing.
    return "—" if share is None else f"{round(share * 100, 2) + 0:,.2f}%".replace("-", "−")


def value(number: Decimal | None, unit: str) -> str:
    """A number with two decimals (months), as per cent (ratio), whole (days) or as money (yuan)."""
    if number is None:
        return "—"
    if unit == "ratio":
        return percent(number)
    return f"{number:,.0f}" if unit == "days" else verdict.money(number)


_LINES = (
    ("red_below", Name("红线：低于", "red: below")),
    ("yellow_below", Name("黄线：低于", "yellow: below")),
    ("yellow_above", Name("偏高线：高于", "high: above")),
    ("excessive_above", Name("过高线：高于", "excessive: above")),
)


def lines(row: Mapping[str, Any]) -> list[Name]:
    """The lines that an indicator is held against, in words: `红线：低于 3.00`, in the unit of its value."""
    return [
        Name(f"{name.zh} {value(row[column], row['unit'])}", f"{name.en} {value(row[column], row['unit'])}")
        for column, name in _LINES
        if row[column] is not None
    ]


def part(number: Decimal | None, unit: str) -> str:
    """Numerator or denominator: money but where it counts cases or is itself a rate."""
    if number is None:
        return "—"
    return f"{number:,.0f}" if unit == "count" else f"{number:,.4f}" if unit == "rate" else verdict.money(number)


UNITS = {
    "months": Name("个月", "months"),
    "days": Name("天", "days"),
    "yuan": Name("元", "yuan"),
    "ratio": Name("", ""),
}
# What the parts of an indicator are, where they are no amounts of money.
PARTS = {"caesarean_share": "count", "growth_gap": "rate"}
