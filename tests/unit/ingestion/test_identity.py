"""Check digits of GB 11643 and GB 32100 by published examples, and pseudonyms."""

from __future__ import annotations

from datetime import date
from random import Random

import polars as pl
import pytest

from ingestion.identity import certificate_columns, is_credit_code, key_id, pseudonym, read_certificate
from ingestion.rotation import Keyring

TODAY = date(2026, 11, 25)
PUBLISHED = [
    # annex A of GB 11643-1999
    ("11010519491231002X", date(1949, 12, 31), "F"),
    ("440524188001010014", date(1880, 1, 1), "M"),
    # residents from Hong Kong and Taiwan
    ("810000199408230021", date(1994, 8, 23), "F"),
    ("830000199201300022", date(1992, 1, 30), "F"),
    # the two specimens of the permanent residence card for foreigners, form of 2023
    ("932682198501010017", date(1985, 1, 1), "M"),
    ("911124198108030024", date(1981, 8, 3), "F"),
    # other ways of writing
    ("11010519491231002x", date(1949, 12, 31), "F"),
    ("１１０１０５１９４９１２３１００２Ｘ", date(1949, 12, 31), "F"),
]
NOT_A_NUMBER = [
    "",
    "110105194912310021",  # check digit
    "110105194913310027",  # month
    "110105194902300023",  # day
    "110105170012310027",  # century
    "010105194912310024",  # place
    "110105194912310O2X",
    "11010519491231002X ",
    "110105-19491231-002X",
    "1101051949123102X",
    "1110105194912310021",
    "110105491231002",  # fifteen digits, of before 1999
    "١١٠١٠٥١٩٤٩١٢٣١٠٠٢X",  # digits of another script
]


def _check_character(body: str) -> str:
    """ISO 7064 MOD 11-2 in the way the standard words it: doubling and adding from left to right."""
    remainder = 0
    for digit in body:
        remainder = (remainder + int(digit)) * 2 % 11
    return "0123456789X"[(12 - remainder) % 11]


@pytest.mark.parametrize(("text", "born", "sex"), PUBLISHED)
def test_published_numbers(text: str, born: date, sex: str) -> None:
    found = read_certificate(text, TODAY)
    assert found is not None
    assert (found.birth_date, found.sex) == (born, sex)
    assert found.number.isascii()
    assert found.number == found.number.upper()


@pytest.mark.parametrize("text", NOT_A_NUMBER)
def test_what_is_no_identity_number(text: str) -> None:
    assert read_certificate(text, TODAY) is None


def test_nobody_is_born_after_today() -> None:
    body = "32010020261126001"
    number = body + _check_character(body)
    assert read_certificate(number, date(2026, 11, 25)) is None
    assert read_certificate(number, date(2026, 11, 26)) is not None


def test_of_eleven_check_characters_exactly_one_is_right() -> None:
    random = Random(5)
    for _ in range(300):
        body = f"{random.choice('12345689')}{random.randint(0, 99999):05d}{random.randint(1900, 2020)}0615"
        body += f"{random.randint(0, 999):03d}"
        right = [last for last in "0123456789X" if read_certificate(body + last)]
        assert right == [_check_character(body)]


def test_a_whole_column_is_read_like_its_single_texts() -> None:
    random = Random(7)
    texts: list[str | None] = [None, *[text for text, _, _ in PUBLISHED], *NOT_A_NUMBER, "32010020261126001X"]
    for _ in range(5_000):
        born = f"{random.randint(1790, 2099)}{random.randint(1, 13):02d}{random.randint(1, 31):02d}"
        texts.append(f"3201{random.randint(0, 99):02d}{born}{random.randint(0, 9999):04d}")
    read = certificate_columns(pl.Series(texts, dtype=pl.String), TODAY)
    expected = [None if text is None else read_certificate(text, TODAY) for text in texts]
    assert sum(found is not None for found in expected) > 50
    assert read["number"].to_list() == [found and found.number for found in expected]
    assert read["birth_date"].to_list() == [found and found.birth_date for found in expected]
    assert read["sex"].to_list() == [found and found.sex for found in expected]


@pytest.mark.parametrize(
    ("code", "valid"),
    [
        ("91350100M000100Y43", True),  # annex of GB 32100-2015
        ("91110000600037341L", True),
        ("91440300708461136T", True),
        ("91350100M000100Y44", False),
        ("91350100M000100I43", False),
        ("91350100M000100Y4", False),
        ("91350100m000100Y43", False),
        ("９1350100M000100Y43", False),
    ],
)
def test_published_credit_codes(code: str, valid: bool) -> None:
    assert is_credit_code(code) is valid


def test_a_pseudonym_is_an_hmac_of_number_and_key() -> None:
    # RFC 4231, test case 2
    assert pseudonym("what do ya want for nothing?", "Jefe").startswith("5bdcc146bf60754e6a042426089575c75a003f08")
    one = pseudonym("11010519491231002X", "k")
    assert len({one, pseudonym("11010519491231002X", "l"), pseudonym("440524188001010014", "k")}) == 3


def test_a_keyring_names_its_keys_and_gives_none_away() -> None:
    keys = Keyring("new", ("old", "older", "new"))
    numbers = pl.Series(["11010519491231002X", None])
    assert keys.key_ids(numbers).to_list() == [key_id("new"), None]
    assert keys.pseudonyms(numbers).to_list() == [pseudonym("11010519491231002X", "new"), None]
    told = keys.retired_pseudonyms(numbers).str.json_decode(pl.Struct({key_id("old"): pl.String})).to_list()
    assert told == [{key_id("old"): pseudonym("11010519491231002X", "old")}, None]
    assert keys.retired_pseudonyms(numbers)[0].count(":") == 2
    assert key_id("new") != key_id("old")
