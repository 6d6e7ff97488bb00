"""The page of rates and assessments: what is in force and why, what was assessed otherwise, what is outstanding."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from reporting import quality, rates
from reporting.analysis.figures import STATUS_LIGHTS, percent
from reporting.names import ASSESSMENT_REASONS, CATEGORIES, EMPLOYER_TYPES, INSURANCES, Name
from reporting.rates import Kind, RegionRates
from reporting.site.frame import Frame
from reporting.site.pages import Source

KEY = "assessment"
FILE = "assessment.html"

_TONES = ("accent", "amber", "green", "second", "grey")
_STATUS_RANK = ("verified", "secondary", "assumed")


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    there = quality.exists(source.connection, "marts.rate_in_force")
    return {FILE: render(source, frame, rates.regions(source.connection) if there else [])}


def render(source: Source, frame: Frame, regions: list[RegionRates]) -> str:
    """The HTML; the rate of the business date is marked."""
    return frame.html(
        "assessment.html.j2",
        KEY,
        regions=regions,
        names=source.names,
        today=frame.clock.business_date,
        kind_name=kind_name,
        weakest=weakest,
        percent=percent,
        lines=rate_lines,
        said=rates_said,
        CATEGORIES=CATEGORIES,
        INSURANCES=INSURANCES,
        EMPLOYER_TYPES=EMPLOYER_TYPES,
        STATUSES=STATUS_LIGHTS,
        REASONS=ASSESSMENT_REASONS,
        MONTHS=rates.MONTHS,
        MONTHS_OF_SUPPLEMENTS=rates.MONTHS_OF_SUPPLEMENTS,
        TONES=_TONES,
    )


def kind_name(kind: Kind) -> Name:
    """Category and, for employees, the types of employers."""
    category = CATEGORIES.get(kind.enrollment_category, Name(kind.enrollment_category, kind.enrollment_category))
    types = [EMPLOYER_TYPES.get(name, Name(name, name)) for name in kind.employer_types]
    if not types:
        return category
    return Name("、".join(name.zh for name in types), ", ".join(name.en for name in types))


def weakest(*statuses: str | None) -> str:
    """Of the rows that a period rests on, the status least to be relied on."""
    return max((status for status in statuses if status), key=_STATUS_RANK.index, default="assumed")


def rate_lines(region: RegionRates) -> list[tuple[date, list[Decimal | None]]]:
    """Employers' rate that is due, with the separate maternity rate, in per cent: one value a kind and change."""
    kinds = region.employee_kinds
    days = sorted({row["effective_from"] for kind in kinds for row in kind.periods})
    return [(day, [_rate_on(kind, day) for kind in kinds]) for day in days]


def _rate_on(kind: Kind, day: date) -> Decimal | None:
    for row in kind.periods:
        if row["effective_from"] <= day <= (row["effective_to"] or date.max):
            due = row["employer_rate_due"] + (row["separate_maternity_rate"] or 0)
            return Decimal(due * 100).quantize(Decimal("0.01"))
    return None


def rates_said(region: RegionRates) -> Name:
    """The chart in words: how often the rate changed, and between which values."""
    values = [value for _, found in rate_lines(region) for value in found if value is not None]
    if not values:
        return Name("没有职工费率", "no rate of employees")
    low, high = min(values), max(values)
    return Name(
        f"单位实缴费率 {low}%–{high}%，含合并前单列生育费率", f"{low}%–{high}% due of employers, maternity included"
    )
