"""Rolling-origin back-tests: what the model would have said at each origin, beside what costs nothing to say.

Naive: the last value goes on. Seasonal naive: the value of the same month a year before. For sums of a year to date:
the sum by its months (`annualised`), last year's sum (`naive`), and by the share that the same month had last year
(`seasonal_naive`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from forecasting.model import MONTHS_MIN, YEARS_MIN, forecast
from forecasting.series import MONTHLY, NATIONAL, YEARLY, Series
from ingestion.database import Connection

# Of a long series the newest origins are enough to tell, and each costs a fit.
ORIGINS_MAX = 12
_HORIZON = {MONTHLY: 12, YEARLY: 3}
_CENT = Decimal("0.01")
_YEAR_TO_DATE = """
SELECT through_month, income, expenditure, maternity_expenditure FROM marts.national_year_to_date ORDER BY through_month
"""
YEAR_TO_DATE = ("national_income_year_to_date", "national_expenditure_year_to_date", "national_maternity_year_to_date")


@dataclass(frozen=True)
class Tested:
    """One forecast of a method at an origin, and what came; intervals only of the model."""

    method: str
    origin: date
    target: date
    horizon: int
    actual: Decimal
    forecast: Decimal
    interval: tuple[Decimal, Decimal, Decimal, Decimal] | None = None  # lower_80, upper_80, lower_95, upper_95
    scale: Decimal | None = None


def backtest(series: Series) -> list[Tested]:
    """All methods at all origins, periods without a value left out."""
    least = MONTHS_MIN if series.period == MONTHLY else YEARS_MIN
    origins = [n for n in range(1, len(series.values)) if series.until(n).known >= least]
    return [tested for length in origins[-ORIGINS_MAX:] for tested in _at(series, length)]


def _at(series: Series, length: int) -> Iterator[Tested]:
    past = series.until(length)
    horizon = min(_HORIZON[series.period], len(series.values) - length)
    said = forecast(past, horizon)
    last = next(value for value in reversed(past.values) if value is not None)
    scale = _scale(past)
    for ahead in range(horizon):
        actual = series.values[length + ahead]
        if actual is None:
            continue
        place = (series.at(length - 1), series.at(length + ahead), ahead + 1, actual)
        if said.points:
            point = said.points[ahead]
            interval = (point.lower_80, point.upper_80, point.lower_95, point.upper_95)
            yield Tested("model", *place, point.mean, interval, scale)
        yield Tested("naive", *place, last, None, scale)
        if series.period > 1 and (before := _a_year_before(past, length + ahead)) is not None:
            yield Tested("seasonal_naive", *place, before, None, scale)


def _a_year_before(past: Series, place: int) -> Decimal | None:
    while place >= len(past.values):
        place -= past.period
    return past.values[place] if place >= 0 else None


def _scale(past: Series) -> Decimal | None:
    """Mean absolute error of the naive method within what was known: over a year where there is more than one."""
    step = past.period if past.known > past.period else 1
    errors = [
        abs(now - before)
        for before, now in zip(past.values, past.values[step:], strict=False)
        if before is not None and now is not None
    ]
    return (sum(errors, Decimal(0)) / len(errors)).quantize(Decimal("0.000001")) if errors else None


def year_to_date(connection: Connection) -> list[tuple[Series, list[Tested]]]:
    """Tests of bringing sums of a year to date to the year: the national ones, whose years' sums are published."""
    with connection.cursor() as cursor:
        cursor.execute(_YEAR_TO_DATE)
        rows = cursor.fetchall()
    tests = []
    for column, code in enumerate(YEAR_TO_DATE, start=1):
        sums: dict[date, Decimal] = {row[0]: row[column] for row in rows}
        series = Series(NATIONAL, code, None, tuple(sums.values()))  # no consecutive months
        tests.append((series, list(_brought_to_the_year(sums))))
    return tests


def _brought_to_the_year(sums: dict[date, Decimal]) -> Iterator[Tested]:
    for through, so_far in sums.items():
        december, before = through.replace(month=12), through.replace(year=through.year - 1, month=12)
        if through.month == 12 or december not in sums or before not in sums:
            continue
        place = (through, december, 12 - through.month, sums[december])
        scale = abs(sums[december] - sums[before])
        yield Tested("annualised", *place, _rounded(so_far * 12 / through.month), None, scale)
        yield Tested("naive", *place, sums[before], None, scale)
        same = through.replace(year=through.year - 1)
        if same in sums:
            yield Tested("seasonal_naive", *place, _rounded(so_far * sums[before] / sums[same]), None, scale)


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)
