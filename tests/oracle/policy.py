"""Parameters that acceptance and posting read: merger dates, base limits, personal-account rates (P)."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

CENT = Decimal("0.01")
SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds" / "policy"


def cents(amount: Decimal) -> Decimal:
    """Round half up to the cent (L, preamble)."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Policy:
    """Effective-dated rows of the policy seeds, as text, and the merger date of each region."""

    merger_dates: dict[str, date]
    rates: list[dict[str, str]]
    bases: list[dict[str, str]]
    personal_accounts: list[dict[str, str]]

    def merger_date(self, region: str) -> date:
        """Day from which the region keeps one fund."""
        return self.merger_dates[region]

    def limits(self, region: str, day: date) -> tuple[Decimal, Decimal]:
        """Floor and ceiling of the monthly base: two independent numbers (P)."""
        row = _the_one(r for r in self.bases if r["region_code"] == region and _covers(r, day))
        return Decimal(row["base_floor"]), Decimal(row["base_ceiling"])

    def credit_rate(self, region: str, age: int, day: date) -> Decimal:
        """Rate on the base incl. the person's own 2 % (P)."""
        row = _the_one(
            r for r in self.personal_accounts if r["region_code"] == region and _covers(r, day) and _age_fits(r, age)
        )
        return Decimal(row["credit_rate"])

    def personal_rate(self, region: str, day: date) -> Decimal:
        """Personal rate of employees in 310; it does not depend on the employer's type."""
        rows = [
            r
            for r in self.rates
            if r["region_code"] == region
            and (r["insurance_type"], r["enrollment_category"]) == ("310", "employee")
            and _covers(r, day)
        ]
        rates = {Decimal(r["personal_rate"]) for r in rows}
        assert len(rates) == 1, f"{region} {day}: personal rates {rates}"
        return rates.pop()


def personal_account_credit(
    policy: Policy, region: str, month: date, base: Decimal, born: date, employer_amount: Decimal
) -> Decimal:
    """E3 contribution, personal_account_credit left empty: age on the first day of contribution_month."""
    floor, ceiling = policy.limits(region, month)
    rate = policy.credit_rate(region, age_on(born, month), month) - policy.personal_rate(region, month)
    credit = cents(min(max(base, floor), ceiling) * rate)
    return min(max(credit, Decimal(0)), employer_amount)


def age_on(born: date, day: date) -> int:
    """Completed years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def load(folder: Path = SEEDS) -> Policy:
    """Read the four seeds."""
    regions = _rows(folder / "policy_region.csv")
    return Policy(
        {r["region_code"]: date.fromisoformat(r["merger_date"]) for r in regions},
        _rows(folder / "policy_rate.csv"),
        _rows(folder / "policy_base.csv"),
        _rows(folder / "policy_personal_account.csv"),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _covers(row: dict[str, str], day: date) -> bool:
    first = date.fromisoformat(row["effective_from"])
    last = date.fromisoformat(row["effective_to"]) if row["effective_to"] else date.max
    return first <= day <= last


def _age_fits(row: dict[str, str], age: int) -> bool:
    return int(row["age_from"]) <= age <= (int(row["age_to"]) if row["age_to"] else 999)


def _the_one(rows: Iterable[dict[str, str]]) -> dict[str, str]:
    found = list(rows)
    assert len(found) == 1, f"{len(found)} rows of policy apply"
    return found[0]
