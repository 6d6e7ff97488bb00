"""The facts of one city as they come into being: rows by family, each under a key of its own."""

from __future__ import annotations

import random
from datetime import date

from runtime.samples.cities import City
from runtime.samples.values import Fen, Value

Row = dict[str, Value]
FAMILIES = ("registration", "contribution", "claim", "treasury")


class CityLog:
    """Collects rows of canonical columns; ``None`` and empty columns are left out."""

    def __init__(self, city: City, seed: int) -> None:
        self.city = city
        self.rows: dict[str, list[Row]] = {family: [] for family in FAMILIES}
        # keys of rows that come with a later delivery than their dates say
        self.sent_late: set[str] = set()
        self._seed = seed

    def rng(self, part: str) -> random.Random:
        """A random stream of its own for each part, so that one part may change without moving the others."""
        return random.Random(f"{self._seed}:{self.city.region_code}:{part}")

    def add(self, family: str, event_type: str, occurred_on: date, **columns: Value | None) -> Row:
        """Record a fact and return its row."""
        number = len(self.rows[family]) + 1
        row: Row = {
            "event_type": event_type,
            "source_event_key": f"{self.city.prefix}-{family[:3].upper()}-{number:06d}",
            "occurred_on": occurred_on,
            "region_code": self.city.region_code,
        }
        row.update({name: value for name, value in columns.items() if value is not None})
        self.rows[family].append(row)
        return row

    def treasury(self, event_type: str, occurred_on: date, fund_code: str, **columns: Value | None) -> Row:
        """Record a treasury fact."""
        return self.add("treasury", event_type, occurred_on, fund_code=fund_code, **columns)

    def of_type(self, event_type: str) -> list[Row]:
        """All rows of one event type, in the order recorded."""
        return [row for rows in self.rows.values() for row in rows if row["event_type"] == event_type]


def fen(row: Row, column: str) -> Fen:
    """An amount of a row; zero when the row has none."""
    value = row.get(column, 0)
    assert isinstance(value, int)
    return Fen(value)


def day_of(row: Row) -> date:
    """When the fact of a row happened."""
    value = row["occurred_on"]
    assert isinstance(value, date)
    return value


def text(row: Row, column: str) -> str:
    """A text column of a row; empty when the row has none."""
    return str(row.get(column, ""))
