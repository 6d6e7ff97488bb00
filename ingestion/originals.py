"""Rows that take from an original: what has to be known to decide them is gathered here, `references` decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from ingestion.references import AMOUNTS, ORIGINALS, Book, Decision, Fact, decide_rows

Decided = tuple[list[Decision], Mapping[int, Fact]]

_FAMILY_OF_ORIGINAL = " ".join(f"WHEN '{name}' THEN '{family}'" for name, (family, _) in ORIGINALS.items())
_KEYS = f"""
    CASE WHEN {{row}}.original_event_key IS NOT NULL
         THEN coalesce({{row}}.original_source_system, {{row}}.source_system) END AS original_source,
    CASE {{row}}.event_type {_FAMILY_OF_ORIGINAL} END AS original_family, {{row}}.original_event_key
"""
_FACT = f"""
    {{row}}.region_code, {{row}}.source_system, {{row}}.family, {{row}}.source_event_key,
    {{row}}.event_type, {{row}}.occurred_on,
    {{row}}.content_hash, {{row}}.fund_code, {{row}}.sub_fund, {{row}}.insurance_type, {{row}}.enrollment_category,
    {_KEYS.strip()}, {", ".join("{row}." + name for name in AMOUNTS)}
"""
_WANTED_BY_HELD = f"""
INSERT INTO wanted
SELECT DISTINCT k.region_code, k.original_source, k.original_family, k.original_event_key
FROM (SELECT i.region_code, {_KEYS.format(row="i")} FROM incoming AS i WHERE i.stateful) AS k
WHERE k.original_event_key IS NOT NULL;
ANALYZE wanted
"""
# Rows of the file that depend on others, rows of the same key, and rows that they name as their original.
_HELD_FACTS = f"""
SELECT i.line_no, NULL::bigint, i.stateful, {_FACT.format(row="i")}
FROM incoming AS i
INNER JOIN (
    SELECT s.line_no
    FROM incoming AS s
    INNER JOIN (SELECT DISTINCT region_code, source_event_key FROM incoming WHERE stateful) AS k
        USING (region_code, source_event_key)
    UNION
    SELECT o.line_no
    FROM incoming AS o INNER JOIN wanted AS w USING (region_code, source_system, family, source_event_key)
) AS dependent USING (line_no)
ORDER BY i.line_no
"""
# The originals in the log, what they in turn rest on, and everything that rests on any of these.
_LOG_FACTS = f"""
WITH RECURSIVE up AS (
    SELECT e.region_code, e.seq, e.original_seq
    FROM wanted AS w INNER JOIN events.event AS e USING (region_code, source_system, family, source_event_key)
    UNION
    SELECT e.region_code, e.seq, e.original_seq
    FROM up INNER JOIN events.event AS e ON e.region_code = up.region_code AND e.seq = up.original_seq
),
tree AS (
    SELECT region_code, seq FROM up
    UNION
    SELECT e.region_code, e.seq
    FROM tree INNER JOIN events.event AS e ON e.region_code = tree.region_code AND e.original_seq = tree.seq
)
SELECT e.seq, e.original_seq, e.original_seq IS NOT NULL, {_FACT.format(row="e")}
FROM tree INNER JOIN events.event AS e USING (region_code, seq)
ORDER BY e.region_code, e.seq
"""


def decide(cursor: Cursor, rows: pl.DataFrame, merger_dates: Mapping[str, date]) -> Decided:
    """Decide the rows of a part, none of which is in the log, that depend on others; by line, originals first."""
    rows = _dependent(rows)
    facts = [_fact_of_row(row) for row in rows.iter_rows(named=True)]
    cursor.execute("TRUNCATE wanted")
    keys = {fact.original_key for fact in facts if fact.original_key is not None}
    execute_values(cursor, "INSERT INTO wanted VALUES %s", sorted(keys), page_size=500)
    return _decided(cursor, facts, merger_dates)


def decide_held(cursor: Cursor, merger_dates: Mapping[str, date]) -> Decided:
    """The same for the rows of temp table `incoming`."""
    cursor.execute("TRUNCATE wanted")
    cursor.execute(_WANTED_BY_HELD)
    cursor.execute(_HELD_FACTS)
    return _decided(cursor, [_fact_of_record(record) for record in cursor.fetchall()], merger_dates)


def _decided(cursor: Cursor, facts: list[Fact], merger_dates: Mapping[str, date]) -> Decided:
    if not facts:
        return [], {}
    decisions = decide_rows(facts, _book(cursor, merger_dates))
    return list(decisions.values()), {fact.place: fact for fact in facts}


def _book(cursor: Cursor, merger_dates: Mapping[str, date]) -> Book:
    cursor.execute("SELECT region_code FROM events.event WHERE event_type = 'fund.merged'")
    book = Book(merger_dates, [region for (region,) in cursor.fetchall()])
    cursor.execute(_LOG_FACTS)
    for record in cursor.fetchall():
        book.replay(_fact_of_record(record))
    return book


def _dependent(rows: pl.DataFrame) -> pl.DataFrame:
    stateful = rows.filter("stateful")
    shared = rows.join(stateful, on=["region_code", "source_event_key"], how="semi")
    named = stateful.select("region_code", pl.col("original_event_key").alias("source_event_key"))
    originals = rows.join(named, on=["region_code", "source_event_key"], how="semi")
    return pl.concat([shared, originals]).unique("line_no").sort("line_no")


def _fact_of_row(row: Mapping[str, Any]) -> Fact:
    key = (row["region_code"], row["source_system"], row["family"], row["source_event_key"])
    original = None
    if row["stateful"] and row["original_event_key"] is not None:
        source = row["original_source_system"] or row["source_system"]
        original = (row["region_code"], source, ORIGINALS[row["event_type"]][0], row["original_event_key"])
    return Fact(
        place=row["line_no"],
        key=key,
        event_type=row["event_type"],
        occurred_on=date.fromisoformat(row["occurred_on"]),
        content_hash=bytes.fromhex(row["content_hash"]),
        original_key=original,
        fund_code=row.get("fund_code"),
        sub_fund=row.get("sub_fund"),
        insurance_type=row.get("insurance_type"),
        enrollment_category=row.get("enrollment_category"),
        amounts={name: None if row.get(name) is None else Decimal(row[name]) for name in AMOUNTS},
    )


def _fact_of_record(record: Sequence[Any]) -> Fact:
    place, original_seq, refers, region, source, family, key, event_type, occurred_on, content_hash = record[:10]
    fund_code, sub_fund, insurance_type, category, original_source, original_family, original_key = record[10:17]
    has_original = refers and original_key is not None
    return Fact(
        place=place,
        key=(region, source, family, key),
        event_type=event_type,
        occurred_on=occurred_on,
        content_hash=bytes(content_hash),
        original_key=(region, original_source, original_family, original_key) if has_original else None,
        original_seq=original_seq,
        fund_code=fund_code,
        sub_fund=sub_fund,
        insurance_type=insurance_type,
        enrollment_category=category,
        amounts=dict(zip(AMOUNTS, record[17:], strict=True)),
    )


def resolved(decisions: Iterable[Decision]) -> list[tuple[int, int | None, int | None, str | None, Decimal | None]]:
    """What acceptance adds to rows: line, seq or line of the original, sub-fund, personal-account credit."""
    return [
        (d.line_no, d.original_seq, d.original_line, d.sub_fund, d.personal_account_credit)
        for d in decisions
        if d.accepted
    ]


def completed(rows: pl.DataFrame, decisions: Iterable[Decision], last_seqs: Mapping[str, int]) -> pl.DataFrame:
    """Rows that go into the log in this order behind `last_seqs`, with what acceptance adds to them."""
    resolution = pl.DataFrame(
        resolved(decisions),
        schema={
            "line_no": rows.schema["line_no"],
            "original_seq": pl.Int64,
            "original_line": rows.schema["line_no"],
            "added_sub_fund": pl.String,
            "added_credit": pl.Decimal(18, 2),
        },
        orient="row",
    )
    last = pl.col("region_code").replace_strict(dict(last_seqs), return_dtype=pl.Int64)
    placed = rows.select(
        pl.col("line_no").alias("original_line"),
        (last + 1 + pl.int_range(pl.len()).over("region_code")).alias("seq_in_file"),
    )
    joined = rows.join(resolution, on="line_no", how="left", maintain_order="left")
    joined = joined.join(placed, on="original_line", how="left", maintain_order="left")
    added = {"sub_fund": pl.col("added_sub_fund"), "personal_account_credit": pl.col("added_credit").cast(pl.String)}
    added = {name: value for name, value in added.items() if name in rows.columns}
    derived = [
        pl.when(pl.col(n).is_null() & value.is_not_null()).then(pl.lit(f"{{{n}}}")) for n, value in added.items()
    ]
    before = [pl.col("derived_columns")] if "derived_columns" in rows.columns else []
    takes = pl.col("stateful") & pl.col("original_event_key").is_not_null()
    assert not joined.filter(takes & pl.col("original_seq").is_null() & pl.col("seq_in_file").is_null()).height
    return joined.with_columns(
        pl.coalesce("original_seq", "seq_in_file").alias("original_seq"),
        *(pl.coalesce(name, value).alias(name) for name, value in added.items()),
        *([pl.coalesce(*before, *derived).alias("derived_columns")] if before or derived else []),
    ).drop("original_line", "seq_in_file", "added_sub_fund", "added_credit")
