"""From source columns to canonical text columns, and what is shown of a row when it is refused."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from ingestion.contracts import FAMILIES
from ingestion.contracts.columns import Kind
from ingestion.masking import mask_cut, mask_field, mask_series
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
    fields = [mask_field(pl.col(name)).alias(name) if name in hidden else _cut(frame[name]) for name in shown]
    return mask_series(frame.select(pl.struct(fields).struct.json_encode().alias("raw"))["raw"])


def _certificate_sources(feed: Feed) -> frozenset[str]:
    hidden = {column.name for column in FAMILIES[feed.family].columns if column.kind is Kind.CERTIFICATE}
    return frozenset(column.source for column in feed.columns if column.to in hidden)


def _cut(text: pl.Series) -> pl.Series:
    long = text.str.len_chars() > RAW_FIELD_LENGTH_MAX
    if not long.any():
        return text
    return text.clone().scatter(long.arg_true(), [mask_cut(field, RAW_FIELD_LENGTH_MAX) for field in text.filter(long)])
