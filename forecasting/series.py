"""Series that forecasts are made of: of a region at its published head, and published national ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from itertools import groupby

from ingestion.database import Connection

NATIONAL = "-"
MONTHLY = 12
YEARLY = 1
# These can't be below zero; money can: a month of refunds is negative.
COUNTS = frozenset({"deliveries", "cost_per_delivery", "assessed_employees"})
# The ones that the outlook rests on; testing all of them would cost more than it tells.
TESTED = ("pooled_income", "pooled_expenditure", "maternity_medical", "maternity_allowance")

_REGIONS = "SELECT region_code, seq FROM marts.published_head ORDER BY region_code"
# At the full rate: a temporary relief says nothing of the months after it (decision 0051).
_OF_REGION = """
SELECT series_code, accounting_month, full_value FROM marts.forecast_series
WHERE region_code = %s AND is_flow AND is_complete
ORDER BY series_code, accounting_month
"""
# Visits before and after 2023 are two definitions: the newer one has three years, too few to test.
_OF_NATION = """
SELECT s.series_code, make_date(s.year, 1, 1), s.series_value FROM (
    SELECT 'national_maternity_expenditure', year, expenditure FROM marts.national_maternity_year
    UNION ALL SELECT 'national_maternity_insured', year, insured FROM marts.national_maternity_year
    UNION ALL
    SELECT 'national_maternity_visits_before_2023', year, visits FROM marts.national_maternity_year
    WHERE visits_definition = '2012'
    UNION ALL
    SELECT 'national_fund_income', year, income FROM marts.national_fund_year
    WHERE source_kind <> 'quick_report' AND income IS NOT NULL
    UNION ALL
    SELECT 'national_fund_expenditure', year, expenditure FROM marts.national_fund_year
    WHERE source_kind <> 'quick_report' AND expenditure IS NOT NULL
) AS s (series_code, year, series_value)
ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Series:
    """Values of consecutive periods from `first` on, in yuan, cases or persons; None where there is no value.

    `period` is how many of them make a year.
    """

    region_code: str
    code: str
    first: date | None
    values: tuple[Decimal | None, ...]
    period: int = MONTHLY

    @property
    def last(self) -> date | None:
        """The newest period."""
        return self.at(len(self.values) - 1) if self.first else None

    @property
    def known(self) -> int:
        """How many periods have a value."""
        return sum(value is not None for value in self.values)

    @property
    def sha256(self) -> str:
        """Hash of what a forecast is made of: the periods and values as text."""
        text = f"{self.period}|{self.first}|" + ",".join("" if v is None else f"{v:.2f}" for v in self.values)
        return sha256(text.encode()).hexdigest()

    def at(self, place: int) -> date:
        """First day of the period at a place, counted from the first; places beyond the last lie ahead."""
        assert self.first is not None
        if self.period == YEARLY:
            return self.first.replace(year=self.first.year + place)
        return _plus_months(self.first, place)

    def until(self, length: int) -> Series:
        """What was known after `length` periods."""
        return Series(self.region_code, self.code, self.first, self.values[:length], self.period)


def heads(connection: Connection) -> list[tuple[str, int]]:
    """Published regions with their seq."""
    with connection.cursor() as cursor:
        cursor.execute(_REGIONS)
        return [(str(code), int(seq)) for code, seq in cursor.fetchall()]


def of_region(connection: Connection, region_code: str) -> list[Series]:
    """The flows of a region at the full rate of contribution, complete months only, by code."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_REGION, (region_code,))
        return _gathered(region_code, cursor.fetchall(), MONTHLY)


def of_nation(connection: Connection) -> list[Series]:
    """Published national series, a value a year; years without a published value are gaps."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_NATION)
        return _gathered(NATIONAL, cursor.fetchall(), YEARLY)


def _gathered(region_code: str, rows: Iterable[Sequence[object]], period: int) -> list[Series]:
    return [
        _of_rows(region_code, str(code), list(found), period) for code, found in groupby(rows, key=lambda row: row[0])
    ]


def _of_rows(region_code: str, code: str, rows: Sequence[Sequence[object]], period: int) -> Series:
    values: dict[date, Decimal | None] = {row[1]: row[2] for row in rows}  # type: ignore[misc]
    known = [month for month, value in values.items() if value is not None]
    if not known:
        return Series(region_code, code, None, (), period)
    first, last = min(known), max(values)
    series = Series(region_code, code, first, (None,), period)
    length = 1
    while series.at(length - 1) < last:
        length += 1
    return Series(region_code, code, first, tuple(values.get(series.at(place)) for place in range(length)), period)


def _plus_months(month: date, number: int) -> date:
    years, place = divmod(month.month - 1 + number, 12)
    return date(month.year + years, place + 1, 1)
