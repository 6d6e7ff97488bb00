"""The first page: can the books be trusted, region by region, and how has that been of late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from expectations.check import AUDIT, GATE, LOOK
from expectations.suites import suites_of
from reporting import audits, findings, history, outside_gate, reviews
from reporting import verdict as verdicts
from reporting.analysis import reading
from reporting.analysis.figures import LEVELS, percent, value
from reporting.headline import headline
from reporting.names import SUITE_NAMES, Name
from reporting.overview import Overview
from reporting.page import PAGE
from reporting.quality import CheckResult, RegionVerdict
from reporting.site.findings import rows_of
from reporting.site.frame import Frame
from reporting.site.pages import Source, workbook_name
from reporting.site.problems import SuiteCell, recorded, suite_cell, worst_first

KEY = "overview"
FILE = PAGE
# Findings that the first page names, and regions whose trend it draws; the others' stand in the table of the lights.
TOP = 8
TRENDS = 12
OCCASIONS = {AUDIT: Name("夜间审计", "nightly audit"), LOOK: Name("时效巡视", "look at freshness")}


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


@dataclass(frozen=True)
class Trend:
    """The newest runs of a region, the oldest first, and what the chart shows in words."""

    region_code: str
    runs: list[history.RunOfRegion]
    said: Name


@dataclass(frozen=True)
class Content:
    """What has been read for the page beyond the verdicts."""

    runs: list[history.RunOfRegion]
    since: list[history.Since]
    top: list[findings.Current]
    open_findings: int
    audit: audits.Audit | None = None
    outside: Sequence[outside_gate.OutsideGate] = ()
    reserves: Sequence[reading.Reserve] = ()
    reviewed: Sequence[reviews.Review] = ()


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    return {FILE: render(source, frame, read(source))}


def read(source: Source) -> Content:
    """Runs of late, what has changed, and the findings with the largest amounts."""
    overview, connection = source.overview, source.connection
    run_id = overview.run.run_id if overview.run else None
    made = history.runs(connection, [verdict.region_code for verdict in overview.verdicts])
    return Content(
        runs=made,
        since=history.since(connection, run_id, made, overview.results) if run_id else [],
        top=[found for found in findings.current(connection, TOP) if found.status == "open"][:TOP],
        open_findings=sum(total.count for total in findings.totals(connection) if total.status == "open"),
        audit=audits.newest(connection),
        outside=outside_gate.failing(connection, [verdict.region_code for verdict in overview.verdicts]),
        reserves=reading.reserves(connection),
        reviewed=reviews.newest(connection),
    )


def render(source: Source, frame: Frame, content: Content) -> str:
    """The HTML."""
    overview = source.overview
    regions = [_region(source, verdict) for verdict in overview.verdicts]
    shown = [region for region in regions if region.verdict.state != "no_data"]
    urgency = list(verdicts.LIGHTS)
    return frame.html(
        "overview.html.j2",
        KEY,
        overview=overview,
        regions=shown,
        by_urgency=sorted(shown, key=lambda region: urgency.index(region.light)),
        suites=[SUITE_NAMES[suite] for suite in suites_of(GATE)],
        without_data=[region.verdict for region in regions if region.verdict.state == "no_data"],
        headline=headline([(region.light, region.badge) for region in shown], overview.rejected_files),
        worst=min(_tones(overview, shown, content.outside), key=urgency.index, default="grey"),
        names=source.names,
        failures=source.failures,
        trends=_trends(content.runs, [region.verdict.region_code for region in shown]),
        since=content.since,
        top=rows_of(content.top, overview.results),
        open_findings=content.open_findings,
        audit=content.audit,
        outside=content.outside,
        reserves=content.reserves[:TRENDS],
        reviewed=content.reviewed,
        OCCASIONS=OCCASIONS,
        LEVELS=LEVELS,
        value=value,
        percent=percent,
    )


def _trends(made: Sequence[history.RunOfRegion], regions: Sequence[str]) -> list[Trend]:
    """A trend of every region that has been checked, with as many charts as a page can hold."""
    found = []
    for code in regions[:TRENDS]:
        of_region = [run for run in made if run.region_code == code]
        if of_region:
            found.append(Trend(code, of_region, _said(of_region)))
    return found


def _said(runs: Sequence[history.RunOfRegion]) -> Name:
    """The chart of runs in words."""
    refused = sum(run.decision == "refused" for run in runs)
    warned = sum(bool(run.warned) and not run.failed for run in runs)
    last = runs[-1]
    return Name(
        f"最近 {len(runs)} 次运行：{refused} 次未予发布，{warned} 次有提示；"
        f"最近一次通过 {last.passed} 项、提示 {last.warned} 项、不通过 {last.failed} 项。",
        f"Newest {len(runs)} runs: {refused} refused, {warned} with warnings; in the last {last.passed} checks passed,"
        f" {last.warned} warned, {last.failed} failed.",
    )


def _tones(
    overview: Overview, shown: list[RegionView], outside: Sequence[outside_gate.OutsideGate]
) -> list[verdicts.Light]:
    """Lights of the regions; rejected files and what was found outside the gate warn of books that are in order."""
    lights = [region.light for region in shown]
    if lights and (overview.rejected_files or outside):
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
        suites=[suite_cell(code, suite, results) for suite in suites_of(GATE)],
        results=results,
        unchecked=overview.unchecked(code),
        has_problems=bool(worst_first(results)),
        has_books=overview.last_month(code) is not None,
        recorded=recorded(results),
        workbook=workbook if workbook in source.workbooks else None,
    )
