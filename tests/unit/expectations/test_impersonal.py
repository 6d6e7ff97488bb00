"""Nothing that leads to one person is left of an item, under whatever column or inside whatever text it stands."""

from __future__ import annotations

from expectations.impersonal import impersonal


def test_both_numbers_of_a_person_enrolled_twice_are_hidden() -> None:
    item = {
        "item": "two_numbers/3201A/320100/3201B/2020-01-01",
        "person_no": "3201A",
        "other_person_no": "3201B",
        "other_region_code": "320100",
    }
    assert impersonal(item) == {"item": "two_numbers/…/320100/…/2020-01-01", "other_region_code": "320100"}


def test_lists_and_quoted_rows_are_searched_too() -> None:
    item = {
        "item": "S01/P7",
        "persons": ["P7", "P8"],
        "evidence": {"claim_no": "C1", "amount": "1.00"},
        "reason": 'held back: {"other_person_no": "P9", "amount": "1.00"} of P8 and C1',
    }
    assert impersonal(item) == {
        "item": "S01/…",
        "evidence": {"amount": "1.00"},
        "reason": 'held back: {"other_person_no": "…", "amount": "1.00"} of … and …',
    }
