"""The catalogue as code: one module a suite, each with a tuple `CHECKS` (spec: quality, catalogue)."""

from __future__ import annotations

from expectations.check import AUDIT, GATE, Check, Scope
from expectations.suites import (
    balance,
    claims,
    completeness,
    freshness,
    integrity,
    maternity_line,
    merger,
    monitoring,
    nightly,
    policy,
    treasury,
)

SUITES: dict[str, tuple[Check, ...]] = {
    "balance": balance.CHECKS,
    "completeness": completeness.CHECKS + claims.CHECKS,
    "merger": merger.CHECKS + maternity_line.CHECKS,
    "treasury": treasury.CHECKS,
    "integrity": (*integrity.CHECKS[:2], nightly.H03, *integrity.CHECKS[2:]),
    "freshness": freshness.CHECKS,
    "policy": policy.CHECKS,
    "monitoring": monitoring.CHECKS,
}

SUITE_TITLES: dict[str, str] = {
    "balance": "平衡 / Balance",
    "completeness": "完整 / Completeness",
    "merger": "合并与生育待遇 / Merger and maternity line",
    "treasury": "资金与对账 / Treasury and reconciliation",
    "integrity": "真实 / Integrity",
    "freshness": "时效 / Freshness",
    "policy": "政策执行 / Policy carried out",
    "monitoring": "智能监控 / Claims monitoring",
}


def suites_of(scope: Scope) -> dict[str, tuple[Check, ...]]:
    """The suites with the checks that are made there, as they are made there; suites without any are left out."""
    instead = nightly.INSTEAD if scope == AUDIT else {}
    made = {
        suite: tuple(instead.get(check.code, check) for check in checks if scope in check.scopes)
        for suite, checks in SUITES.items()
    }
    return {suite: checks for suite, checks in made.items() if checks}


def gate_checks() -> tuple[Check, ...]:
    """The checks that a candidate must have been through before it is published, in the order of the catalogue."""
    return tuple(check for checks in suites_of(GATE).values() for check in checks)


def all_checks() -> tuple[Check, ...]:
    """Every check of every suite, in the order of the catalogue, also those that are not made at the gate."""
    return tuple(check for checks in SUITES.values() for check in checks)


def check_by_code(code: str) -> Check:
    """The check with this code; KeyError when the catalogue has none."""
    return {check.code: check for check in all_checks()}[code]
