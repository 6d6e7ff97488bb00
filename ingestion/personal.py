"""Identity numbers in columns that are not for them: the rows are refused, and their keys masked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import polars as pl

from ingestion.contracts.columns import Column, Kind, Rule
from ingestion.masking import holds_number, mask_found, suspects

_TAKEN_AS_THEY_ARE = (Kind.TEXT, Kind.CREDIT_CODE)  # all other kinds refuse a text of that length by themselves
_MARK = "|personal"
_KEY = "source_event_key"


def findings(frame: pl.DataFrame, columns: Iterable[Column], today: date) -> list[pl.Series]:
    """`<name>|personal` for each column in which a row holds somebody's identity number.

    Persons are as old as they were on the row's own date: a business number made of region, date and serial may have
    the form of an identity number, but nobody of age was born on its date.
    """
    found = []
    for column in columns:
        if column.kind in _TAKEN_AS_THEY_ARE:
            texts, days = frame[f"{column.name}|text"], frame["occurred_on"].fill_null(today)
            rows = [row for row in suspects(texts, today) if holds_number(texts[row], days[row])]
            if rows:
                flags = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True).scatter(rows, True)
                found.append(flags.alias(f"{column.name}{_MARK}"))
    return found


def rules(columns: Iterable[Column], present: list[str]) -> Iterator[Rule]:
    """`E-VALUE-PERSONAL` for the columns in which something was found."""
    for column in columns:
        if f"{column.name}{_MARK}" in present:
            yield Rule("E-VALUE-PERSONAL", (column.name,), pl.col(f"{column.name}{_MARK}"))


def masked_key(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the keys that hold identity numbers masked: their rows are refused, and shown by their keys."""
    if f"{_KEY}{_MARK}" not in frame.columns:
        return frame
    rows = frame[f"{_KEY}{_MARK}"].arg_true()
    keys = frame[_KEY]
    masked = [keys[row] and mask_found(keys[row], frame["occurred_on"][row] or date.max) for row in rows]
    return frame.with_columns(keys.clone().scatter(rows, masked))
