"""What a file of corrections tells beyond its rows: which entry each one answers, and which cells are not filled in."""

from __future__ import annotations

import polars as pl

from ingestion.corrections import NUMBER
from ingestion.mapping import RAW_FIELD_LENGTH_MAX
from ingestion.masking import IS_MASKED
from ingestion.profiles import Feed
from ingestion.quarantine import Answer
from ingestion.readers import Chunk
from ingestion.validation import Examined

_NUMBER = r"^[1-9][0-9]{0,17}$"


def answers(chunk: Chunk, examined: Examined, feed: Feed) -> list[Answer]:
    """The numbers that rows brought back; rows that still hold masked or cut-off text get one more reason."""
    for row, columns in _unfilled(chunk.frame, feed).items():
        examined.reasons[row] = [("E-VALUE-MASKED", tuple(columns)), *examined.reasons.get(row, [])]
    if NUMBER not in chunk.frame.columns:
        return []
    rows = examined.frame.select("region_code", "source_event_key").with_columns(
        pl.Series("line_no", chunk.line_nos, dtype=pl.Int32), chunk.frame[NUMBER].alias("number")
    )
    rows = rows.filter(pl.col("number").str.contains(_NUMBER))
    family, number = pl.lit(feed.family).alias("family"), pl.col("number").cast(pl.Int64)
    return rows.select("line_no", number, family, "region_code", "source_event_key").rows()


def _unfilled(frame: pl.DataFrame, feed: Feed) -> dict[int, list[str]]:
    """Row -> columns whose text is what the export wrote in place of the sender's own."""
    found: dict[int, list[str]] = {}
    for column in feed.columns:
        if column.source in frame.columns:
            text = pl.col(column.source)
            is_unfilled = text.str.contains(IS_MASKED) | (text.str.len_chars() >= RAW_FIELD_LENGTH_MAX)
            for row in frame.select(is_unfilled.fill_null(value=False)).to_series().arg_true():
                found.setdefault(row, []).append(column.source)
    return found
