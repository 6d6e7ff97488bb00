"""Checks that failed or warned, as pages show them: what they found, who acts, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from expectations.check import GATE
from expectations.suites import suites_of
from reporting import verdict as verdicts
from reporting.advice import ACTIONS, NO_ACTION
from reporting.names import OWNERS, Name, name_of
from reporting.quality import CheckResult

# A suite with more checks that failed or warned shows their number.
CODES_IN_CELL = 3


@dataclass(frozen=True)
class SuiteCell:
    """The light of one suite for one region, its text, and the place on the page of findings that tells more."""

    light: verdicts.Light
    text: Name
    link: str | None


@dataclass(frozen=True)
class Problem:
    """A check that failed or warned, with whom it concerns and what to do."""

    result: CheckResult
    owner: Name
    action: Name


def worst_first(results: list[CheckResult]) -> list[CheckResult]:
    """Results that are no success: those that refuse first, then by code."""
    return sorted((result for result in results if not result.success), key=lambda result: result.severity)


def problem(result: CheckResult) -> Problem:
    """What stands beside a result that is no success."""
    return Problem(result, name_of(OWNERS, result.owner), ACTIONS.get(result.code, NO_ACTION))


def suite_cell(region: str, suite: str, results: list[CheckResult]) -> SuiteCell:
    """The light of a suite; a suite of which checks are missing is never green."""
    of_suite = [result for result in results if result.suite == suite]
    wanted = len(suites_of(GATE)[suite])
    bad = [result for result in worst_first(of_suite) if not result.is_accepted]
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
    place = f"{region}-{suite}" if bad else f"all-{region}"
    return SuiteCell(light, texts[light], f"findings.html#{place}" if of_suite else None)


def _passed(results: list[CheckResult]) -> Name:
    passed = [result for result in results if result.success]
    idle, accepted = sum(result.rows_examined == 0 for result in passed), len(results) - len(passed)
    zh = [f"{idle} 项无数据"] * bool(idle) + [f"另 {accepted} 项提示已接受"] * bool(accepted)
    en = [f"{idle} without data"] * bool(idle) + [f"{accepted} accepted"] * bool(accepted)
    return Name(
        f"通过 {len(passed)} 项" + (f"（{'，'.join(zh)}）" if zh else ""),
        f"{len(passed)} passed" + (f" ({', '.join(en)})" if en else ""),
    )


def recorded(results: list[CheckResult]) -> tuple[verdicts.Light, Name]:
    """Whether the stored hashes equal those kept outside the database, as check H01 has found."""
    checked = next((result for result in results if result.code == "H01"), None)
    if checked is None:
        return "grey", Name("未检查", "not checked")
    if checked.success:
        return "green", Name("所存哈希一致", "stored hashes agree")
    if checked.severity == "warn":
        return "amber", Name("未留存或落后", "missing or behind")
    return "red", Name("校验不符，见 H01", "differs, see H01")
