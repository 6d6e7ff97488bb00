"""The dbt seeds that acceptance rests on, read straight from their CSV files: policy, chart, allowed paths of money."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

Record = dict[str, str]
TEMPORARY_RECEIPTS = "2001"  # where an unidentified receipt lies until it is identified


class SeedError(RuntimeError):
    """A seed is missing or does not say what is needed."""


@dataclass(frozen=True)
class Account:
    """A row of the chart of accounts."""

    code: str
    account_class: str
    is_posting: bool
    fund_code: str
    sub_fund: str

    @property
    def is_result(self) -> bool:
        """Income or expenditure."""
        return self.account_class in ("income", "expenditure")


@dataclass(frozen=True)
class CreditTerm:
    """What fixes the personal-account credit of one region, month and age band. Ages are full years, inclusive."""

    age_from: int
    age_to: int
    rate: Decimal
    base_floor: Decimal
    base_ceiling: Decimal


@dataclass(frozen=True)
class Seeds:
    """Everything acceptance needs to know of policy."""

    merger_dates: dict[str, date]
    chart: dict[str, Account]
    cash_paths: frozenset[tuple[str, str]]
    rates: tuple[Record, ...]
    bases: tuple[Record, ...]
    personal_accounts: tuple[Record, ...]

    @classmethod
    def load(cls, folder: Path) -> Seeds:
        """Read the seeds below a folder, whatever subfolder they lie in. Cached per folder."""
        return _load(folder)

    def identifiable_accounts(self, fund_code: str) -> list[str]:
        """Codes of accounts of this fund that an unidentified receipt may turn out to belong to."""
        return [
            code
            for code, row in self.chart.items()
            if row.is_posting
            and row.fund_code in ("", fund_code)
            and row.account_class != "net_assets"
            and code != TEMPORARY_RECEIPTS
        ]

    def credit_terms(self, region_code: str, month: date, known_on: date) -> list[CreditTerm]:
        """Age bands in force on the first day of `month`, as known on a date; empty when policy does not say."""
        bases = _in_force(self.bases, region_code, month, known_on)
        bands = _in_force(self.personal_accounts, region_code, month, known_on)
        personal_rate = self._personal_rate(region_code, month, known_on)
        if not bases or personal_rate is None:
            return []
        floor, ceiling = Decimal(bases[-1]["base_floor"]), Decimal(bases[-1]["base_ceiling"])
        newest = {(band["age_from"], band["age_to"]): band for band in bands}
        return [
            CreditTerm(
                int(band["age_from"] or 0),
                int(band["age_to"] or 999),
                Decimal(band["credit_rate"]) - personal_rate,
                floor,
                ceiling,
            )
            for band in newest.values()
        ]

    def _personal_rate(self, region_code: str, month: date, known_on: date) -> Decimal | None:
        """Employees' own medical rate; the row for any employer type speaks for all."""
        rows = [
            row
            for row in _in_force(self.rates, region_code, month, known_on)
            if (row["enrollment_category"], row["insurance_type"]) == ("employee", "310")
        ]
        general = [row for row in rows if not row["employer_type"]] or rows
        return Decimal(general[-1]["personal_rate"]) if general else None


def _in_force(rows: tuple[Record, ...], region_code: str, day: date, known_on: date) -> list[Record]:
    """Rows of a region valid on a day and known by a date, the latest known last."""
    text, known = day.isoformat(), known_on.isoformat()
    found = [
        row
        for row in rows
        if row["region_code"] == region_code
        and row["effective_from"] <= text <= (row["effective_to"] or "9999-12-31")
        and (row.get("known_from") or "") <= known
    ]
    return sorted(found, key=lambda row: row.get("known_from") or "")


@lru_cache(maxsize=8)
def _load(folder: Path) -> Seeds:
    chart = {
        row["account_code"]: Account(
            row["account_code"],
            row["account_class"],
            row["is_posting"].lower() == "true",
            row["fund_code"],
            row["sub_fund"],
        )
        for row in _rows(folder, "chart_of_accounts")
    }
    return Seeds(
        merger_dates={
            row["region_code"]: date.fromisoformat(row["merger_date"]) for row in _rows(folder, "policy_region")
        },
        chart=chart,
        cash_paths=frozenset((row["from_account"], row["to_account"]) for row in _rows(folder, "cash_path")),
        rates=tuple(_rows(folder, "policy_rate")),
        bases=tuple(_rows(folder, "policy_base")),
        personal_accounts=tuple(_rows(folder, "policy_personal_account")),
    )


def _rows(folder: Path, name: str) -> list[Record]:
    found = sorted(folder.rglob(f"{name}.csv"))
    if len(found) != 1:
        raise SeedError(f"{len(found)} files named {name}.csv below {folder}; exactly one is needed")
    with found[0].open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))
