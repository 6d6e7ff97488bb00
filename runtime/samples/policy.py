"""The rates and prices the sample cities apply: the policy seeds of the project, so that samples and checks agree."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from runtime.samples.values import Fen

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds" / "policy"


@cache
def _seed(name: str) -> tuple[dict[str, str], ...]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def _in_force(name: str, day: date, **keys: str) -> dict[str, str] | None:
    """The row of seed ``name`` in force on ``day``; a key that names a value wins over a row that leaves it blank."""
    found = [
        row
        for row in _seed(name)
        if row["effective_from"] <= day.isoformat() <= (row["effective_to"] or "9999")
        and all(row[key] in ("", value) for key, value in keys.items())
    ]
    return max(found, key=lambda row: (sum(row[key] != "" for key in keys), *_newness(row)), default=None)


def _newness(row: dict[str, str]) -> tuple[str, str]:
    """Of several rows the one known last wins, then the one that starts last (docs/parameters.md)."""
    return row["known_from"], row["effective_from"]


def _points(rate: str) -> int:
    return int(Decimal(rate) * 10_000)


def _fen(amount: str) -> Fen:
    return Fen(int(Decimal(amount) * 100))


@cache
def merger_date(region_code: str) -> date:
    """First day on which the region keeps one fund."""
    return next(
        date.fromisoformat(row["merger_date"]) for row in _seed("policy_region") if row["region_code"] == region_code
    )


@cache
def rates(region_code: str, employer_type: str, category: str, insurance_type: str, day: date) -> tuple[int, int]:
    """Employer and personal rate in basis points; (0, 0) where nothing is due."""
    row = _in_force(
        "policy_rate",
        day,
        region_code=region_code,
        employer_type=employer_type,
        enrollment_category=category,
        insurance_type=insurance_type,
    )
    return (_points(row["employer_rate"]), _points(row["personal_rate"])) if row else (0, 0)


@cache
def employer_share_due(region_code: str, employer_type: str, insurance_type: str, day: date) -> int:
    """Basis points of the employer's part that are due under a temporary relief; 10,000 where there is none."""
    row = _in_force(
        "policy_contribution_relief",
        day,
        region_code=region_code,
        employer_type=employer_type,
        insurance_type=insurance_type,
    )
    return _points(row["due_share"]) if row else 10_000


@cache
def base_limits(region_code: str, day: date) -> tuple[Fen, Fen]:
    """Floor and ceiling of the monthly contribution base."""
    row = _in_force("policy_base", day, region_code=region_code)
    if row is None:
        raise LookupError(f"no contribution base for {region_code} on {day}")
    return _fen(row["base_floor"]), _fen(row["base_ceiling"])


@cache
def allowance_days(region_code: str, case: str, day: date) -> int:
    """Days of maternity allowance for ``case``; 0 where the region knows no such case."""
    row = _in_force("policy_allowance_days", day, region_code=region_code, allowance_case=case)
    return int(row["allowance_days"]) if row else 0


@cache
def allowance_waiting(region_code: str, day: date) -> int:
    """Consecutive months of contributions that an allowance demands."""
    row = _in_force("policy_allowance", day, region_code=region_code)
    assert row is not None
    return int(row["consecutive_months"])


@dataclass(frozen=True)
class Platform:
    """The settlement platform of maternity insurance that a city keeps after the merger, and the day it migrates."""

    source_system: str
    title: str
    migrated_on: date


@cache
def settlement_platform(region_code: str) -> Platform | None:
    """The city's old platform; None where it went over with the merger."""
    rows = (row for row in _seed("policy_settlement_platform") if row["region_code"] == region_code)
    return next(
        (Platform(row["source_system"], row["title_zh"], date.fromisoformat(row["migrated_on"])) for row in rows), None
    )


@cache
def nutrition_subsidy(region_code: str, day: date) -> Fen:
    """One-time nutrition subsidy; 0 where the region pays none."""
    row = _in_force("policy_nutrition_subsidy", day, region_code=region_code)
    return _fen(row["subsidy_amount"]) if row else Fen(0)


@cache
def payment_method(region_code: str, benefit_item: str, day: date) -> str:
    """How providers are paid for ``benefit_item``; by item of service unless policy says otherwise."""
    row = _in_force("policy_payment_method", day, region_code=region_code, benefit_item=benefit_item)
    return row["payment_method"] if row else "fee_for_service"


@cache
def price(region_code: str, benefit_item: str, day: date, weeks: int | None = None) -> Fen | None:
    """Price of one case, unit or head, or of the stage of a pregnancy; None before there is one."""
    rows = [
        row
        for row in _seed("policy_price")
        if (row["region_code"], row["benefit_item"]) == (region_code, benefit_item)
        and row["effective_from"] <= day.isoformat() <= (row["effective_to"] or "9999")
        and (weeks is None) == (not row["weeks_from"])
        and (weeks is None or int(row["weeks_from"]) <= weeks < int(row["weeks_below"] or 99))
    ]
    newest = max(rows, key=_newness, default=None)
    return _fen(newest["price"]) if newest else None
