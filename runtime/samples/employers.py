"""What an employer's wages of last year give an employee on leave: the daily base of the maternity allowance."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from weakref import WeakKeyDictionary

from runtime.samples import policy
from runtime.samples.log import CityLog, fen, text
from runtime.samples.population import Employer
from runtime.samples.values import FIRST_MONTH, Fen, Month

_DIVISOR = 30
_MONTHS_OF_FIRST_YEAR = 13 - FIRST_MONTH.month
_Averages = dict[str, Fen]
_averages: WeakKeyDictionary[CityLog, _Averages] = WeakKeyDictionary()


def daily_base(log: CityLog, employer: Employer, event: date) -> Fen:
    """Average monthly base of the year before ``event`` ÷ 30, half up; the employer's wage where it is not known."""
    wage = Fen(employer.wage // _DIVISOR)
    if event.year == FIRST_MONTH.year:
        return wage  # the year before lies before the samples
    if log not in _averages:
        _averages[log] = _of_first_year(log)
    return _averages[log].get(employer.number, wage)


def _of_first_year(log: CityLog) -> _Averages:
    """Daily base by employer, of those that were assessed in each month of the first year."""
    bases: dict[str, list[Fen]] = defaultdict(list)
    months: dict[str, set[Month]] = defaultdict(set)
    for row in log.of_type("contribution.assessed"):
        month = row["contribution_month"]
        assert isinstance(month, Month)
        if month.year == FIRST_MONTH.year and row["insurance_type"] == "310" and "employer_no" in row:
            floor, ceiling = policy.base_limits(log.city.region_code, month.first)
            number = text(row, "employer_no")
            bases[number].append(min(max(fen(row, "contribution_base"), floor), ceiling))
            months[number].add(month)
    return {
        number: _half_up(sum(known), len(known) * _DIVISOR)
        for number, known in bases.items()
        if len(months[number]) == _MONTHS_OF_FIRST_YEAR
    }


def _half_up(amount: int, parts: int) -> Fen:
    return Fen((2 * amount + parts) // (2 * parts))
