"""The slips a real delivery has: rows sent twice, sent too late, or wrong and corrected later."""

from __future__ import annotations

from collections.abc import Callable

from runtime.samples.log import CityLog, Row
from runtime.samples.values import Raw, Value

Parcels = dict[tuple[str, str], list[Row]]


def spoil(log: CityLog, parcels: Parcels) -> None:
    """Put the slips of one city into its files; every amount that truly moved still arrives in the end."""
    _send_twice(parcels)
    _late_original(log, parcels)
    _misspelt_then_corrected(parcels)


def _send_twice(parcels: Parcels) -> None:
    claims = parcels["claim", "2020Q1"]
    claims.extend(claims[40:43])
    parcels["contribution", "2020Q1"].extend(parcels["contribution", "2019Q4"][-2:])


def _late_original(log: CityLog, parcels: Parcels) -> None:
    """The payment that a recovery of December refers to comes with the next quarter's file only."""
    recovered = next(row for row in parcels["claim", "2019Q4"] if row["event_type"] == "claim.recovered")
    key = recovered["original_event_key"]
    paid = next(row for row in log.rows["claim"] if row["source_event_key"] == key)
    parcels["claim", "2019Q4"].remove(paid)
    parcels["claim", "2020Q1"].append(paid)


def _misspelt_then_corrected(parcels: Parcels) -> None:
    """A row or two in each family arrive wrong; the corrected row follows under the same key in the next file."""
    _misspell(parcels, "registration", ("2019Q3", "2020Q2"), _enrolled, "certificate_no", _turned)
    _misspell(parcels, "contribution", ("2019Q4", "2020Q1"), _assessed, "contribution_month", lambda _: Raw("2019-13"))
    _misspell(parcels, "claim", ("2019Q4", "2020Q1"), _pharmacy, "benefit_item", lambda _: Raw("99"))
    _misspell(parcels, "claim", ("2020Q1", "2020Q2"), _pharmacy, "medical_fee_total", lambda _: Raw("1.00"))
    _misspell(parcels, "treasury", ("2020Q1", "2020Q2"), _credited, "amount", lambda _: Raw("八十元整"))


def _misspell(
    parcels: Parcels,
    family: str,
    periods: tuple[str, str],
    chosen: Callable[[Row], bool],
    column: str,
    spelling: Callable[[Value], Raw],
) -> None:
    rows = parcels[family, periods[0]]
    place = next(number for number, row in enumerate(rows) if number > 20 and chosen(row))
    right = rows[place]
    rows[place] = {**right, column: spelling(right[column])}
    parcels[family, periods[1]].append(right)


def _enrolled(row: Row) -> bool:
    return row["event_type"] == "enrollment.started" and row["enrollment_category"] == "retiree"


def _assessed(row: Row) -> bool:
    return row["event_type"] == "contribution.assessed"


def _pharmacy(row: Row) -> bool:
    return row["event_type"] == "claim.settled" and row.get("benefit_item") == "pharmacy"


def _credited(row: Row) -> bool:
    return row["event_type"] == "account.credited"


def _turned(value: Value) -> Raw:
    """A certificate number with its last two digits exchanged or, when equal, its check character changed."""
    number = str(value)
    if number[-1] != number[-2] and number[-1] != "X":
        return Raw(number[:-2] + number[-1] + number[-2])
    return Raw(number[:-1] + ("1" if number[-1] != "1" else "2"))
