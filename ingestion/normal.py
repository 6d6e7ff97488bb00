"""What is written otherwise than agreed, yet can mean one thing only: full-width characters, exponents, day numbers.

The text is read as if it had been written as agreed, and the rows are marked with a note. What is kept of a refused
row is what was sent.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from ingestion.contracts.columns import Column, Kind
from ingestion.profiles import ColumnMap
from ingestion.typed import DAY_NUMBER, EXCEL, decimals_of

HALF_WIDTH = "N-HALF-WIDTH"
EXPONENT = "N-EXPONENT"
DAY = "N-DAY-NUMBER"
_WIDE = "[\\x{3000}\\x{ff01}-\\x{ff5e}]"
HALF = {chr(0xFF01 + place): chr(0x21 + place) for place in range(94)} | {"\u3000": " "}
# Up to ten: from eleven on it is Excel that writes so, having cut the number to six digits.
_EXPONENT = r"\A[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?[eE][+-]?(?:0?[0-9]|10)\z"


def normal(texts: pl.Series, column: Column, said: ColumnMap) -> tuple[pl.Series, dict[str, pl.Series]]:
    """The texts of a source column as agreed for the canonical one, and by note code where they were not."""
    notes: dict[str, pl.Series] = {}
    if not column.is_free and _may_be_wide(texts):
        wide = texts.str.contains(_WIDE) & ~texts.is_in(list(said.values or {}))
        texts = texts.str.replace_many(HALF).zip_with(wide, texts)
        _note(notes, HALF_WIDTH, wide)
    if column.kind in (Kind.AMOUNT, Kind.INTEGER):
        decimals = decimals_of(said.form) if column.kind is Kind.AMOUNT else 0
        plain = {text: exact for text in _exponents(texts) if (exact := _plain(text, decimals)) is not None}
        _note(notes, EXPONENT, texts.is_in(list(plain)))
        texts = texts.replace(plain) if plain else texts
    if EXCEL in (said.form.date_formats if column.kind is Kind.DATE else ()):
        _note(notes, DAY, texts.str.contains(DAY_NUMBER))
    return texts, notes


def _may_be_wide(texts: pl.Series) -> bool:
    return bool((texts.str.len_bytes() != texts.str.len_chars()).any())


def _exponents(texts: pl.Series) -> list[str]:
    return texts.filter(texts.str.contains(_EXPONENT)).unique(maintain_order=True).to_list()


def _plain(text: str, decimals: int) -> str | None:
    """Without exponent; None where that takes more decimals than the column has."""
    value = Decimal(text)
    return f"{value:f}" if value == round(value, decimals) else None


def _note(notes: dict[str, pl.Series], code: str, rows: pl.Series) -> None:
    if rows.any():
        notes[code] = rows.fill_null(value=False)
