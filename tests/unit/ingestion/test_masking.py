"""Identity numbers inside other texts: what is masked, what refuses a row, what is left alone."""

from __future__ import annotations

import re
from datetime import date
from random import Random

import polars as pl
import pytest

from ingestion.masking import (
    IS_MASKED,
    holds_number,
    mask_cut,
    mask_field,
    mask_found,
    mask_in_text,
    mask_series,
    suspects,
)

NUMBER = "11010519491231002X"
BORN_2005 = "320100200501150012"
DAY = date(2026, 11, 25)
MASKED = [
    (f"a{NUMBER},", "a110***********002X,"),
    (f"{NUMBER},{NUMBER}", "110***********002X,110***********002X"),
    (f"{NUMBER}{NUMBER}", "110***********002X110***********002X"),
    ("11010519491231002x", "110***********002x"),
    ("110105194912310021", "110***********0021"),  # wrong check digit
    ("1101051949123102X", "110***********02X"),  # a digit too few
    ("11010519491231002", "110***********002"),
    ("1101019491231002X", "110***********002X"),
    ("11010519491231002XX", "110***********002XX"),
    ("1110105194912310021", "111***********0021"),  # a digit too many
    ("1101051949123100211", "110***********00211"),
    ("１１０１０５１９４９１２３１００２Ｘ", "１１０***********００２Ｘ"),
    ("110105 19491231 002X", "110***********002X"),
    ("110105-1949-12-31-002X", "110***********002X"),
    ("1101 0519 4912 3100 2X", "110***********00 2X"),
    ("1101 0519 4912 3100 2X", "110***********00 2X"),
    ("0001" + NUMBER + "20191115", "000111***********002X20191115"),
    ("110105491231002", "110***********002"),  # fifteen digits
    ("110105491231002 110105491231003", "110***********002 110***********003"),
    ("1１0105491231002", "1１0***********002"),
    ('{"证件号码": "11010519491231002X"}', '{"证件号码": "110***********002X"}'),
]
LEFT = [
    "",
    "201911150000000001",
    "91350100M000100Y43",
    "320100000000123",
    "2019-11-15, 2019-11-16, 2019-12-31",
    "6222021001116245702",
    "1234567890123456789012345678901234567890",
    "110105\n19491231\n002X",
    '"110105","19491231","002X"',
    "1101054912310021",  # sixteen digits
]


@pytest.mark.parametrize(("text", "masked"), MASKED)
def test_what_looks_like_an_identity_number_is_masked(text: str, masked: str) -> None:
    assert mask_in_text(text) == masked
    assert re.search(IS_MASKED, masked)
    assert not re.search(IS_MASKED, text)


@pytest.mark.parametrize("text", LEFT)
def test_other_text_is_left(text: str) -> None:
    assert mask_in_text(text) == text


def test_a_column_is_masked_like_its_single_texts() -> None:
    random = Random(3)
    texts: list[str | None] = [None, *[text for text, _ in MASKED], *LEFT]
    texts += ["".join(random.choices("0129１X- ", weights=[9, 9, 3, 9, 1, 1, 1, 1], k=60)) for _ in range(3_000)]
    series = pl.Series(texts, dtype=pl.String)
    masked = mask_series(series).to_list()
    assert masked == [None if text is None else mask_in_text(text) for text in texts]
    assert series.to_list() == texts
    assert sum(one != other for one, other in zip(masked, texts, strict=True)) > 100


@pytest.mark.parametrize("before", range(1, 30))
def test_a_number_at_the_cut_is_masked(before: int) -> None:
    assert NUMBER[:12] not in mask_cut("·" * (100 - before) + NUMBER + "·" * 100, 100)
    assert len(mask_cut("·" * (100 - before) + NUMBER + "·" * 100, 100)) == 100


def test_a_field_for_identity_numbers_shows_nothing_else() -> None:
    shown = {
        NUMBER: "110***********002X",
        "110105194913310021": "110***********0021",
        "110105491231002": "110***********1002",
        "张三 11010519491231002X": "***",
        "110105 19491231 002X": "***",
        "P1": "***",
    }
    fields = pl.DataFrame({"text": [*shown, None]}).select(mask_field(pl.col("text")))["text"]
    assert fields.to_list() == [*shown.values(), None]
    assert fields.str.contains(IS_MASKED).to_list() == [True] * len(shown) + [None]


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        NUMBER.lower(),
        "P" + NUMBER,
        f"张三（{NUMBER}）",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105 19491231 002X",
        "110105-1949-12-31-002X",
        "1101 0519 4912 3100 2X",
        "320100" + NUMBER,
        NUMBER + "20191115",
        "911124198108030024",
        "830000199201300022",
        "12 320100199001010018 34",
        BORN_2005,
    ],
)
def test_a_persons_number_is_found_wherever_it_stands(text: str) -> None:
    assert holds_number(text, DAY)
    assert suspects(pl.Series([text]), DAY).to_list() == [0]
    assert not holds_number(mask_found(text, DAY), DAY)


@pytest.mark.parametrize(
    "text",
    [
        "320100201912010001",
        "110105194912310021",
        "110105491231002",
        "990105194912310024",
        "91350100M000100Y43",
        "000" + BORN_2005 + "000",
        "P1",
        "",
    ],
)
def test_a_business_number_is_not_taken_for_a_persons(text: str) -> None:
    assert not holds_number(text, DAY)
    assert mask_found(text, DAY) == text


def test_of_a_days_business_numbers_none_is_taken_for_a_persons() -> None:
    day = date(2009, 12, 1)
    assert not any(holds_number(f"32010020091201{serial:04d}", day) for serial in range(10_000))
    assert any(holds_number(f"32010020091201{serial:04d}", DAY) for serial in range(10_000))


def test_age_counts_in_full_years() -> None:
    assert not holds_number(BORN_2005, date(2020, 1, 14))
    assert holds_number(BORN_2005, date(2020, 1, 15))


def test_nothing_that_is_found_is_no_suspect() -> None:
    random = Random(9)
    texts = []
    for _ in range(20_000):
        body = f"{random.choice(['320100', '110105', '911124'])}{random.randint(1890, 2030)}"
        body += f"{random.randint(1, 12):02d}{random.randint(1, 28):02d}{random.randint(0, 9999):04d}"
        gaps = random.sample(range(18), random.randint(0, 4))
        wide = str.maketrans({digit: chr(ord(digit) + 0xFEE0) for digit in random.sample("0123456789", 3)})
        spelt = (digit + "- "[place % 2] * (place in gaps) for place, digit in enumerate(body))
        texts.append("".join(spelt).translate(wide if random.random() < 0.3 else {}))
    suspected = set(suspects(pl.Series(texts), DAY))
    found = {place for place, text in enumerate(texts) if holds_number(text, DAY)}
    assert found
    assert found <= suspected
