"""The catalogue as code: one module a suite, each with a tuple `CHECKS` (spec: quality, catalogue)."""

from __future__ import annotations

from expectations.check import Check
from expectations.suites import balance, completeness, integrity, maternity_line, merger

SUITES: dict[str, tuple[Check, ...]] = {
    "balance": balance.CHECKS,
    "completeness": completeness.CHECKS,
    "merger": merger.CHECKS + maternity_line.CHECKS,
    "integrity": integrity.CHECKS,
}

SUITE_TITLES: dict[str, str] = {
    "balance": "平衡 / Balance",
    "completeness": "完整 / Completeness",
    "merger": "合并与生育待遇 / Merger and maternity line",
    "integrity": "真实 / Integrity",
}


def all_checks() -> tuple[Check, ...]:
    """Every check of every suite, in the order of the catalogue."""
    return tuple(check for checks in SUITES.values() for check in checks)


def check_by_code(code: str) -> Check:
    """The check with this code; KeyError when the catalogue has none."""
    return {check.code: check for check in all_checks()}[code]
