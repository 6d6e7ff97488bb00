"""The three kinds of value a sample row is made of beside text: money, months and dates."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from math import prod


class Fen(int):
    """An amount in fen (1/100 yuan): samples never touch binary fractions."""

    def __add__(self, other: int) -> Fen:
        return Fen(int(self) + int(other))

    def __radd__(self, other: int) -> Fen:
        return Fen(int(self) + int(other))

    def __sub__(self, other: int) -> Fen:
        return Fen(int(self) - int(other))


class Raw(str):
    """Text that reaches the file as it stands, past every mapping: how a slip of the source gets in."""

    __slots__ = ()


def yuan(amount: int) -> Fen:
    """Whole yuan as fen."""
    return Fen(amount * 100)


def share(amount: int, *basis_points: int) -> Fen:
    """``amount`` (fen) times each of ``basis_points`` / 10,000, rounded half up once at the end."""
    whole = 10_000 ** len(basis_points)
    return Fen((amount * prod(basis_points) + whole // 2) // whole)


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month."""

    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> Month:
        """The month that ``day`` lies in."""
        return cls(day.year, day.month)

    def day(self, number: int) -> date:
        """Day ``number`` of the month, the last day when the month is shorter."""
        return date(self.year, self.month, min(number, self.last.day))

    @property
    def first(self) -> date:
        """First day."""
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        """Last day."""
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    def plus(self, months: int) -> Month:
        """The month ``months`` later (earlier when negative)."""
        index = self.year * 12 + self.month - 1 + months
        return Month(index // 12, index % 12 + 1)

    @property
    def quarter(self) -> str:
        """For example ``2019Q4``."""
        return f"{self.year}Q{(self.month + 2) // 3}"


Value = str | int | date | Fen | Raw | Month
FIRST_MONTH = Month(2019, 9)
MONTHS = tuple(FIRST_MONTH.plus(offset) for offset in range(10))
LAST_DAY = MONTHS[-1].last


def within(day: date) -> date:
    """``day``, or the last day of the sample period when later."""
    return min(day, LAST_DAY)


def days_after(day: date, days: int) -> date:
    """``day`` plus ``days``, never beyond the sample period."""
    return within(day + timedelta(days=days))
