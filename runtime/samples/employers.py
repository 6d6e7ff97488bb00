"""What an employer's wages of last year give an employee on leave: the daily base of the maternity allowance."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from weakref import WeakKeyDictionary

from runtime.samples import policy
from runtime.samples.log import CityLog, Row, fen, text
from runtime.samples.population import Employer
from runtime.samples.values import FIRST_MONTH, Fen, Month

_DIVISOR = 30
_Assessed = dict[str, dict[Month, list[Fen]]]
_assessed: WeakKeyDictionary[CityLog, _Assessed] = WeakKeyDictionary()
_followed: WeakKeyDictionary[CityLog, tuple[int, _Assessed]] = WeakKeyDictionary()


def daily_base(log: CityLog, employer: Employer, event: date) -> Fen:
    """As `average`, of an employer registered when the samples begin; what was assessed is read once a city."""
    if log not in _assessed:
        _assessed[log] = _by_employer(log)
    return _average(_assessed[log].get(employer.number, {}), employer, event, FIRST_MONTH)


def average(log: CityLog, employer: Employer, event: date, registered: Month) -> Fen:
    """Average monthly base of the year before ``event`` ÷ 30, half up; the employer's wage where there is none.

    Of an employer registered in the year of the event it is the average of the months before the event.
    """
    return _average(_by_now(log).get(employer.number, {}), employer, event, registered)


def _average(known: dict[Month, list[Fen]], employer: Employer, event: date, registered: Month) -> Fen:
    year = event.year if registered.year >= event.year else event.year - 1
    bases = [base for month in known if month.year == year and month < Month.of(event) for base in known[month]]
    return _half_up(sum(bases), len(bases) * _DIVISOR) if bases else Fen(employer.wage // _DIVISOR)


def _by_employer(log: CityLog) -> _Assessed:
    """Bases within floor and ceiling, by employer and month."""
    bases: _Assessed = defaultdict(lambda: defaultdict(list))
    _take_in(log, log.rows["contribution"], bases)
    return bases


def _by_now(log: CityLog) -> _Assessed:
    """As `_by_employer`, with all that has been assessed by now: only rows that have come since are read."""
    read, bases = _followed.setdefault(log, (0, defaultdict(lambda: defaultdict(list))))
    rows = log.rows["contribution"]
    _take_in(log, rows[read:], bases)
    _followed[log] = (len(rows), bases)
    return bases


def _take_in(log: CityLog, rows: list[Row], bases: _Assessed) -> None:
    for row in rows:
        if row["event_type"] != "contribution.assessed" or row["insurance_type"] != "310" or "employer_no" not in row:
            continue
        month = row["contribution_month"]
        assert isinstance(month, Month)
        floor, ceiling = policy.base_limits(log.city.region_code, month.first)
        bases[text(row, "employer_no")][month].append(min(max(fen(row, "contribution_base"), floor), ceiling))


def _half_up(amount: int, parts: int) -> Fen:
    return Fen((2 * amount + parts) // (2 * parts))
