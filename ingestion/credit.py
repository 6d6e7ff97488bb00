"""Personal-account credit of collected premiums: computed from policy and age where the source leaves it out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import polars as pl
from psycopg2.extensions import cursor as Cursor

from ingestion import typed
from ingestion.contracts.contribution import earns_credit
from ingestion.seeds import Seeds

_RATE_UNITS = 1_000_000
_PERSONS_MAX = 200_000  # remembered at a time
# The newest registration that tells a birth date counts.
_BIRTHS = """
SELECT p.person_no, e.birth_date
FROM unnest(%s::text[]) AS p(person_no)
CROSS JOIN LATERAL (
    SELECT e.birth_date FROM events.event AS e
    WHERE e.region_code = %s AND e.person_no = p.person_no AND e.family = 'registration' AND e.birth_date IS NOT NULL
    ORDER BY e.seq DESC LIMIT 1
) AS e
"""


class Credits:
    """Completes collected premiums of one file. Remembers the birth dates that it has looked up."""

    def __init__(self, cursor: Cursor, seeds: Seeds, today: date) -> None:
        self._cursor = cursor
        self._seeds = seeds
        self._today = today
        self._births: dict[tuple[str, str], date | None] = {}

    def complete(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[int, tuple[str, str]]]:
        """The rows, with the credit where it was left out; and (code, detail) by line of those that can't have one."""
        if "personal_account_credit" not in rows.columns:
            return rows, {}
        left_out = (pl.col("event_type") == "contribution.collected") & pl.col("personal_account_credit").is_null()
        if not rows.select(left_out.any()).item():
            return rows, {}
        due = rows.filter(left_out & _earns_credit())
        found = self._computed(due)
        missing = {
            line_no: (code, person_no if code == "E-REF-PERSON" else month[:7])
            for line_no, code, person_no, month in found.filter(pl.col("missing").is_not_null())
            .select("line_no", "missing", "person_no", "contribution_month")
            .iter_rows()
        }
        computed = found.select("line_no", typed.amount_text(pl.col("cents")).alias("computed"))
        completed = rows.join(computed, on="line_no", how="left", maintain_order="left").with_columns(
            pl.when(left_out).then(pl.col("computed").fill_null("0.00")).otherwise("personal_account_credit")
            .alias("personal_account_credit"),
            pl.when(left_out).then(pl.lit("{personal_account_credit}")).alias("derived_columns"),
        )  # fmt: skip
        return completed.drop("computed"), missing

    def _computed(self, due: pl.DataFrame) -> pl.DataFrame:
        """`line_no`, `cents`, `missing` (a code or null), and what a message shows."""
        persons = due.select("region_code", "person_no").unique().rows()
        self._look_up(persons)
        born = pl.DataFrame(
            [(region, person, self._births.get((region, person))) for region, person in persons],
            schema={"region_code": pl.String, "person_no": pl.String, "born": pl.Date},
            orient="row",
        )
        known = due.join(born, on=["region_code", "person_no"], how="left").with_columns(
            pl.col("contribution_month").str.to_date("%Y-%m-%d").alias("month")
        )
        terms = self._terms(due.select("region_code", "contribution_month").unique().rows())
        fitting = (
            known.join(terms, on=["region_code", "contribution_month"])
            .filter(_age(pl.col("month"), pl.col("born")).is_between("age_from", "age_to"))
            .unique("line_no", keep="first", maintain_order=True)
            .select("line_no", _credit().alias("cents"))
        )
        return known.join(fitting, on="line_no", how="left").with_columns(
            pl.when(pl.col("born").is_null())
            .then(pl.lit("E-REF-PERSON"))
            .when(pl.col("cents").is_null())
            .then(pl.lit("E-REF-POLICY"))
            .alias("missing")
        )

    def _look_up(self, persons: Iterable[tuple[str, str]]) -> None:
        if len(self._births) > _PERSONS_MAX:
            self._births.clear()
        unknown: dict[str, list[str]] = {}
        for region, person in persons:
            if (region, person) not in self._births:
                unknown.setdefault(region, []).append(person)
        for region, numbers in sorted(unknown.items()):
            self._cursor.execute(_BIRTHS, (numbers, region))
            self._births |= {(region, person): born for person, born in self._cursor.fetchall()}

    def _terms(self, months: Iterable[tuple[str, str]]) -> pl.DataFrame:
        rows = [
            (region, month, t.age_from, t.age_to, _units(t.rate), _cents(t.base_floor), _cents(t.base_ceiling))
            for region, month in sorted(months)
            for t in self._seeds.credit_terms(region, date.fromisoformat(month), self._today)
        ]  # fmt: skip
        names = ("region_code", "contribution_month", "age_from", "age_to", "rate", "floor", "ceiling")
        return pl.DataFrame(rows, schema={n: pl.String if n in names[:2] else pl.Int64 for n in names}, orient="row")


def _earns_credit() -> pl.Expr:
    return earns_credit(_cents_of("employer_amount").fill_null(0))


def _cents_of(column: str) -> pl.Expr:
    return pl.col(column).str.replace(".", "", literal=True).cast(pl.Int64)


def _age(on: pl.Expr, born: pl.Expr) -> pl.Expr:
    """Full years on the first day of a month."""
    months = (on.dt.year() - born.dt.year()).cast(pl.Int64) * 12 + on.dt.month() - born.dt.month()
    before = (born.dt.day() > on.dt.day()) & (months > 0)
    # Towards zero, as PostgreSQL's age() counts: somebody born later in the same year is 0 years old.
    full = months - before.cast(pl.Int64)
    return full.abs() // 12 * full.sign()


def _credit() -> pl.Expr:
    """Cents: base within floor and ceiling × rate, half a cent up, between 0 and the employer's amount."""
    base = _cents_of("contribution_base").clip(pl.col("floor"), pl.col("ceiling"))
    exact = (base * pl.col("rate")).clip(lower_bound=0)
    return pl.min_horizontal((exact + _RATE_UNITS // 2) // _RATE_UNITS, _cents_of("employer_amount"))


def _units(rate: Decimal) -> int:
    scaled = rate * _RATE_UNITS
    assert scaled == int(scaled), f"a rate of more than six decimals: {rate}"
    return int(scaled)


def _cents(amount: Decimal) -> int:
    return int(amount * 100)
