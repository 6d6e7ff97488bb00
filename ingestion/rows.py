"""Rows that hold by themselves, as canonical texts with their hashes: what the appender takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from ingestion import typed
from ingestion.canonical import event_hexes
from ingestion.contracts import treasury
from ingestion.contracts.columns import FIRST_VERSION, SHARED, Column, Family, Kind
from ingestion.references import CLAIM_PARTS, CONTRIBUTION_PARTS, ORIGINALS
from ingestion.validation import Examined

# What an event posts: (event types, amounts). The other types of a family post nothing.
_POSTED: Mapping[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = {
    "contribution": ((("contribution.collected", "contribution.refunded"), CONTRIBUTION_PARTS),),
    "claim": (
        (("claim.paid", "claim.reversed", "claim.recovered", "advance.offset"), CLAIM_PARTS),
        (("advance.paid", "advance.returned"), ("pooled_amount",)),
    ),
    "treasury": ((tuple(name for name in treasury.ALL if name not in ("balance.stated", "fund.merged")), ("amount",)),),
}


@dataclass(frozen=True)
class Part:
    """Rows of one source system and family, in line order.

    `frame`: the columns of `events.event` that they fill, as text (`content_hash` in hex), and `stateful`;
    `shown`: the same for some of them, with `raw` and `posting_amount`, which only rows that are refused need;
    `distinct`: whether no key is known to come twice.
    """

    frame: pl.DataFrame
    shown: Callable[[pl.DataFrame], pl.DataFrame]
    distinct: bool = False


def part(
    examined: Examined,
    family: Family,
    source_system: str,
    raw: Callable[[list[int]], pl.Series],
    line_nos: list[int],
) -> Part:
    """The rows of a chunk without reasons; `raw` gives the source's own texts of rows by their number in the chunk."""
    frame = examined.frame.with_columns(pl.Series("line_no", line_nos, dtype=pl.Int32)).with_row_index("row")
    if examined.reasons:
        frame = frame.filter(~pl.col("row").is_in(list(examined.reasons)))

    # Kept instead of all that the rows were examined by, which is several times as large as the rows themselves.
    amounts = examined.frame.select(typed.amount_text(posting_amount(family)).alias("posting_amount")).to_series()

    def shown(rows: pl.DataFrame) -> pl.DataFrame:
        places = rows["row"].to_list()
        return rows.with_columns(raw(places).alias("raw"), amounts[places])

    canonical = _canonical(frame, family, source_system)
    return Part(canonical, shown, canonical.select("region_code", "source_event_key").n_unique() == canonical.height)


def _canonical(frame: pl.DataFrame, family: Family, source_system: str) -> pl.DataFrame:
    texts = frame.select(
        "row",
        "line_no",
        pl.lit(family.name).alias("family"),
        pl.lit(source_system).alias("source_system"),
        *(_text(column).alias(column.stored) for column in (*SHARED, *family.columns)),
        _stateful(family).alias("stateful"),
    )
    texts = texts.with_columns(event_hexes(texts, family.name).alias("content_hash"))
    months = [column.stored for column in family.columns if column.kind is Kind.MONTH]
    texts = texts.with_columns(pl.concat_str(pl.col(name), pl.lit("-01")) for name in months)
    return _with_certificate_facts(texts, frame) if "pseudonym_key_id" in frame.columns else texts


def posting_amount(family: Family) -> pl.Expr:
    """Cents that a row would post; null where one of its amounts is unreadable or its type unknown."""
    event_type = pl.col("event_type")
    cases = [pl.when(event_type.is_in(types)).then(_strict_sum(names)) for types, names in _POSTED.get(family.name, ())]
    other = pl.when(event_type.is_in(family.event_types)).then(0)
    return pl.coalesce(*cases, pl.when(~_is_posted(family)).then(other)).cast(pl.Int64)


def _is_posted(family: Family) -> pl.Expr:
    types = [name for names, _ in _POSTED.get(family.name, ()) for name in names]
    return pl.col("event_type").is_in(types)


def _strict_sum(names: tuple[str, ...]) -> pl.Expr:
    """Sum of amounts where an empty one counts as zero and an unreadable one makes it null."""
    amounts = [pl.when(pl.col(f"{name}|given")).then(pl.col(name)).otherwise(0) for name in names]
    return pl.sum_horizontal(amounts, ignore_nulls=False)


def _text(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    if column.name == "schema_version":
        return value.fill_null(FIRST_VERSION).cast(pl.String)
    match column.kind:
        case Kind.AMOUNT:
            return typed.amount_text(value)
        case Kind.DATE:
            return value.dt.to_string("%Y-%m-%d")
        case Kind.MONTH:
            return value.dt.to_string("%Y-%m")
        case Kind.INTEGER:
            return value.cast(pl.String)
    return value


def _stateful(family: Family) -> pl.Expr:
    """Rows whose acceptance depends on other rows: those that take from an original, and the merger."""
    event_type = pl.col("event_type")
    refers = event_type.is_in([name for name in ORIGINALS if name != "contribution.collected"])
    if family.name == "contribution":
        refers |= (event_type == "contribution.collected") & (pl.col("deposit_account") == "temporary_receipt")
    stateful = (event_type == "fund.merged") | (refers & pl.col("original_event_key").is_not_null())
    return stateful.fill_null(value=False)


def _with_certificate_facts(texts: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """Birth date and sex from the certificate where the source left them out. The hash has been taken before."""
    facts = frame.select(
        "pseudonym_key_id",
        *(name for name in frame.columns if name == "retired_pseudonyms"),
        pl.col("certificate_no|birth_date").dt.to_string("%Y-%m-%d").alias("told_birth_date"),
        pl.col("certificate_no|sex").alias("told_sex"),
    )
    texts = texts.hstack(facts)
    derived = [
        pl.when(pl.col(name).is_null() & pl.col(f"told_{name}").is_not_null()).then(pl.lit(name))
        for name in ("birth_date", "sex")
    ]
    names = pl.concat_str(*derived, separator=",", ignore_nulls=True)
    return texts.with_columns(
        pl.when(names != "").then(pl.concat_str(pl.lit("{"), names, pl.lit("}"))).alias("derived_columns"),
        pl.coalesce("birth_date", "told_birth_date").alias("birth_date"),
        pl.coalesce("sex", "told_sex").alias("sex"),
    ).drop("told_birth_date", "told_sex")
