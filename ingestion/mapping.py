"""From source columns to canonical text columns, and what is shown of a row when it is refused."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from ingestion.contracts import FAMILIES
from ingestion.contracts.columns import Kind
from ingestion.identity import CERTIFICATE_IN_TEXT, MASK_ROUNDS, MASKED_IN_TEXT
from ingestion.normal import normal
from ingestion.profiles import ColumnMap, Feed

RAW_FIELD_LENGTH_MAX = 4_000


def canonical_texts(frame: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """`<name>|text` and `<name>|given` for every canonical column, `<name>|unmapped` for those with a value map.

    `given` is true also where the text has no counterpart in the value map: the sender did fill the field.
    `<source column>|N-…` where rows have a note: their texts were normalised.
    """
    maps = {column.to: column for column in feed.columns if column.source in frame.columns}
    frame, notes = _normal(frame, feed, maps.values())
    expressions: list[pl.Expr] = []
    for name in FAMILIES[feed.family].allowed_names:
        if name in maps:
            expressions += _mapped(maps[name])
        else:
            constant = feed.constants.get(name)
            expressions += [
                pl.lit(constant, dtype=pl.String).alias(f"{name}|text"),
                pl.lit(constant is not None).alias(f"{name}|given"),
            ]
    # The row number carries the height, so that constants become columns even when no mapped column is present.
    return frame.with_row_index("|row").select("|row", *expressions, *notes).drop("|row")


def _normal(frame: pl.DataFrame, feed: Feed, maps: Iterable[ColumnMap]) -> tuple[pl.DataFrame, list[pl.Series]]:
    """The frame with normalised texts, and the notes on them."""
    family = FAMILIES[feed.family]
    changed: list[pl.Series] = []
    found: list[pl.Series] = []
    for said in maps:
        texts, notes = normal(frame[said.source], family.column(said.to), said)
        changed.append(texts)
        found += [rows.alias(f"{said.source}|{code}") for code, rows in notes.items()]
    return frame.with_columns(changed), found


def _mapped(column: ColumnMap) -> list[pl.Expr]:
    source = pl.col(column.source)
    given = source.is_not_null().alias(f"{column.to}|given")
    if column.values is None:
        return [source.alias(f"{column.to}|text"), given]
    text = source.replace_strict(dict(column.values), default=None, return_dtype=pl.String)
    return [
        text.alias(f"{column.to}|text"),
        given,
        (source.is_not_null() & text.is_null()).alias(f"{column.to}|unmapped"),
    ]


def raw_texts(frame: pl.DataFrame, feed: Feed) -> pl.Series:
    """Each row as JSON of its source columns: without ignored ones, identity numbers masked, long fields cut."""
    shown = [name for name in frame.columns if name not in feed.ignore]
    if not shown or not frame.height:
        return pl.Series("raw", ["{}"] * frame.height, dtype=pl.String)
    hidden = _certificate_sources(feed)
    fields = [(_masked(pl.col(name)) if name in hidden else _cut(pl.col(name))).alias(name) for name in shown]
    encoded = frame.select(pl.struct(fields).struct.json_encode().alias("raw"))["raw"]
    for _ in range(MASK_ROUNDS):
        encoded = encoded.str.replace_all(CERTIFICATE_IN_TEXT, MASKED_IN_TEXT)
    return encoded


def _certificate_sources(feed: Feed) -> frozenset[str]:
    hidden = {column.name for column in FAMILIES[feed.family].columns if column.kind is Kind.CERTIFICATE}
    return frozenset(column.source for column in feed.columns if column.to in hidden)


def _masked(text: pl.Expr) -> pl.Expr:
    """320***********1234; what is too short for that is hidden entirely."""
    long_enough = text.str.len_chars() >= 15
    shown = pl.concat_str(text.str.slice(0, 3), pl.lit("***********"), text.str.slice(-4))
    return pl.when(text.is_not_null()).then(pl.when(long_enough).then(shown).otherwise(pl.lit("***")))


def _cut(text: pl.Expr) -> pl.Expr:
    return text.str.slice(0, RAW_FIELD_LENGTH_MAX)
