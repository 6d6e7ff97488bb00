"""Temporary tables of one file's transaction, and how rows get into them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from ingestion import typed
from ingestion.canonical import content_hashes, hashed_columns
from ingestion.contracts import treasury
from ingestion.contracts.columns import SHARED, Column, Family, Kind
from ingestion.references import ORIGINALS
from ingestion.validation import Examined

_SET_UP = """
CREATE TEMP TABLE incoming ON COMMIT DROP AS
    SELECT e.*, NULL::text AS raw, NULL::numeric(18, 2) AS posting_amount, NULL::boolean AS stateful,
           NULL::jsonb AS retired_pseudonyms
    FROM events.event AS e WITH NO DATA;
ALTER TABLE incoming DROP COLUMN seq, DROP COLUMN recorded_at, DROP COLUMN batch_id, DROP COLUMN original_seq;
CREATE TEMP TABLE refused (
    line_no integer, region_code text, source_event_key text, error_codes text[], messages text[],
    raw text, canonical jsonb, posting_amount numeric(18, 2)
) ON COMMIT DROP;
CREATE TEMP TABLE verdict (line_no integer, error_codes text[], messages text[]) ON COMMIT DROP;
"""
# Moves rows from `incoming` to `refused`. Only rows that wait keep their canonical columns.
_REFUSE = """
WITH gone AS (
    DELETE FROM incoming AS i USING verdict AS v WHERE v.line_no = i.line_no
    RETURNING i.*, v.error_codes, v.messages
)
INSERT INTO refused
SELECT g.line_no, g.region_code, g.source_event_key, g.error_codes, g.messages, g.raw,
       CASE WHEN (SELECT bool_and(c LIKE 'E-REF-%') FROM unnest(g.error_codes) AS c)
            THEN jsonb_strip_nulls(to_jsonb(g)) - ARRAY['raw', 'error_codes', 'messages'] END,
       g.posting_amount
FROM gone AS g
"""

# What an event posts: (event types, amounts). The other types of a family post nothing.
_CLAIM_PARTS = ("pooled_amount", "personal_account_amount")
_POSTED: Mapping[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = {
    "contribution": (
        (("contribution.collected", "contribution.refunded"), ("employer_amount", "personal_amount", "late_fee")),
    ),
    "claim": (
        (("claim.paid", "claim.reversed", "claim.recovered", "advance.offset"), _CLAIM_PARTS),
        (("advance.paid", "advance.returned"), ("pooled_amount",)),
    ),
    "treasury": ((tuple(name for name in treasury.ALL if name not in ("balance.stated", "fund.merged")), ("amount",)),),
}


@dataclass(frozen=True)
class Refusal:
    """A row that goes to quarantine before it could become typed."""

    line_no: int
    region_code: str | None
    source_event_key: str | None
    error_codes: list[str]
    messages: list[str]
    raw: str | None
    posting_amount: Decimal | None


def create_tables(cursor: Cursor) -> None:
    """Make the transaction's temporary tables."""
    cursor.execute(_SET_UP)


def copy_accepted(cursor: Cursor, frame: pl.DataFrame) -> None:
    """COPY a frame of texts into `incoming`; an empty field is null."""
    if frame.height:
        columns = ", ".join(frame.columns)
        data = io.BytesIO()
        frame.write_csv(data, include_header=False)
        data.seek(0)
        cursor.copy_expert(f"COPY incoming ({columns}) FROM STDIN (FORMAT csv)", data)


def add_refusals(cursor: Cursor, refusals: Iterable[Refusal]) -> None:
    """Put rows that failed their own rules into `refused`."""
    rows = [
        (r.line_no, r.region_code, r.source_event_key, r.error_codes, r.messages, r.raw, r.posting_amount)
        for r in refusals
    ]
    execute_values(
        cursor,
        "INSERT INTO refused (line_no, region_code, source_event_key, error_codes, messages, raw, posting_amount)"
        " VALUES %s",
        rows,
        template="(%s, %s, %s, %s::text[], %s::text[], %s, %s)",
        page_size=500,
    )


def refuse(cursor: Cursor, verdicts: Sequence[tuple[int, list[str], list[str]]]) -> None:
    """Move rows (line, codes, messages) that failed against the log from `incoming` to `refused`."""
    if verdicts:
        execute_values(
            cursor, "INSERT INTO verdict VALUES %s", verdicts, template="(%s, %s::text[], %s::text[])", page_size=500
        )
        cursor.execute(_REFUSE)
        cursor.execute("TRUNCATE verdict")


def drop(cursor: Cursor, line_nos: list[int]) -> None:
    """Take rows out of `incoming` that need no further care: duplicates."""
    if line_nos:
        cursor.execute("DELETE FROM incoming WHERE line_no = ANY(%s)", (line_nos,))


def accepted_frame(
    examined: Examined, family: Family, source_system: str, raw: pl.Series, line_nos: list[int]
) -> pl.DataFrame:
    """Rows without reasons as canonical texts, with content hash and what acceptance has to know."""
    frame = examined.frame.with_columns(raw.alias("raw"), pl.Series("line_no", line_nos, dtype=pl.Int32))
    frame = frame.filter(~pl.int_range(pl.len()).is_in(list(examined.reasons)))
    amount = typed.amount_text(posting_amount(family)).alias("posting_amount")
    texts = frame.select(
        pl.lit(family.name).alias("family"),
        pl.lit(source_system).alias("source_system"),
        *(_text(column).alias(column.stored) for column in (*SHARED, *family.columns)),
        "line_no",
        "raw",
        amount,
        _stateful(family).alias("stateful"),
    )
    hashes = content_hashes(texts, hashed_columns(family.name))
    texts = texts.with_columns(pl.Series("content_hash", [rf"\x{digest.hex()}" for digest in hashes], dtype=pl.String))
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
        return value.fill_null(1).cast(pl.String)
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
