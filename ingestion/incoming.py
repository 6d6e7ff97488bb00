"""Temporary tables of one file's transaction: rows that need a closer look, and those that are refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from ingestion import event_log

ROWS_AT_ONCE = 50_000  # taken out of the database
OWN = ("raw", "posting_amount", "stateful", "retired_pseudonyms")  # columns that the log does not have

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
CREATE TEMP TABLE arriving (line_no integer, region_code text, source_event_key text, content_hash bytea)
    ON COMMIT DROP;
CREATE TEMP TABLE wanted (region_code text, source_system text, family text, source_event_key text) ON COMMIT DROP;
CREATE TEMP TABLE resolved (
    line_no integer, original_seq bigint, original_line integer, sub_fund text, personal_account_credit numeric(18, 2)
) ON COMMIT DROP
"""
# Moves rows from `incoming` to `refused`. Only rows that wait keep their canonical columns, as the source gave them.
_REFUSE = """
WITH gone AS (
    DELETE FROM incoming AS i USING verdict AS v WHERE v.line_no = i.line_no
    RETURNING i.*, v.error_codes, v.messages
)
INSERT INTO refused
SELECT g.line_no, g.region_code, g.source_event_key, g.error_codes, g.messages, g.raw,
       CASE WHEN (SELECT bool_and(c LIKE 'E-REF-%') FROM unnest(g.error_codes) AS c)
            THEN jsonb_strip_nulls(to_jsonb(g)) - coalesce(g.derived_columns, '{}')
                 - ARRAY['raw', 'error_codes', 'messages', 'derived_columns'] END,
       g.posting_amount
FROM gone AS g
"""
_COLUMNS = """
SELECT attname FROM pg_attribute WHERE attrelid = 'pg_temp.incoming'::regclass AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""
_PLACE = """
CREATE TEMP TABLE placed ON COMMIT DROP AS
SELECT i.line_no, l.last_seq + row_number() OVER (PARTITION BY i.region_code ORDER BY i.line_no) AS seq
FROM incoming AS i
INNER JOIN unnest(%(regions)s::text[], %(last_seqs)s::bigint[]) AS l(region_code, last_seq) USING (region_code);
CREATE UNIQUE INDEX ON pg_temp.placed (line_no);
CREATE UNIQUE INDEX ON pg_temp.incoming (line_no);
ANALYZE placed;
ANALYZE incoming;
ANALYZE resolved
"""
_RESOLVED = {
    "sub_fund": "coalesce(i.sub_fund, r.sub_fund)",
    "personal_account_credit": "coalesce(i.personal_account_credit, r.personal_account_credit)",
    "derived_columns": """nullif(coalesce(i.derived_columns, '{}') || array_remove(ARRAY[
        CASE WHEN i.sub_fund IS NULL AND r.sub_fund IS NOT NULL THEN 'sub_fund' END,
        CASE WHEN i.personal_account_credit IS NULL AND r.personal_account_credit IS NOT NULL
             THEN 'personal_account_credit' END
        ], NULL), '{}')""",
}
_NUMBERS: dict[str, type[pl.DataType]] = {"line_no": pl.Int64, "original_seq": pl.Int64, "stateful": pl.Boolean}


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


def put(cursor: Cursor, rows: pl.DataFrame) -> None:
    """Add rows, as their part shows them, to `incoming`."""
    event_log.copy(cursor, "pg_temp.incoming", rows.drop("row", strict=False))


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


def take(cursor: Cursor, size: int) -> Iterator[pl.DataFrame]:
    """Take the rows out of `incoming` again, at most `size` at a time, by line. Lines put back meanwhile stay."""
    names, last = _names(cursor), 0
    while True:
        cursor.execute(
            "WITH gone AS (DELETE FROM incoming AS i USING (SELECT line_no FROM incoming WHERE line_no > %s"
            " ORDER BY line_no LIMIT %s) AS first WHERE first.line_no = i.line_no RETURNING i.*)"
            f" SELECT {_as_text(names)} FROM gone AS i ORDER BY i.line_no",
            (last, size),
        )
        rows = cursor.fetchall()
        if not rows:
            return
        frame = _frame(names, rows)
        last = int(frame["line_no"][-1])
        yield frame


def in_order(cursor: Cursor, last_seqs: Mapping[str, int], size: int) -> Iterator[pl.DataFrame]:
    """The rows of `incoming` by line, at most `size` at a time, with what temp table `resolved` adds to them.

    `last_seqs`: the last position taken in each region; that of an original in the same file follows from it.
    """
    names = [name for name in _names(cursor) if name not in OWN]
    cursor.execute(_PLACE, {"regions": list(last_seqs), "last_seqs": list(last_seqs.values())})
    last = 0
    while True:
        cursor.execute(
            f"SELECT {_as_text(names, _RESOLVED)}, coalesce(r.original_seq, o.seq)"
            " FROM incoming AS i LEFT JOIN resolved AS r USING (line_no) LEFT JOIN placed AS o"
            " ON o.line_no = r.original_line WHERE i.line_no > %s ORDER BY i.line_no LIMIT %s",
            (last, size),
        )
        rows = cursor.fetchall()
        if not rows:
            return
        frame = _frame([*names, "original_seq"], rows)
        last = int(frame["line_no"][-1])
        yield frame


def _names(cursor: Cursor) -> list[str]:
    cursor.execute(_COLUMNS)
    return [name for (name,) in cursor.fetchall()]


def _as_text(names: Sequence[str], told: Mapping[str, str] | None = None) -> str:
    spelt = {"content_hash": "encode(i.content_hash, 'hex')", **(told or {})}
    values = {name: spelt.get(name, f"i.{name}") for name in names}
    return ", ".join(value if name in _NUMBERS else f"({value})::text" for name, value in values.items())


def _frame(names: Sequence[str], rows: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    types: dict[str, type[pl.DataType]] = {name: _NUMBERS.get(name, pl.String) for name in names}
    return pl.DataFrame(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)), schema=types)
