"""The overview page: one static HTML file that needs no script, no server and no network."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from expectations.check import GATE
from expectations.suites import suites_of
from ingestion.errors import CODES
from ingestion.settings import BEIJING
from reporting import verdict as verdicts
from reporting.advice import ACTIONS, NO_ACTION
from reporting.arrivals import AGE_CLASSES
from reporting.files import replace_file
from reporting.items import FAMILIES, Item, file_message, is_note, item_of, row_message
from reporting.names import FUNDS, OWNERS, SUB_FUNDS, SUITE_NAMES, Name, name_of
from reporting.overview import CHECKS_IN_FULL, FILES_LISTED_MAX, FundBooks, Overview, total_amount
from reporting.quality import FINDINGS_MAX, CheckResult, RegionVerdict

PAGE = "index.html"

# A suite with more checks that failed or warned shows their number.
CODES_IN_CELL = 3

# Lines of the balance sheet that the page shows; the workbook has all of them.
_KEY_BALANCES = ("A90", "A20", "A30", "A40", "A50", "A60", "L90", "N10", "N20", "N90")


@dataclass(frozen=True)
class Problem:
    """A check that failed or warned, with its listed items, how many are not listed here, and how many nowhere."""

    result: CheckResult
    items: list[Item]
    hidden: int
    owner: Name
    action: Name


@dataclass(frozen=True)
class SuiteCell:
    """The light of one suite for one region, and its text."""

    light: verdicts.Light
    text: Name
    anchor: str


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
    problems: list[Problem]
    more_problems: int
    books: list[FundBooks]
    recorded: tuple[verdicts.Light, Name]
    workbook: str | None
    workbook_of_run: bool


def workbook_name(region_code: str) -> str:
    """Name of the file beside the page that holds a region's workbook."""
    return f"merged_fund_{region_code}.xlsx"


def render(overview: Overview, workbooks: Collection[str], failures: Collection[str] = ()) -> str:
    """The page's HTML. `workbooks` are names of files beside it; `failures` say which of them could not be written."""
    in_full = _problems_in_full(overview)
    regions = [_region(overview, verdict, workbooks, in_full) for verdict in overview.verdicts]
    shown = [region for region in regions if region.verdict.state != "no_data"]
    urgency = list(verdicts.LIGHTS)
    return (
        environment()
        .get_template("overview.html.j2")
        .render(
            overview=overview,
            regions=shown,
            by_urgency=sorted(shown, key=lambda region: urgency.index(region.light)),
            without_data=[region.verdict for region in regions if region.verdict.state == "no_data"],
            headline=verdicts.headline([(region.light, region.badge) for region in shown], overview.rejected_files),
            worst=min(_tones(overview, shown), key=urgency.index, default="grey"),
            unchecked=[region for region in shown if region.unchecked],
            names={region.verdict.region_code: region.verdict.name_zh for region in regions},
            open_total=total_amount(overview.open_rows),
            failures=failures,
        )
    )


def _tones(overview: Overview, shown: list[RegionView]) -> list[verdicts.Light]:
    """Lights of the regions; rejected files are a warning to books that are otherwise in order."""
    lights = [region.light for region in shown]
    if lights and overview.rejected_files:
        lights.append("amber")
    return lights


