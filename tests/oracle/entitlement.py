"""What an allowance or nutrition subsidy comes to, read from the rules in words and recomputed person by person.

Plain Python over the facts of one claim and the seeds' CSV files: nothing here knows of the models. Amounts are
Decimal, months are first days. Days: 98, difficult birth and each further child more, a miscarriage by its weeks, the
province's extension. Base: the employer's average of last calendar year over persons and months, ÷ the divisor,
rounded as the method says. Months: consecutive, up to the month before the birth, in maternity insurance before the
merger and in the merged one since.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds" / "policy"
ROUNDINGS = {"half_up": ROUND_HALF_UP, "down": ROUND_DOWN, "up": ROUND_CEILING}
Row = Mapping[str, str]


@dataclass(frozen=True)
class Employer:
    """When it was registered, its type, and the base of each of its persons by month."""

    registered_on: date | None
    kind: str
    bases: Mapping[date, Sequence[Decimal]]


@dataclass(frozen=True)
class Enrolment:
    """One insurance of a person, from a day until another (exclusive)."""

    insurance_type: str
    category: str
    since: date
    until: date | None


@dataclass(frozen=True)
class Claim:
    """A paid cash benefit and the facts around it. `assessed`: (month, insurance, category) and the day it was told."""

    region: str
    item: str
    care: str | None
    born: date
    births: int
    weeks: int | None
    male: bool
    employer: Employer
    enrolments: Sequence[Enrolment]
    assessed: Mapping[tuple[date, str, str], date]
    stated_base: Decimal | None
    months_in_log: frozenset[date]
    merger: date


@dataclass(frozen=True)
class Due:
    """Amount, 0 when there is no right to it, None when it can't be known; days and base of an allowance."""

    amount: Decimal | None
    days: int | None
    base: Decimal | None
    has_right: bool


def month_of(day: date) -> date:
    """First day of its month."""
    return day.replace(day=1)


def plus(month: date, months: int) -> date:
    """The month so many later."""
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


