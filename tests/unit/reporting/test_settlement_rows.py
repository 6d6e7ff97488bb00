"""Rows of the settlement page as it groups them."""

from __future__ import annotations

from datetime import date

from reporting.settlement import SettlementOf

JANUARY, FEBRUARY = date(2020, 1, 1), date(2020, 2, 1)


def test_every_old_platform_stands_with_its_own_months() -> None:
    rows = [
        {"source_system": "clinic", "title_zh": "门诊平台", "month": JANUARY},
        {"source_system": "hospital", "title_zh": "住院平台", "month": JANUARY},
        {"source_system": "hospital", "title_zh": "住院平台", "month": FEBRUARY},
    ]
    found = SettlementOf("320100", platform=rows).platforms
    assert [(platform["title_zh"], [row["month"] for row in months]) for platform, months in found] == [
        ("门诊平台", [JANUARY]),
        ("住院平台", [JANUARY, FEBRUARY]),
    ]


def test_a_region_without_a_platform_of_its_own_has_no_months() -> None:
    merged = {"source_system": None, "title_zh": None, "month": None}
    assert SettlementOf("320100", platform=[merged]).platforms == [(merged, [])]
    assert SettlementOf("320100").platforms == []
