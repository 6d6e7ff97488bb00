"""Judging the rows of one file against the log: duplicates, conflicts, credit, references. Then they are appended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from ingestion import credit, event_log, incoming
from ingestion.errors import message
from ingestion.event_log import Origin
from ingestion.reasons import of_log
from ingestion.references import AMOUNTS, ORIGINALS, Book, Decision, Fact, decide_rows
from ingestion.seeds import Seeds

_KNOWN = """
CREATE TEMP TABLE known ON COMMIT DROP AS
SELECT i.line_no, e.region_code, e.seq, e.content_hash = i.content_hash AS same
FROM incoming AS i
INNER JOIN events.event AS e USING (region_code, source_system, family, source_event_key)
"""
_SHOWN = "jsonb_strip_nulls(to_jsonb({row})) - coalesce({row}.derived_columns, '{{}}') - %(hidden)s"
_HIDDEN = [
    "seq",
    "recorded_at",
    "batch_id",
    "line_no",
    "content_hash",
    "original_seq",
    "derived_columns",
    "raw",
    "posting_amount",
    "stateful",
    "family",
    "source_system",
    "schema_version",
    "pseudonym_key_id",
]
_CONFLICTS_WITH_LOG = f"""
SELECT k.line_no, ({_SHOWN.format(row="e")})::text, ({_SHOWN.format(row="i")})::text
FROM known AS k
INNER JOIN events.event AS e USING (region_code, seq)
INNER JOIN incoming AS i ON i.line_no = k.line_no
WHERE NOT k.same ORDER BY k.line_no
"""
# Keys that come more than once. A key with a row that depends on others is decided row by row, in Python.
_REPEATED = """
CREATE TEMP TABLE repeated ON COMMIT DROP AS
SELECT i.line_no, first_value(i.line_no) OVER in_order AS first_line,
       i.content_hash = first_value(i.content_hash) OVER in_order AS same
FROM incoming AS i
INNER JOIN (
    SELECT region_code, source_event_key FROM incoming
    GROUP BY region_code, source_event_key HAVING count(*) > 1 AND NOT bool_or(stateful)
) AS twice USING (region_code, source_event_key)
WINDOW in_order AS (PARTITION BY i.region_code, i.source_event_key ORDER BY i.line_no)
"""
_CONFLICTS_IN_FILE = f"""
SELECT d.line_no, ({_SHOWN.format(row="e")})::text, ({_SHOWN.format(row="i")})::text
FROM (SELECT unnest(%(lines)s::int[]) AS line_no, unnest(%(firsts)s::int[]) AS first_line) AS d
INNER JOIN incoming AS e ON e.line_no = d.first_line
INNER JOIN incoming AS i ON i.line_no = d.line_no
ORDER BY d.line_no
"""
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
# What a row of the file has once it is accepted: its computed credit counts for refunds in the same file.
_FILE_FACT = _FACT.format(row="i").replace(
    "i.personal_account_credit", "coalesce(i.personal_account_credit, c.personal_account_credit)"
)
_WANTED = f"""
CREATE TEMP TABLE wanted ON COMMIT DROP AS
SELECT DISTINCT k.region_code, k.original_source AS source_system, k.original_family AS family,
       k.original_event_key AS source_event_key
FROM (SELECT i.region_code, {_KEYS.format(row="i")} FROM incoming AS i WHERE i.stateful) AS k
WHERE k.original_event_key IS NOT NULL;
ANALYZE wanted
"""
# Rows of the file that depend on others, rows of the same key, and rows that they name as their original.
_FILE_FACTS = f"""
SELECT i.line_no, NULL::bigint, i.stateful, {_FILE_FACT}
FROM incoming AS i
LEFT JOIN credit AS c USING (line_no)
WHERE (i.region_code, i.source_event_key) IN (SELECT region_code, source_event_key FROM incoming WHERE stateful)
   OR (i.region_code, i.source_system, i.family, i.source_event_key) IN (TABLE wanted)
