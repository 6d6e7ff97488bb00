"""A landing area with all a run can meet: every family, two cities, duplicates, conflicts, waiting rows, bad files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from tests.unit.ingestion.valid_rows import Row, csv_text, sound_row

REGIONS = ("320100", "340400")
# Two sources a city: what depends on another file says so by naming its source.
_CITIES = (("320100", "a_nanjing", "c_nanjing"), ("340400", "b_huainan", "d_huainan"))


def write_area(root: Path, rows: int, big_rows: int = 0) -> Path:
    """About `rows` rows a file and, when wanted, one file of `big_rows`, several chunks long; returns the root."""
    for region, first, second in _CITIES:
        _write_city(root, region, (first, second), rows)
    _write_broken(root)
    both = [payment(n, REGIONS[n % 2], "mixed") for n in range(rows)]
    land(root, "e_mixed", "up.claim.1.csv", both)
    land(root, "f_mixed", "down.claim.1.csv", reversed(both))
    if big_rows:
        land(root, "g_big", "big.claim.1.csv", (payment(n, REGIONS[n // 7 % 2], "big") for n in range(big_rows)))
    return root


def land(root: Path, source: str, name: str, rows: Iterable[Row] | str) -> None:
    """A canonical file that has lain there for an hour."""
    path = root / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(rows if isinstance(rows, str) else csv_text(list(rows)), encoding="utf-8")
    long_ago = time.time() - 3600
    os.utime(path, (long_ago, long_ago))


def payment(number: int, region: str, kind: str) -> Row:
    """A payment of a claim; the amount tells its number."""
    return sound_row(
        "claim.paid",
        region_code=region,
        source_event_key=f"{kind}-{number}",
        claim_no=f"S{number}",
        payment_no=f"Z{number}",
        person_no=f"P{number % 97}",
        pooled_amount=f"{number % 5000 + 1}.{number % 100:02}",
    )


def _write_city(root: Path, region: str, sources: tuple[str, str], rows: int) -> None:
    first, second = sources
    people = [_person(n, region) for n in range(rows)]
    conflict = people[1] | {"birth_date": "1981-01-01"}
    land(root, first, "all.registration.1.csv", [*people, people[0], conflict, _person(rows, region, sex="X")])
    premiums = [_premium(n, region, n % rows) for n in range(rows)]
    unknown = _premium(rows, region, 10**6)  # waits for a registration that never comes
    refund = sound_row(
        "contribution.refunded",
        region_code=region,
        source_event_key="refund",
        person_no="P3",
        original_event_key="premium-3",
        employer_amount="100.00",
    )
    land(root, first, "all.contribution.1.csv", [refund, *premiums, unknown])
    land(root, first, "late.contribution.1.csv", [*premiums[: rows // 2], premiums[-1] | {"late_fee": "1.00"}])
    elsewhere = {"original_source_system": second}
    reversals = [
        sound_row("claim.reversed", region_code=region, source_event_key=f"reversal-{n}", person_no=f"P{n % 97}")
        | elsewhere
        | {"original_event_key": f"paid-{n}"}
        for n in range(0, rows, 5)
    ]
    never = sound_row("claim.reversed", region_code=region, source_event_key="never", original_event_key="nothing")
    land(root, first, "early.claim.1.csv", [*reversals, never])  # waits for the next file
    land(root, second, "paid.claim.1.csv", (payment(n, region, "paid") for n in range(rows)))
    land(root, first, "all.treasury.1.csv", _treasury(region, rows))


def _write_broken(root: Path) -> None:
    land(root, "broken", "columns.claim.1.csv", "event_type,colour\nclaim.paid,red\n")
    land(root, "broken", "header.claim.1.csv", "event_type,source_event_key,occurred_on,region_code\n")
    land(root, "broken", "name.csv", "anything\n")
    ragged = csv_text([payment(1, REGIONS[0], "ragged")]) + "claim.paid,too,short\n"
    land(root, "broken", "ragged.claim.1.csv", ragged)
    land(root, "broken", "ragged.claim.2.csv", ragged)  # the same bytes under another name


def _person(number: int, region: str, **changes: str) -> Row:
    birth = {"birth_date": f"{1960 + number % 40}-06-15", "sex": "FM"[number % 2], "occurred_on": "2019-01-01"}
    key = {"source_event_key": f"person-{number}", "person_no": f"P{number}"}
    return sound_row("enrollment.started", region_code=region, **key) | birth | changes


def _premium(number: int, region: str, person: int) -> Row:
    return sound_row(
        "contribution.collected",
        region_code=region,
        source_event_key=f"premium-{number}",
        person_no=f"P{person}",
        receipt_no=f"T{number // 50}",
        contribution_base=f"{5000 + number % 3000}.00",
    )


def _treasury(region: str, rows: int) -> list[Row]:
    where = {"region_code": region}
    receipts = [
        sound_row("receipt.unidentified", **where, source_event_key=f"receipt-{n}", amount=f"{n + 1}.00")
        for n in range(rows)
    ]
    identified = [
        sound_row("receipt.identified", **where, source_event_key=f"identified-{n}", amount=f"{n + 1}.00")
        | {"original_event_key": f"receipt-{n}"}
        for n in range(0, rows, 3)
    ]
    wrong_path = sound_row("cash.transferred", **where, source_event_key="path", to_account="treasury")
    return [*receipts, *identified, identified[0], wrong_path]
