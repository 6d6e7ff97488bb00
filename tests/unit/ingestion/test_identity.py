"""Check digits of GB 11643 and GB 32100 by published examples, pseudonyms and masks."""

from __future__ import annotations

from datetime import date

import pytest

from ingestion.identity import is_credit_code, mask_in_text, pseudonym, read_certificate


def test_the_example_of_gb_11643() -> None:
    found = read_certificate("11010519491231002x")
    assert found is not None
    assert (found.number, found.birth_date, found.sex) == ("11010519491231002X", date(1949, 12, 31), "F")
    male = read_certificate("440524188001010014")
    assert male is not None
    assert male.sex == "M"


@pytest.mark.parametrize(
    "text",
    ["", "110105194912310021", "11010519491331002X", "110105194912310O2X", "110105491231002", "11010519491231002X ",
     "１１０１０５19491231002X"],
)  # fmt: skip
def test_what_is_no_identity_number(text: str) -> None:
    assert read_certificate(text) is None


@pytest.mark.parametrize(
    ("code", "valid"),
    [
        ("91350100M000100Y43", True),
        ("91350100M000100Y44", False),
        ("91350100M000100I43", False),
        ("91350100M000100Y4", False),
        ("91350100m000100Y43", False),
    ],
)
def test_the_example_of_gb_32100(code: str, valid: bool) -> None:
    assert is_credit_code(code) is valid


def test_a_pseudonym_depends_on_number_and_key() -> None:
    one = pseudonym("11010519491231002X", "k")
    assert one == pseudonym("11010519491231002X", "k")
    assert len({one, pseudonym("11010519491231002X", "l"), pseudonym("440524188001010014", "k")}) == 3


def test_numbers_inside_text_are_masked_and_others_left() -> None:
    assert mask_in_text("a11010519491231002X,") == "a110***********002X,"
    assert mask_in_text("11010519491231002X,11010519491231002X") == "110***********002X,110***********002X"
    assert mask_in_text("1110105194912310021 201911150000000001") == "1110105194912310021 201911150000000001"