def _problems_in_full(overview: Overview) -> int:
    """How many checks of a region are shown with their items: all of them, unless the page would grow too long."""
    failed = [result.region_code for result in overview.results if not result.success]
    return len(failed) if len(failed) <= CHECKS_IN_FULL else max(1, CHECKS_IN_FULL // len(set(failed)))


def _region(overview: Overview, verdict: RegionVerdict, workbooks: Collection[str], in_full: int) -> RegionView:
    code = verdict.region_code
    results = overview.results_of(code)
    bad = _worst_first(results)
    shown = {result.code for result in bad[:in_full]}
    workbook, head = workbook_name(code), verdict.published
    return RegionView(
        verdict=verdict,
        light=verdicts.region_light(verdict, results),
        badge=verdicts.badge(verdict, results),
        sentence=verdicts.sentence(verdict, results, overview.last_month(code), overview.run),
        pending=verdicts.pending(verdict),
        suites=[_suite(code, suite, results, shown) for suite in suites_of(GATE)],
        results=results,
        unchecked=overview.unchecked(code),
        problems=[_problem(overview, result) for result in bad[:in_full]],
        more_problems=len(bad[in_full:]),
        books=overview.books.get(code, []),
        recorded=_recorded(results),
        workbook=workbook if workbook in workbooks else None,
        workbook_of_run=head is not None and overview.run is not None and head.run_id == overview.run.run_id,
    )


def _worst_first(results: list[CheckResult]) -> list[CheckResult]:
    return sorted((result for result in results if not result.success), key=lambda result: result.severity)


def _suite(region: str, suite: str, results: list[CheckResult], shown: Collection[str]) -> SuiteCell:
    of_suite = [result for result in results if result.suite == suite]
    wanted = len(suites_of(GATE)[suite])
    bad = _worst_first(of_suite)
    light = verdicts.suite_light(of_suite)
    if light == "green" and len(of_suite) < wanted:
        light = "grey"
    codes = " ".join(result.code for result in bad)
    named = Name(codes, codes) if len(bad) <= CODES_IN_CELL else Name(f"{len(bad)} 项", f"{len(bad)}")
    texts = {
        "red": Name(f"不通过 {named.zh}", f"failed {named.en}"),
        "amber": Name(f"提示 {named.zh}", f"warning {named.en}"),
        "green": _passed(of_suite),
        "grey": Name(f"未检查 {wanted - len(of_suite)} 项", f"{wanted - len(of_suite)} not checked"),
    }
    listed = next((f"c-{region}-{result.code}" for result in bad if result.code in shown), f"all-{region}")
    return SuiteCell(light, texts[light], listed if of_suite else "")


def _passed(results: list[CheckResult]) -> Name:
    idle = sum(result.rows_examined == 0 for result in results)
    return Name(
        f"通过 {len(results)} 项" + (f"（{idle} 项无数据）" if idle else ""),
        f"{len(results)} passed" + (f" ({idle} without data)" if idle else ""),
    )


def _problem(overview: Overview, result: CheckResult) -> Problem:
    found = overview.findings_of(result.region_code, result.code)
    items = [item_of(finding) for finding in found if not is_note(finding)]
    return Problem(
        result=result,
        items=items,
        hidden=max(result.unexpected_count - len(items), 0),
        owner=name_of(OWNERS, result.owner),
        action=ACTIONS.get(result.code, NO_ACTION),
    )


def _recorded(results: list[CheckResult]) -> tuple[verdicts.Light, Name]:
    """Whether the stored hashes equal those kept outside the database, as check H01 has found."""
    checked = next((result for result in results if result.code == "H01"), None)
    if checked is None:
        return "grey", Name("未检查", "not checked")
    if checked.success:
        return "green", Name("所存哈希一致", "stored hashes agree")
    if checked.severity == "warn":
        return "amber", Name("未留存或落后", "missing or behind")
    return "red", Name("校验不符，见 H01", "differs, see H01")


def environment(*packages: str) -> Environment:
    """Templates of this package, and of others that have pages of their own, with its filters and names."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in ("reporting", *packages)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "money": money,
        "count": lambda number: f"{number:,}",
        "moment": verdicts.moment,
        "day": _day,
        "month": verdicts.month_name,
        "grouped": _grouped,
        "css_string": css_string,
        "row_message": row_message,
        "file_message": file_message,
    }
    made.globals |= {
        "LIGHTS": verdicts.LIGHTS,
        "SUITES": SUITE_NAMES,
        "FUNDS": FUNDS,
        "SUB_FUNDS": SUB_FUNDS,
        "FAMILIES": FAMILIES,
        "CODES": CODES,
        "FINDINGS_MAX": FINDINGS_MAX,
        "FILES_LISTED": FILES_LISTED_MAX,
        "KEY_BALANCES": _KEY_BALANCES,
        "age_names": _age_names(),
        "name_of": name_of,
        "OWNERS": OWNERS,
    }
    return made


def money(amount: Decimal | None) -> Markup:
    """An amount of yuan as HTML: a negative one carries a class, a missing one is a dash."""
    if amount is None:
        return Markup('<span class="none">—</span>')
    form = '<span class="neg">{}</span>' if amount < 0 else "{}"
    return Markup(form).format(verdicts.money(amount))


def css_string(text: str) -> Markup:
    """A string of CSS that nothing can break out of, whatever the text holds."""
    escaped = re.sub(r"[^A-Za-z0-9]", lambda match: f"\\{ord(match[0]):06x}", text)
    return Markup(f'"{escaped}"')


def _day(value: datetime | date) -> str:
    return f"{value.astimezone(BEIJING) if isinstance(value, datetime) else value:%Y-%m-%d}"


def _grouped(digest: str) -> list[str]:
    """A hash in groups of eight digits, for reading aloud."""
    return re.findall(".{1,8}", digest)


def _age_names() -> list[Name]:
    starts = [0, *(days + 1 for days in AGE_CLASSES)]
    names = [Name(f"{start}–{end} 天", f"{start}–{end} days") for start, end in zip(starts, AGE_CLASSES, strict=False)]
    return [*names, Name(f"{starts[-1]} 天以上", f"{starts[-1]} days and more")]


def write(html: str, folder: Path) -> Path:
    """Put the page into the folder in one step: readers see the old one or the new one, never half of either."""
    return replace_file(folder / PAGE, html.encode())
