"""What single events must be: their content hash recomputed, and the marks of what was altered."""

from __future__ import annotations

from itertools import combinations

import polars as pl

from ingestion.canonical import (
    ADDED,
    DERIVABLE,
    all_columns,
    content_hash,
    derived_texts,
    event_hexes,
    hashed_columns,
    versions_of,
)
from ingestion.contracts import FAMILIES
from ingestion.contracts.columns import Kind as ColumnKind
from ingestion.verification.findings import Kind
from ingestion.verification.reading import KNOWN_FAMILIES, Events

_HEX = 64  # of a content hash; the rest of a proof is the line number
_LIST = r"^\{[a-z_]+(,[a-z_]+)*\}$"
_EXPLAINED_MAX = 200  # altered events a chunk that are looked at one by one


def examined(events: Events) -> pl.DataFrame:
    """By seq: `seq`, `batch_id`, `recorded_at`, `proof`, `recomputed` (the proof that it should be), `fault` (code of a
    Kind, or null) and `derived` (text below the derived hash, or null).
    """
    if events.family not in KNOWN_FAMILIES:
        return _of_no_family(events.frame)
    columns = all_columns(events.family)
    frame = events.frame.with_columns(_month(name) for name in _month_columns(events.family))
    content = event_hexes(_only_sent(frame, columns), events.family)
    strays = pl.coalesce("strays", _of_other_versions(events.family)).alias("strays")
    frame = frame.with_columns(content.alias("content"), _derived(frame).alias("derived"), strays)
    frame = frame.with_columns(_fault())
    if frame["fault"].null_count() < frame.height:
        frame = _explained(frame, events.family)
    line = pl.col("proof").str.slice(_HEX)
    return frame.select(
        "seq",
        "batch_id",
        "recorded_at",
        "proof",
        pl.concat_str("content", line).alias("recomputed"),
        "fault",
        "derived",
    )


def _of_no_family(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        "seq",
        "batch_id",
        "recorded_at",
        "proof",
        pl.col("proof").alias("recomputed"),
        pl.lit(Kind.FAMILY.code).alias("fault"),
        pl.lit(None, dtype=pl.String).alias("derived"),
    )


def _month_columns(family: str) -> list[str]:
    if family == "control":
        return ["accounting_month"]
    return [column.stored for column in FAMILIES[family].columns if column.kind is ColumnKind.MONTH]


def _month(name: str) -> pl.Expr:
    """A stored first day as its month; any other day stays, and is then no month."""
    day = pl.col(name)
    return pl.when(day.str.ends_with("-01")).then(day.str.head(-3)).otherwise(day).alias(name)


def _of_other_versions(family: str) -> pl.Expr:
    """Whether a row fills a column that its own version does not have; null when it does not."""
    filled = [
        (pl.col("schema_version") == str(version)) & pl.col(name).is_not_null()
        for version in versions_of(family)
        for name in all_columns(family)
        if name not in hashed_columns(family, version)
    ]
    return pl.when(pl.any_horizontal(pl.lit(value=False), *filled)).then(pl.lit("1"))


def _only_sent(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    """The hashed columns, those null that were computed at acceptance."""
    if frame["derived_columns"].null_count() == frame.height:
        return frame.select(columns)
    names = pl.col("derived_columns").str.strip_chars("{}").str.split(",")
    return frame.select(
        pl.when(names.list.contains(name)).then(None).otherwise(pl.col(name)).alias(name)
        if name in DERIVABLE
        else pl.col(name)
        for name in columns
    )


def _derived(frame: pl.DataFrame) -> pl.Series:
    if all(frame[name].null_count() == frame.height for name in ADDED):
        return pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in DERIVABLE if name not in frame.columns]
    names = pl.col("derived_columns").str.strip_chars("{}")
    return derived_texts(frame.with_columns(pl.col("seq").cast(pl.String), names, *absent))


def _fault() -> pl.Expr:
    listed = pl.col("derived_columns").is_null() | pl.col("derived_columns").str.contains(_LIST)
    same = pl.col("proof").str.head(_HEX).eq_missing(pl.col("content"))
    return (
        pl.when(pl.col("strays").is_not_null())
        .then(pl.lit(Kind.STRAY.code))
        .when(~listed)
        .then(pl.lit(Kind.DERIVED_COLUMNS.code))
        .when(~same)
        .then(pl.lit(Kind.CONTENT.code))
        .alias("fault")
    )


def _explained(frame: pl.DataFrame, family: str) -> pl.DataFrame:
    """Events whose content is right under another list of computed columns are told apart from those altered."""
    found = []
    altered = (frame["fault"] == Kind.CONTENT.code).fill_null(value=False).arg_true().head(_EXPLAINED_MAX)
    for index in altered:
        row = frame.row(index, named=True)
        if _fits_another_list(row, family):
            found.append(row["seq"])
    fault = pl.when(pl.col("seq").is_in(found)).then(pl.lit(Kind.DERIVED_COLUMNS.code)).otherwise("fault")
    return frame.with_columns(fault.alias("fault"))


def _fits_another_list(row: dict[str, str | None], family: str) -> bool:
    version = next((number for number in versions_of(family) if str(number) == row["schema_version"]), None)
    if version is None:
        return False
    columns = hashed_columns(family, version)
    computable = [name for name in columns if name in DERIVABLE]
    lists = [set(names) for size in range(len(computable) + 1) for names in combinations(computable, size)]
    stored = str(row["proof"])[:_HEX]
    return any(
        content_hash(None if name in names else row[name] for name in columns).hex() == stored for names in lists
    )
