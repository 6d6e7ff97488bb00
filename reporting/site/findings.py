"""The page of findings: checks that failed or warned, and every finding with its age, owner, amount and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from expectations.suites import SUITES
from reporting import findings
from reporting.advice import ACTIONS, NO_ACTION
from reporting.items import Item, item_of
from reporting.names import OWNERS, SUITE_NAMES, Name, name_of
from reporting.overview import CHECKS_IN_FULL
from reporting.quality import CheckResult
from reporting.site.frame import Frame
from reporting.site.pages import Source, workbook_name
from reporting.site.problems import Problem, problem, worst_first

KEY = "findings"
FILE = "findings.html"

# What one page holds and still opens at once on an office computer; beyond, findings are counted.
ROWS_ON_PAGE = 1000
ROWS_OF_CHECK_MAX = 200
ROWS_OF_CHECK_MIN = 2
STATUSES = {
    "open": Name("未解决", "open"),
    "accepted": Name("已接受", "accepted"),
    "resolved": Name("已解决", "resolved"),
}


@dataclass(frozen=True)
class Row:
    """A finding in the list."""

    number: int
    region_code: str
    code: str
    suite: str
    title: Name
    severity: str
    status: str
    owner: str
    item: Item
    state: findings.Current


@dataclass(frozen=True)
class SuiteProblems:
    """Checks of one suite that failed or warned on a region."""

    suite: str
    problems: list[Problem]


@dataclass(frozen=True)
class RegionProblems:
    """Checks that failed or warned on a region, by suite; `more` are in the table of all results only."""

    region_code: str
    suites: list[SuiteProblems]
    more: int


@dataclass(frozen=True)
class Sum:
    """Findings of one state over all regions."""

    count: int
    amount: Decimal
    oldest_days: int
    listed_only: bool = False


@dataclass(frozen=True)
class Content:
    """What has been read for the page."""

    rows: list[Row]
    totals: list[findings.Total]

    def sum_of(self, status: str) -> Sum:
        """Number, amount and greatest age of all findings of a state, listed here or not."""
        of_status = [total for total in self.totals if total.status == status]
        return Sum(
            sum(total.count for total in of_status),
            sum((total.amount for total in of_status), Decimal(0)),
            max((total.age_days for total in of_status), default=0),
            any(total.listed_only for total in of_status),
        )

    @property
    def unlisted(self) -> int:
        """How many findings the page does not list."""
        return max(sum(total.count for total in self.totals) - len(self.rows), 0)


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    return {FILE: render(source, frame, read(source))}


def read(source: Source) -> Content:
    """Findings of all regions, at most `ROWS_ON_PAGE` of them, each check with its largest."""
    totals = findings.totals(source.connection)
    checks = len({(total.region_code, total.code) for total in totals})
    limit = max(ROWS_OF_CHECK_MIN, min(ROWS_OF_CHECK_MAX, ROWS_ON_PAGE // max(checks, 1)))
    listed = findings.current(source.connection, limit)[:ROWS_ON_PAGE]
    return Content(rows_of(listed, source.overview.results), totals)


def rows_of(listed: Sequence[findings.Current], results: Sequence[CheckResult]) -> list[Row]:
    """Findings as rows, with what the catalogue and the results say on their checks."""
    known = {(result.region_code, result.code): result for result in results}
    checks = {check.code: (suite, check) for suite, checks in SUITES.items() for check in checks}
    rows = []
    for number, state in enumerate(listed):
        found = state.finding
        suite, check = checks.get(found.code, ("", None))
        result = known.get((found.region_code, found.code))
        title = Name(check.title_zh, check.title_en) if check else Name(found.code, found.code)
        owner = result.owner if result else check.owner if check else ""
        rows.append(
            Row(
                number,
                found.region_code,
                found.code,
                suite,
                title,
                state.severity,
                state.status,
                owner,
                item_of(found),
                state,
            )
        )
    return rows


def render(source: Source, frame: Frame, content: Content) -> str:
    """The HTML."""
    overview = source.overview
    rows = content.rows
    regions = [verdict.region_code for verdict in overview.verdicts if verdict.state != "no_data"]
    return frame.html(
        "findings.html.j2",
        KEY,
        overview=overview,
        content=content,
        rows=rows,
        sums={status: content.sum_of(status) for status in STATUSES},
        STATUSES=STATUSES,
        names=source.names,
        regions=regions,
        problems=_problems(overview.results, regions),
        listed=Counter((row.region_code, row.code) for row in rows if row.status != "resolved"),
        workbooks={code: name for code in regions if (name := _workbook_of_run(source, code))},
        unchecked={code: overview.unchecked(code) for code in regions if overview.unchecked(code)},
        results={code: overview.results_of(code) for code in regions if overview.results_of(code)},
        actions=_actions(rows),
        filters=_filters(source, rows),
    )


def _actions(rows: Sequence[Row]) -> dict[str, dict[str, Name]]:
    """Of every check among the rows its title and what to do, by code; the rows link there."""
    titles = {row.code: row.title for row in rows}
    return {code: {"title": titles[code], "action": ACTIONS.get(code, NO_ACTION)} for code in sorted(titles)}


def _workbook_of_run(source: Source, region_code: str) -> str | None:
    """The workbook beside the pages, when it holds what this run has found: it is of the run that has published."""
    run, name = source.overview.run, workbook_name(region_code)
    heads = {verdict.region_code: verdict.published for verdict in source.overview.verdicts}
    head = heads.get(region_code)
    return name if run and head and head.run_id == run.run_id and name in source.workbooks else None


def _problems(results: Sequence[CheckResult], regions: Sequence[str]) -> list[RegionProblems]:
    """Regions with checks that failed or warned; all of the checks, unless the page would grow too long."""
    bad = {code: worst_first([result for result in results if result.region_code == code]) for code in regions}
    bad = {code: of_region for code, of_region in bad.items() if of_region}
    total = sum(len(of_region) for of_region in bad.values())
    most = total if total <= CHECKS_IN_FULL else max(1, CHECKS_IN_FULL // len(bad))
    order = list(SUITES)
    found = []
    for code, of_region in bad.items():
        shown = sorted(of_region[:most], key=lambda result: (order.index(result.suite), result.severity, result.code))
        suites = [
            SuiteProblems(suite, [problem(result) for result in of_suite])
            for suite, of_suite in groupby(shown, key=lambda result: result.suite)
        ]
        found.append(RegionProblems(code, suites, len(of_region) - len(shown)))
    return found


def _filters(source: Source, rows: Sequence[Row]) -> dict[str, list[tuple[str, Name]]]:
    """The choices that the listed findings leave, by what is filtered."""
    names = source.names
    suites = [suite for suite in SUITE_NAMES if any(row.suite == suite for row in rows)]
    titles = {row.code: row.title for row in rows}
    owners = {row.owner for row in rows}
    return {
        "region": [(code, names.get(code, Name(code, code))) for code in sorted({row.region_code for row in rows})],
        "suite": [(suite, SUITE_NAMES[suite]) for suite in suites],
        "code": [(code, Name(f"{code} {titles[code].zh}", f"{code} {titles[code].en}")) for code in sorted(titles)],
        "severity": [("fail", Name("不通过", "failed")), ("warn", Name("提示", "warning"))],
        "status": list(STATUSES.items()),
        "owner": [(owner, name_of(OWNERS, owner)) for owner in OWNERS if owner in owners],
        "age": [("1", Name("1 天以上", "1 day or more")), ("8", Name("8 天以上", "8 days or more")),
                ("31", Name("31 天以上", "31 days or more")), ("91", Name("91 天以上", "91 days or more"))],
    }  # fmt: skip
