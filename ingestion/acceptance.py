"""Judging the rows of one file against the log: duplicates, conflicts, credit, references. What holds is appended.

Rows that stand by themselves go straight into the log, a part of the file at a time; its unique key is the judge of
what is new. Rows that take from an original are put aside and decided when the whole file has been read, for their
original may stand further down.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from psycopg2.errors import UniqueViolation
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from ingestion import incoming
from ingestion.credit import Credits
from ingestion.errors import message
from ingestion.event_log import Appender, copy
from ingestion.references import AMOUNTS, ORIGINALS, Book, Decision, Fact, decide_rows
from ingestion.rows import Part
from ingestion.seeds import Seeds

_KEY = ["region_code", "source_event_key"]
_SAMPLE = 16  # keys of a part that are looked up before it is copied
_ROWS = 50_000  # taken out of the database at a time
# One index look-up a row, whatever the planner knows of either table.
_KNOWN = """
SELECT a.line_no, e.content_hash = a.content_hash
FROM arriving AS a
CROSS JOIN LATERAL (
    SELECT e.content_hash FROM events.event AS e
    WHERE e.region_code = a.region_code AND e.source_system = %(source_system)s AND e.family = %(family)s
        AND e.source_event_key = a.source_event_key
    LIMIT 1
) AS e
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
SELECT i.line_no, ({_SHOWN.format(row="e")})::text, ({_SHOWN.format(row="i")})::text
FROM incoming AS i
INNER JOIN events.event AS e USING (region_code, source_system, family, source_event_key)
WHERE i.line_no = ANY(%(lines)s) ORDER BY i.line_no
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
# What was put aside, in line order: rows that depend on others, and rows that share a key with one.
_FILE_FACTS = f"""
SELECT i.line_no, NULL::bigint, i.stateful, {_FACT.format(row="i")}
FROM incoming AS i
ORDER BY i.line_no
"""
# The originals in the log, what they in turn rest on, and everything that rests on any of these.
_LOG_FACTS = f"""
WITH RECURSIVE wanted AS (
    SELECT DISTINCT k.region_code, k.original_source AS source_system, k.original_family AS family,
           k.original_event_key AS source_event_key
    FROM (SELECT i.region_code, {_KEYS.format(row="i")} FROM incoming AS i WHERE i.stateful) AS k
    WHERE k.original_event_key IS NOT NULL
),
up AS (
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


@dataclass
class Accepted:
    """Rows added to the log, rows that were there already."""

    loaded: int = 0
    duplicate: int = 0


class Acceptance:
    """The rows of one file on their way into the log. What is refused is left in temp table `refused`."""

    def __init__(self, cursor: Cursor, appender: Appender, judge: Judge) -> None:
        self._cursor = cursor
        self._appender = appender
        self._judge = judge
        self._credits = Credits(cursor, judge.seeds, judge.today)
        self._aside: set[tuple[str, str]] = set()  # keys of rows put aside
        self._done = Accepted()

    def take(self, part: Part) -> None:
        """Append what can be judged now; put the rest aside. `RegionsOutOfOrder`: start again."""
        if not part.frame.height:
            return
        self._appender.lock(part.frame["region_code"].unique())
        rows, missing = self._credits.complete(part.frame)
        self._settle_waiting(part, missing)
        rows = self._put_aside(part, rows.filter(~pl.col("line_no").is_in(list(missing))))
        first = pl.struct(_KEY).is_first_distinct()
        self._append(part, rows.filter(first))
        self._settle_known(part, rows.filter(~first))

    def finish(self) -> Accepted:
        """Decide what was put aside, and seal the batches."""
        self._cursor.execute("SELECT EXISTS (SELECT FROM incoming)")
        if self._cursor.fetchone() == (True,):
            self._settle_references()
        self._appender.seal()
        return self._done

    def _put_aside(self, part: Part, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows that depend on no other; the first line of a key wins, so whatever shares one goes with it."""
        self._aside.update(rows.filter("stateful").select(_KEY).iter_rows())
        if not self._aside:
            return rows
        keys = pl.DataFrame(list(self._aside), schema=_KEY, orient="row")
        incoming.put(self._cursor, part.shown(rows.join(keys, on=_KEY, how="semi", maintain_order="left")))
        return rows.join(keys, on=_KEY, how="anti", maintain_order="left")

    def _append(self, part: Part, rows: pl.DataFrame) -> None:
        """Copy rows of distinct keys into the log. Its unique index tells whether any is known; mostly none is."""
        if rows.height and not self._known(rows.gather_every(max(1, rows.height // _SAMPLE))):
            self._cursor.execute("SAVEPOINT part")
            try:
                self._add(rows)
            except UniqueViolation:
                self._cursor.execute("ROLLBACK TO SAVEPOINT part")
            else:
                self._cursor.execute("RELEASE SAVEPOINT part")
                return
        self._add(self._settle_known(part, rows))

    def _add(self, rows: pl.DataFrame) -> None:
        self._appender.add(rows.drop("row", "stateful", "raw", "posting_amount", strict=False))
        self._done.loaded += rows.height

    def _known(self, rows: pl.DataFrame) -> dict[int, bool]:
        """Line -> whether the content is the same, of rows whose key is in the log."""
        if not rows.height:
            return {}
        self._cursor.execute("TRUNCATE arriving")
        copy(self._cursor, "pg_temp.arriving", rows.select("line_no", *_KEY, "content_hash"))
        self._cursor.execute(_KNOWN, rows.select("source_system", "family").row(0, named=True))
        return dict(self._cursor.fetchall())

    def _settle_known(self, part: Part, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows whose key is not in the log; the others are duplicates or conflicts."""
        known = self._known(rows)
        conflicts = [line_no for line_no, same in known.items() if not same]
        self._done.duplicate += len(known) - len(conflicts)
        if conflicts:
            incoming.put(self._cursor, part.shown(rows.filter(pl.col("line_no").is_in(conflicts))))
            self._refuse_conflicts(_CONFLICTS_WITH_LOG, {"lines": conflicts})
        return rows.filter(~pl.col("line_no").is_in(list(known)))

    def _settle_waiting(self, part: Part, missing: dict[int, tuple[str, str]]) -> None:
        """Rows whose credit can't be computed yet wait as they came, unless they are known."""
        rows = self._settle_known(part, part.frame.filter(pl.col("line_no").is_in(list(missing))))
        if rows.height:
            incoming.put(self._cursor, part.shown(rows))
            incoming.refuse(self._cursor, [self._judge.verdict(n, [missing[n]]) for n in rows["line_no"]])

    def _refuse_conflicts(self, query: str, values: dict[str, list[int]]) -> None:
        self._cursor.execute(query, values | {"hidden": _HIDDEN})
        verdicts = [
            self._judge.verdict(line_no, [("E-CONFLICT", f"已有/stored {stored}；新到/new {new}")])
            for line_no, stored, new in self._cursor.fetchall()
        ]
        incoming.refuse(self._cursor, verdicts)

    def _settle_references(self) -> None:
        """Rows that take from an original, in line order, and rows sharing a key with one."""
        self._settle_known_aside()
        self._cursor.execute(_FILE_FACTS)
        facts = {fact.place: fact for fact in map(_fact, self._cursor.fetchall())}
        decisions = list(decide_rows(list(facts.values()), self._book()).values())
        in_file = [(d.line_no, d.conflict_with) for d in decisions if d.conflict_with is not None]
        if in_file:
            lines, firsts = (list(numbers) for numbers in zip(*in_file, strict=True))
            self._refuse_conflicts(_CONFLICTS_IN_FILE, {"lines": lines, "firsts": firsts})
        incoming.refuse(self._cursor, [self._reference_verdict(d, facts[d.line_no]) for d in decisions if d.codes])
        duplicates = [d.line_no for d in decisions if d.duplicate_of is not None]
        incoming.drop(self._cursor, duplicates)
        self._done.duplicate += len(duplicates)
        self._resolve([d for d in decisions if d.accepted], facts)
        for rows in incoming.settled(self._cursor, _ROWS):
            self._add(rows)

    def _settle_known_aside(self) -> None:
        """The same as `_settle_known` for what was put aside before all of the file was in the log."""
        self._cursor.execute(
            "SELECT i.line_no, e.content_hash = i.content_hash FROM incoming AS i"
            " INNER JOIN events.event AS e USING (region_code, source_system, family, source_event_key)"
        )
        known = dict(self._cursor.fetchall())
        same = [line_no for line_no, is_same in known.items() if is_same]
        incoming.drop(self._cursor, same)
        self._done.duplicate += len(same)
        self._refuse_conflicts(_CONFLICTS_WITH_LOG, {"lines": [n for n, is_same in known.items() if not is_same]})

    def _reference_verdict(self, decision: Decision, fact: Fact) -> tuple[int, list[str], list[str]]:
        original = fact.original_key[3] if fact.original_key else ""
        told = [(code, "sub_fund" if code == "E-SCHEMA-REQUIRED" else original) for code in decision.codes]
        return self._judge.verdict(decision.line_no, told)

    def _book(self) -> Book:
        self._cursor.execute("SELECT region_code FROM events.event WHERE event_type = 'fund.merged'")
        book = Book(self._judge.seeds.merger_dates, [region for (region,) in self._cursor.fetchall()])
        self._cursor.execute(_LOG_FACTS)
        for record in self._cursor.fetchall():
            book.replay(_fact(record))
        return book

    def _resolve(self, accepted: Sequence[Decision], facts: dict[int, Fact]) -> None:
        """Originals were decided before what takes from them, so they get their seq first."""
        seqs: dict[int, int] = {}
        coming: dict[str, int] = {}
        for decision in accepted:
            region = facts[decision.line_no].key[0]
            seqs[decision.line_no] = coming.setdefault(region, self._appender.next_seq(region))
            coming[region] += 1
        resolved = [
            (
                d.line_no,
                place,
                d.original_seq if d.original_line is None else seqs[d.original_line],
                d.sub_fund,
                d.personal_account_credit,
            )
            for place, d in enumerate(accepted)
        ]
        execute_values(
            self._cursor,
            "INSERT INTO resolved VALUES %s",
            resolved,
            template="(%s, %s, %s::bigint, %s, %s::numeric)",
            page_size=500,
        )
        self._cursor.execute("CREATE INDEX ON pg_temp.resolved (place); ANALYZE resolved; ANALYZE incoming")


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
