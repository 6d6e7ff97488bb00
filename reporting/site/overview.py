"""The first page: can the books be trusted, region by region, and how has that been of late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from expectations.suites import SUITES
from reporting import verdict as verdicts
from reporting.names import Name
from reporting.overview import Overview
from reporting.quality import CheckResult, RegionVerdict
from reporting.site.frame import Frame
from reporting.site.pages import Source
from reporting.site.problems import SuiteCell, recorded, suite_cell, worst_first

KEY = "overview"
FILE = "index.html"


@dataclass(frozen=True)
class RegionView:
    """A region on the page."""

    verdict: RegionVerdict
    light: verdicts.Light
    badge: Name
    sentence: Name
    pending: Name | None
    suites: list[SuiteCell]
    results: list[CheckResult]
    unchecked: list[str]
    has_problems: bool
    has_books: bool
    recorded: tuple[verdicts.Light, Name]
    workbook: str | None


def workbook_name(region_code: str) -> str:
    """Name of the file beside the page that holds a region's workbook."""
    return f"merged_fund_{region_code}.xlsx"


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    overview = source.overview
    regions = [_region(source, verdict) for verdict in overview.verdicts]
    shown = [region for region in regions if region.verdict.state != "no_data"]
    urgency = list(verdicts.LIGHTS)
    html = frame.html(
        "overview.html.j2",
        KEY,
        overview=overview,
        regions=shown,
        by_urgency=sorted(shown, key=lambda region: urgency.index(region.light)),
        without_data=[region.verdict for region in regions if region.verdict.state == "no_data"],
        headline=verdicts.headline([(region.light, region.badge) for region in shown], overview.rejected_files),
        worst=min(_tones(overview, shown), key=urgency.index, default="grey"),
        names=source.names,
        failures=source.failures,
    )
    return {FILE: html}


def _tones(overview: Overview, shown: list[RegionView]) -> list[verdicts.Light]:
    """Lights of the regions; rejected files are a warning to books that are otherwise in order."""
    lights = [region.light for region in shown]
    if lights and overview.rejected_files:
        lights.append("amber")
    return lights


def _region(source: Source, verdict: RegionVerdict) -> RegionView:
    overview, code = source.overview, verdict.region_code
    results = overview.results_of(code)
    workbook = workbook_name(code)
    return RegionView(
        verdict=verdict,
        light=verdicts.region_light(verdict, results),
        badge=verdicts.badge(verdict, results),
        sentence=verdicts.sentence(verdict, results, overview.last_month(code), overview.run),
        pending=verdicts.pending(verdict),
        suites=[suite_cell(code, suite, results) for suite in SUITES],
        results=results,
        unchecked=overview.unchecked(code),
        has_problems=bool(worst_first(results)),
        has_books=overview.last_month(code) is not None,
        recorded=recorded(results),
        workbook=workbook if workbook in source.workbooks else None,
    )