ORDER BY line_no
"""
# The originals, what they in turn rest on, and everything that rests on any of these.
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
_RESOLVED = """
CREATE TEMP TABLE resolved (
    line_no integer, original_seq bigint, original_line integer, sub_fund text, personal_account_credit numeric(18, 2)
) ON COMMIT DROP
"""


@dataclass(frozen=True)
class Judge:
    """What rows are judged by, and how they are named in messages."""

    seeds: Seeds
    today: date
    file_name: str

    def verdict(self, line_no: int, reasons: Iterable[tuple[str, str]]) -> tuple[int, list[str], list[str]]:
        """(line, codes, messages) of a row refused for (code, detail) reasons."""
        told = list(reasons)
        where = f"{self.file_name}:{line_no}"
        return line_no, [code for code, _ in told], [message(code, detail, where) for code, detail in told]


@dataclass(frozen=True)
class Accepted:
    """Rows added to the log, rows that were there already."""

    loaded: int
    duplicate: int


def accept(cursor: Cursor, origin: Origin, judge: Judge) -> Accepted:
    """Judge all rows of temp table `incoming` and append those that hold; the rest is left in `refused`.

    Takes the locks of the regions concerned. Leaves temp tables `placed` and `incoming` for the resolutions.
    """
    cursor.execute("ANALYZE incoming")
    cursor.execute("SELECT DISTINCT region_code FROM incoming")
    event_log.lock_regions(cursor, [region for (region,) in cursor.fetchall()])
    duplicate = _settle_known(cursor, judge)
    _settle_credit(cursor, judge)
    duplicate += _settle_repeated(cursor, judge)
    duplicate += _settle_references(cursor, judge)
    return Accepted(event_log.append(cursor, origin), duplicate)


def _settle_known(cursor: Cursor, judge: Judge) -> int:
    """Rows whose key is in the log: duplicates and conflicts."""
    cursor.execute(_KNOWN)
    cursor.execute(_CONFLICTS_WITH_LOG, {"hidden": _HIDDEN})
    _refuse_conflicts(cursor, judge, cursor.fetchall())
    cursor.execute("DELETE FROM incoming AS i USING known AS k WHERE k.line_no = i.line_no")
    return int(cursor.rowcount)


def _settle_credit(cursor: Cursor, judge: Judge) -> None:
    missing = credit.compute(cursor, judge.seeds, judge.today)
    incoming.refuse(cursor, [judge.verdict(line_no, [(code, of_log(code, value))]) for line_no, code, value in missing])


def _settle_repeated(cursor: Cursor, judge: Judge) -> int:
    """The first line of a key wins; the same content again is a duplicate."""
    cursor.execute(_REPEATED)
    cursor.execute("SELECT line_no, first_line FROM repeated WHERE NOT same")
    _refuse_conflicts_in_file(cursor, judge, cursor.fetchall())
    cursor.execute(
        "DELETE FROM incoming AS i USING repeated AS d WHERE d.line_no = i.line_no AND d.line_no <> d.first_line"
    )
    return int(cursor.rowcount)


def _settle_references(cursor: Cursor, judge: Judge) -> int:
    """Rows that take from an original, in line order, and rows sharing a key with one."""
    cursor.execute(_RESOLVED)
    cursor.execute(_WANTED)
    cursor.execute(_FILE_FACTS)
    rows = [_fact(record) for record in cursor.fetchall()]
    if not rows:
        return 0
    decisions = decide_rows(rows, _book(cursor, judge)).values()
    _refuse_conflicts_in_file(
        cursor, judge, [(d.line_no, d.conflict_with) for d in decisions if d.conflict_with is not None]
    )
    keys = {fact.place: fact.original_key for fact in rows}
    incoming.refuse(cursor, [_reference_verdict(judge, d, keys[d.line_no]) for d in decisions if d.codes])
    duplicates = [d.line_no for d in decisions if d.duplicate_of is not None]
    incoming.drop(cursor, duplicates)
    _put_resolved(cursor, [d for d in decisions if d.accepted])
    return len(duplicates)


def _reference_verdict(
    judge: Judge, decision: Decision, original: Sequence[str] | None
) -> tuple[int, list[str], list[str]]:
    value = original[3] if original else ""
    return judge.verdict(
        decision.line_no,
        [(code, "sub_fund" if code == "E-SCHEMA-REQUIRED" else of_log(code, value)) for code in decision.codes],
    )


def _refuse_conflicts(cursor: Cursor, judge: Judge, found: Iterable[tuple[int, str, str]]) -> None:
    incoming.refuse(
        cursor,
        [
            judge.verdict(line_no, [("E-CONFLICT", f"已有/stored {stored}；新到/new {new}")])
            for line_no, stored, new in found
        ],
    )


def _refuse_conflicts_in_file(cursor: Cursor, judge: Judge, pairs: list[tuple[int, int]]) -> None:
    if pairs:
        lines, firsts = zip(*pairs, strict=True)
        cursor.execute(_CONFLICTS_IN_FILE, {"lines": list(lines), "firsts": list(firsts), "hidden": _HIDDEN})
        _refuse_conflicts(cursor, judge, cursor.fetchall())


def _book(cursor: Cursor, judge: Judge) -> Book:
    cursor.execute("SELECT region_code FROM events.event WHERE event_type = 'fund.merged'")
    book = Book(judge.seeds.merger_dates, [region for (region,) in cursor.fetchall()])
    cursor.execute(_LOG_FACTS)
    for record in cursor.fetchall():
        book.replay(_fact(record))
    return book


def _fact(record: Sequence[Any]) -> Fact:
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


def _put_resolved(cursor: Cursor, decisions: list[Decision]) -> None:
    execute_values(
        cursor,
        "INSERT INTO resolved VALUES %s",
        [(d.line_no, d.original_seq, d.original_line, d.sub_fund, d.personal_account_credit) for d in decisions],
        template="(%s, %s::bigint, %s::int, %s, %s::numeric)",
    )
    cursor.execute("CREATE INDEX ON pg_temp.resolved (line_no); ANALYZE resolved")