@cache
def rows(seed: str) -> list[Row]:
    """A seed as it stands in its file."""
    with (SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def in_force(seed: str, day: date, **keys: str) -> list[Row]:
    """Rows in force on a day, of the region or of any, the one that counts first."""
    found = [
        row
        for row in rows(seed)
        if row["effective_from"] <= day.isoformat() <= (row["effective_to"] or "9999-12-31")
        and all(row[key] == wanted or (key == "region_code" and row[key] == "") for key, wanted in keys.items())
    ]
    return sorted(
        found, key=lambda row: (row["region_code"] != "", row["known_from"], row["effective_from"]), reverse=True
    )


def rounded(amount: Decimal, mode: str, decimals: int) -> Decimal:
    """As the seed's word says."""
    return amount if mode == "none" else amount.quantize(Decimal(1).scaleb(-decimals), ROUNDINGS[mode])


def due(claim: Claim) -> Due:
    """The amount by the rules of the day of the birth."""
    rule = in_force("policy_allowance", claim.born, region_code=claim.region)[0]
    method = in_force("policy_allowance_method", claim.born, region_code=claim.region)[0]
    allowance = claim.item == "maternity_allowance"
    nursing = claim.male and (claim.care is None or claim.care.startswith("delivery"))
    days = _days(claim, nursing=nursing)
    base = _base(claim, rule, method) if allowance else None
    shown = days if allowance else None
    if not _has_right(claim, rule, method):
        return Due(Decimal(0), shown, base, has_right=False)
    if not allowance:
        return _subsidy(claim, method, days, nursing=nursing)
    if days is None or base is None or (claim.care is None and not nursing):
        return Due(None, shown, base, has_right=True)
    amount = rounded(base * days, method["amount_rounding"], int(method["amount_decimals"]))
    return Due(amount, shown, base, has_right=True)


def _subsidy(claim: Claim, method: Row, days: int | None, *, nursing: bool) -> Due:
    if not any(row["region_code"] == claim.region for row in rows("policy_nutrition_subsidy")):
        return Due(Decimal(0), None, None, has_right=False)
    if claim.care == "family_planning" or nursing or (days is not None and days < int(method["subsidy_leave_days"])):
        return Due(Decimal(0), None, None, has_right=False)
    year = in_force("policy_nutrition_subsidy", claim.born, region_code=claim.region)
    if claim.care is None or days is None or not year:
        return Due(None, None, None, has_right=True)
    amount = Decimal(year[0]["average_yearly_wage"]) * Decimal(year[0]["subsidy_rate"])
    return Due(rounded(amount, year[0]["rounding"], 0), None, None, has_right=True)


def _days(claim: Claim, *, nursing: bool) -> int | None:
    known = in_force("policy_allowance_days", claim.born, region_code=claim.region)
    days = {row["allowance_case"]: int(row["allowance_days"]) for row in reversed(known)}
    if nursing:
        return days.get("nursing_leave")
    if claim.care == "miscarriage":
        if claim.weeks is None:
            return None
        fitting = [
            row
            for row in known
            if row["weeks_from"] and int(row["weeks_from"]) <= claim.weeks < int(row["weeks_below"] or 99)
        ]
        return int(fitting[0]["allowance_days"]) if len(fitting) == 1 else None
    if claim.care is None or not claim.care.startswith("delivery"):
        return None
    difficult = 0 if claim.care == "delivery_normal" else days["difficult_birth"]
    children = (claim.births - 1) * days["additional_child"]
    return days["birth"] + days.get("provincial_extension", 0) + difficult + children


def _base(claim: Claim, rule: Row, method: Row) -> Decimal | None:
    """The employer's average where the log reaches all months that it takes, else as stated."""
    year = date(claim.born.year, 1, 1)
    registered = month_of(claim.employer.registered_on) if claim.employer.registered_on else date.min
    young = method["short_employer_average"] == "months_before_birth" and registered > plus(month_of(claim.born), -12)
    if registered >= year or young:
        first, end = max(registered, plus(year, -12)), month_of(claim.born)
    else:
        first, end = max(registered, plus(year, -12)), year
    span = [month for month in (plus(first, number) for number in range(24)) if month < end]
    known = [base for month in span for base in claim.employer.bases.get(month, ())]
    if not known or not all(month in claim.months_in_log for month in span):
        return claim.stated_base
    average = sum(known, Decimal(0)) / len(known) / int(rule["divisor"])
    return rounded(average, method["daily_base_rounding"], int(method["daily_base_decimals"]))


def _has_right(claim: Claim, rule: Row, method: Row) -> bool:
    insurance = "510" if claim.born < claim.merger else "310"
    current = [e for e in claim.enrolments if e.insurance_type == insurance and e.since <= claim.born]
    if claim.enrolments and not any(e.until is None or e.until > claim.born for e in current):
        return False
    if current and not _is_entitled(claim, current[-1].category):
        return False
    lacking = [
        month
        for month in (plus(month_of(claim.born), -number) for number in range(1, int(rule["consecutive_months"]) + 1))
        if month in claim.months_in_log and not _counts(claim, month, method)
    ]
    return not lacking


def _counts(claim: Claim, month: date, method: Row) -> bool:
    told = claim.assessed.get((month, "510" if month < claim.merger else "310", "employee"))
    return told is not None and (told <= claim.born or method["late_months_count"] == "true")


def _is_entitled(claim: Claim, category: str) -> bool:
    known = in_force(
        "policy_benefit_eligibility", claim.born, region_code=claim.region, enrollment_category=category,
        benefit_item=claim.item,
    )  # fmt: skip
    of_type = [row for row in known if row["employer_type"] == claim.employer.kind]
    general = [row for row in known if not row["employer_type"]]
    return (of_type or general)[0]["is_entitled"] == "true"
