"""Amounts in bulk are what exact arithmetic on each text gives."""

from __future__ import annotations

import re
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import manifest, typed
from ingestion.profiles import Feed
from ingestion.readers import Chunk

PATTERNS = {"yuan": r"-?[0-9]+(\.[0-9]{1,2})?", "fen": r"-?[0-9]+(\.0{1,2})?", "wan": r"-?[0-9]+(\.[0-9]{1,6})?"}
CENTS = {"yuan": 100, "fen": 1, "wan": 1_000_000}
DIGITS = st.text("0123456789", max_size=40)
NUMBERS = st.builds("{}{}{}{}".format, st.sampled_from(["", "-", "+"]), DIGITS, st.sampled_from(["", ".", ","]), DIGITS)
TEXTS = st.one_of(
    NUMBERS, st.text("0123456789.-e+,， １", max_size=8), st.from_regex(r"-?0*[0-9]{1,16}(\.[0-9]{0,7})?")
)


def cents_of(text: str, unit: str) -> int | None:
    if not re.fullmatch(PATTERNS[unit], text, re.ASCII):
        return None
    value = int(Decimal(text) * CENTS[unit])
    return value if abs(value) < 10**15 else None


@pytest.mark.parametrize("unit", CENTS)
@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(TEXTS, min_size=1, max_size=20))
def test_cents_are_exact(unit: str, texts: list[str]) -> None:
    read = pl.DataFrame({"x": texts}).select(typed.cents(pl.col("x"), typed.Form(unit)))
    assert read["x"].to_list() == [cents_of(text, unit) for text in texts]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.none(), TEXTS), max_size=20))
def test_control_totals_are_exact(texts: list[str | None]) -> None:
    plain = [text.replace(",", "").replace("，", "") for text in texts if text]
    numbers = [Decimal(text) for text in plain if re.fullmatch(r"-?[0-9]{1,30}(\.[0-9]{1,10})?", text, re.ASCII)]
    said = manifest.Manifest(control_totals={"sum": sum(numbers, Decimal(0))})
    tally = manifest.Tally(said, Feed("treasury", (), ignore=frozenset({"sum"})))
    tally.add(Chunk(pl.DataFrame({"sum": texts}, schema={"sum": pl.String}), list(range(len(texts)))))
    tally.check("")
