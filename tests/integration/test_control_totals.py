"""Totals of a file, a day, a month: compared as the file is read, kept, shown beside the log. Corrected statements."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.ingestion_support import files, land, land_rows, run, select
from tests.unit.ingestion.valid_rows import sound_row

ROWS = (
    sound_row("interest.credited", source_event_key="K1", occurred_on="2019-11-15", amount="100.00"),
    sound_row("interest.credited", source_event_key="K2", occurred_on="2019-11-15", amount="20.50"),
    sound_row("interest.credited", source_event_key="K3", occurred_on="2019-11-30", amount="3.00"),
    sound_row("interest.credited", source_event_key="K4", occurred_on="2019-12-02", amount="0.40"),
    # set aside: no such fund
    sound_row("interest.credited", source_event_key="K5", occurred_on="2019-12-02", amount="7.00", fund_code="XXX"),
)
TOTALS = {
    "amount": "130.90",
    "amount@2019-11-15": "120.50",
    "amount@2019-11": "123.50",
    "amount@2019-12-02": "7.40",
    "amount@2019-12-03": "0",
}


def land_with(totals: dict[str, str], name: str = "a.treasury.1.csv") -> None:
    land(f"{name}.manifest.json", json.dumps({"control_totals": totals}))
    land_rows(name, *ROWS)


@pytest.mark.usefixtures("migrated_warehouse")
def test_totals_of_days_and_months_are_compared_and_kept() -> None:
    land_with(TOTALS)
    run()
    assert files()["a.treasury.1.csv"][:6] == ("loaded", None, 5, 4, 0, 1)
    shown = select(
        "SELECT stated_as, canonical_column, stated_amount, counted_amount, counted_rows, in_log_amount,"
        " set_aside_amount FROM events.file_control_total ORDER BY 1"
    )
    assert shown == [
        ("amount", "amount", Decimal("130.90"), Decimal("130.90"), 5, Decimal("123.90"), Decimal("7.00")),
        ("amount@2019-11", "amount", Decimal("123.50"), Decimal("123.50"), 3, Decimal("123.50"), Decimal("0.00")),
        ("amount@2019-11-15", "amount", Decimal("120.50"), Decimal("120.50"), 2, Decimal("120.50"), Decimal("0.00")),
        ("amount@2019-12-02", "amount", Decimal("7.40"), Decimal("7.40"), 2, Decimal("0.40"), Decimal("7.00")),
        ("amount@2019-12-03", "amount", Decimal("0.00"), Decimal("0.00"), 0, None, None),
    ]


@pytest.mark.usefixtures("migrated_warehouse")
def test_a_day_that_differs_rejects_the_file_and_is_named_with_both_amounts() -> None:
    wrong = TOTALS | {"amount@2019-11-15": "120.60", "amount@2019-12-02": "7.30"}  # the whole still agrees
    land_with(wrong)
    run()
    assert files()["a.treasury.1.csv"][:2] == ("rejected", "E-FILE-MANIFEST")
    ((message,),) = select("SELECT error_message FROM events.file_outcome")
    assert "amount@2019-11-15 120.60, file 120.50; amount@2019-12-02 7.30, file 7.40" in message
    assert select("SELECT count(*) FROM events.control_total") == [(0,)]
    land_with(TOTALS)
    run()
    assert files()["a.treasury.1.csv"][:4] == ("loaded", None, 5, 4)
    assert select("SELECT count(*) FROM events.control_total") == [(5,)]


@pytest.mark.usefixtures("migrated_warehouse")
def test_totals_are_shown_in_yuan_whatever_the_unit(fund_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fund_environment / "sources"
    folder.mkdir()
    monkeypatch.setenv("FUND_SOURCES_DIR", str(folder))
    (folder / "desk.yml").write_text(
        "source_system: desk\ntitle: {zh: 柜台, en: Desk}\ndefaults: {format: csv, amount_unit: wan}\n"
        "feeds:\n  - family: treasury\n    pattern: 'd_*.csv'\n    constants: {event_type: interest.credited,"
        " region_code: '320100', fund_code: EMI, sub_fund: pooled, account: special_demand}\n"
        "    columns: {号: source_event_key, 日: occurred_on, 额: amount, 时@2019: counterparty}\n    ignore: [页]\n",
        "utf-8",
    )
    land("d_1.csv", "号,日,额,时@2019,页\nK1,2019-11-15,1.5,1,3\nK2,2019-11-16,0.25,2,4\n", "desk")
    said = {"额@2019-11-15": "1.5", "amount@2019-11": "17500.00", "时@2019": "3", "页": "7"}
    land("d_1.csv.manifest.json", json.dumps({"control_totals": said}), "desk")
    run()
    assert files()["d_1.csv"][:4] == ("loaded", None, 2, 2)
    assert select(
        "SELECT stated_as, canonical_column, stated_amount, in_log_amount FROM events.file_control_total ORDER BY 3"
    ) == [
        ("时@2019", "counterparty", Decimal("3.00"), None),
        ("页", None, Decimal("7.00"), None),
        ("额@2019-11-15", "amount", Decimal("15000.00"), Decimal("15000.00")),
        ("amount@2019-11", "amount", Decimal("17500.00"), Decimal("17500.00")),
    ]


@pytest.mark.parametrize("key", ["amount@2019", "amount@2019-13", "amount@2019-02-30", "sum@2019-11", "@2019-11"])
@pytest.mark.usefixtures("migrated_warehouse")
def test_a_key_that_is_no_column_and_no_day_rejects(key: str) -> None:
    land_with({key: "1"})
    run()
    assert files()["a.treasury.1.csv"][:2] == ("rejected", "E-FILE-MANIFEST")


@pytest.mark.usefixtures("migrated_warehouse")
def test_a_statement_may_name_the_one_it_takes_back() -> None:
    """Named or not yet known: a statement moves no money, and its order of arrival is no matter."""
    wrong = sound_row("balance.stated", source_event_key="S1", account="treasury", amount="9.00")
    right = wrong | {"source_event_key": "S2", "amount": "8.00", "original_event_key": "S1"}
    land_rows("a.treasury.1.csv", right | {"source_event_key": "S3", "original_event_key": "S0"}, wrong, right)
    run()
    assert files()["a.treasury.1.csv"][:4] == ("loaded", None, 3, 3)
    assert select("SELECT source_event_key, original_event_key FROM events.event ORDER BY 1") == [
        ("S1", None),
        ("S2", "S1"),
        ("S3", "S0"),
    ]
