"""Judging the rows of one file against the log: duplicates, conflicts, credit, references. What holds is appended.

Rows that stand by themselves go straight into the log, a part of the file at a time; its unique key is the judge of
what is new. A row that takes from an original is decided where it stands when its original is there. Where it is not,
it may stand further down: from the first row of the part that takes from one on, the file is held back and decided at
its end, so that seq follows the lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from psycopg2.errors import UniqueViolation
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from ingestion import incoming, originals, restating, rotation
from ingestion.credit import Credits
from ingestion.errors import message
from ingestion.event_log import Appender, copy
from ingestion.reasons import of_log
from ingestion.references import Decision, Fact
from ingestion.rows import Part
from ingestion.seeds import Seeds

_KEY = ["region_code", "source_event_key"]
_SAMPLE = 16  # keys of a part that are looked up before it is copied
_SOME_KNOWN = """
SELECT EXISTS (
    SELECT FROM unnest(%(regions)s::text[], %(keys)s::text[]) AS a(region_code, source_event_key)
    INNER JOIN events.event AS e USING (region_code, source_event_key)
    WHERE e.source_system = %(source_system)s AND e.family = %(family)s
)
"""
# Rows that are not in the log, or are there with other content. One index look-up a row, whatever the planner knows.
_NOT_THE_SAME = """
SELECT a.line_no, e.content_hash IS NOT NULL
FROM arriving AS a
LEFT JOIN LATERAL (
    SELECT e.content_hash FROM events.event AS e
    WHERE e.region_code = a.region_code AND e.source_system = %(source_system)s AND e.family = %(family)s
        AND e.source_event_key = a.source_event_key
    LIMIT 1
) AS e ON true
WHERE e.content_hash IS DISTINCT FROM a.content_hash
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
    "retired_pseudonyms",
]
_CONFLICTS_WITH_LOG = f"""
SELECT i.line_no, ({_SHOWN.format(row="e")})::text, ({_SHOWN.format(row="i")})::text
FROM incoming AS i
INNER JOIN events.event AS e USING (region_code, source_system, family, source_event_key)
WHERE i.line_no = ANY(%(lines)s) ORDER BY i.line_no
"""
# Keys that come more than once. A key with a row that depends on others is decided row by row, in Python.
_REPEATED = """
SELECT r.line_no, r.first_line, r.same
FROM (
    SELECT i.line_no, first_value(i.line_no) OVER in_order AS first_line,
           i.content_hash = first_value(i.content_hash) OVER in_order AS same
    FROM incoming AS i
    INNER JOIN (
        SELECT region_code, source_event_key FROM incoming
        GROUP BY region_code, source_event_key HAVING count(*) > 1 AND NOT bool_or(stateful)
    ) AS twice USING (region_code, source_event_key)
    WINDOW in_order AS (PARTITION BY i.region_code, i.source_event_key ORDER BY i.line_no)
) AS r
WHERE r.line_no <> r.first_line
"""
_CONFLICTS_IN_FILE = f"""
SELECT d.line_no, ({_SHOWN.format(row="e")})::text, ({_SHOWN.format(row="i")})::text
FROM (SELECT unnest(%(lines)s::int[]) AS line_no, unnest(%(firsts)s::int[]) AS first_line) AS d
INNER JOIN incoming AS e ON e.line_no = d.first_line
INNER JOIN incoming AS i ON i.line_no = d.line_no
ORDER BY d.line_no
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

    def __init__(self, cursor: Cursor, appender: Appender, judge: Judge, *, hold: bool = False) -> None:
        """`hold`: hold all rows back, as for rows of a file that wait."""
        self._cursor = cursor
        self._appender = appender
        self._judge = judge
        self._credits = Credits(cursor, judge.seeds, judge.today)
        self._holding = hold
        self._done = Accepted()

    def take(self, part: Part) -> None:
        """Append what can be judged now; hold the rest back. `RegionsOutOfOrder`: start again."""
        if not part.frame.height:
            return
        self._appender.lock(part.frame["region_code"].unique())
        rows, missing = self._credits.complete(part.frame)
        if missing:
            self._settle_waiting(part, missing)
            rows = rows.filter(~pl.col("line_no").is_in(list(missing)))
        if self._holding:
            incoming.put(self._cursor, part.shown(self._settle_known(part, rows)))
        elif rows["stateful"].any():
            self._take_dependent(part, self._settle_known(part, rows))
        else:
            self._take_plain(part, rows)

    def finish(self) -> Accepted:
        """Decide what was held back, and seal the batches."""
        if self._holding:
            self._settle_held()
        self._appender.seal()
        return self._done

    def _take_plain(self, part: Part, rows: pl.DataFrame, decisions: Sequence[Decision] = ()) -> None:
        """Append the row that wins of each key, the first that no decision says otherwise of; compare the others."""
        if part.distinct:
            self._append(part, rows, decisions)
            return
        lost = [d.line_no for d in decisions if d.duplicate_of is not None or d.conflict_with is not None]
        winners = rows.filter(~pl.col("line_no").is_in(lost)).filter(pl.struct(_KEY).is_first_distinct())
        self._append(part, winners, decisions)
        self._settle_known(part, rows.join(winners, on="line_no", how="anti", maintain_order="left"))

    def _take_dependent(self, part: Part, rows: pl.DataFrame) -> None:
        """Rows of which some take from an original. Where one is not there, it may stand further down the file."""
        decisions, facts = originals.decide(self._cursor, rows, self._judge.seeds.merger_dates)
        if any("E-REF-ORIGINAL" in decision.codes for decision in decisions):
            self._holding = True
            free = int(rows["stateful"].arg_max() or 0)
            self._take_plain(part, rows[:free])
            incoming.put(self._cursor, part.shown(self._settle_known(part, rows[free:])))
            return
        refused = [decision for decision in decisions if decision.codes]
        lines = pl.col("line_no").is_in([decision.line_no for decision in refused])
        incoming.put(self._cursor, part.shown(rows.filter(lines)))
        incoming.refuse(self._cursor, [self._reference_verdict(d, facts[d.line_no]) for d in refused])
        self._take_plain(part, rows.filter(~lines), decisions)

    def _append(self, part: Part, rows: pl.DataFrame, decisions: Sequence[Decision]) -> None:
        """Copy rows of distinct keys into the log. Its unique index tells whether any is known; mostly none is."""
        if decisions:  # none of the rows is in the log
            self._add(originals.completed(rows, decisions, self._appender.last_seqs()))
            return
        if rows.height and not self._some_known(rows.gather_every(max(1, rows.height // _SAMPLE))):
            self._cursor.execute("SAVEPOINT part")
            try:
                self._add(rows)
            except UniqueViolation:
                self._cursor.execute("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part")
            else:
                self._cursor.execute("RELEASE SAVEPOINT part")
                return
        self._add(self._settle_known(part, rows))

    def _add(self, rows: pl.DataFrame) -> None:
        self._appender.add(rows.drop("row", *incoming.OWN, strict=False))
        self._done.loaded += rows.height

    def _some_known(self, rows: pl.DataFrame) -> bool:
        """Whether any of a few rows is in the log."""
        values = rows.select("source_system", "family").row(0, named=True)
        values |= {"regions": rows["region_code"].to_list(), "keys": rows["source_event_key"].to_list()}
        self._cursor.execute(_SOME_KNOWN, values)
        return bool(self._cursor.fetchone()[0])

    def _settle_known(self, part: Part, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows whose key is not in the log; the others are duplicates or conflicts."""
        if not rows.height:
            return rows
        self._cursor.execute("TRUNCATE arriving")
        copy(self._cursor, "pg_temp.arriving", rows.select("line_no", *_KEY, "content_hash"))
        self._cursor.execute(_NOT_THE_SAME, rows.select("source_system", "family").row(0, named=True))
        found = self._cursor.fetchall()
        self._done.duplicate += rows.height - len(found)
        conflicts = [line_no for line_no, is_known in found if is_known]
        if conflicts:
            incoming.put(self._cursor, part.shown(rows.filter(pl.col("line_no").is_in(conflicts))))
            self._settle_conflicts(conflicts)
        return rows.filter(pl.col("line_no").is_in([line_no for line_no, is_known in found if not is_known]))

    def _settle_waiting(self, part: Part, missing: dict[int, tuple[str, str]]) -> None:
        """Rows whose credit can't be computed yet wait as they came, unless they are known."""
        rows = self._settle_known(part, part.frame.filter(pl.col("line_no").is_in(list(missing))))
        if rows.height:
            incoming.put(self._cursor, part.shown(rows))
            incoming.refuse(self._cursor, [self._judge.verdict(n, [_told(*missing[n])]) for n in rows["line_no"]])

    def _settle_conflicts(self, lines: list[int]) -> None:
        """Rows of `incoming` whose hash is not that of the event of their key: a few say the same in another form."""
        if not lines:
            return
        same = {*restating.same_in_log(self._cursor, lines), *rotation.same_under_other_key(self._cursor, lines)}
        self._drop_duplicates(sorted(same))
        self._refuse_conflicts(_CONFLICTS_WITH_LOG, {"lines": [line_no for line_no in lines if line_no not in same]})

    def _refuse_conflicts(self, query: str, values: dict[str, list[int]]) -> None:
        if not values["lines"]:
            return
        self._cursor.execute(query, values | {"hidden": _HIDDEN})
        verdicts = [
            self._judge.verdict(line_no, [("E-CONFLICT", f"已有/stored {stored}；新到/new {new}")])
            for line_no, stored, new in self._cursor.fetchall()
        ]
        incoming.refuse(self._cursor, verdicts)

    def _settle_held(self) -> None:
        """Everything held back; none of it is in the log: repeated rows, those that take from an original, the rest."""
        self._cursor.execute("ANALYZE incoming")
        restating.align(self._cursor)
        self._settle_repeated_held()
        self._settle_references()
        for rows in incoming.in_order(self._cursor, self._appender.last_seqs(), incoming.ROWS_AT_ONCE):
            self._add(rows)

    def _settle_repeated_held(self) -> None:
        self._cursor.execute(_REPEATED)
        repeated = self._cursor.fetchall()
        self._refuse_conflicts_in_file([(line_no, first) for line_no, first, same in repeated if not same])
        self._drop_duplicates([line_no for line_no, _, same in repeated if same])

    def _settle_references(self) -> None:
        """Rows that take from an original, in line order, and rows sharing a key with one."""
        decisions, facts = originals.decide_held(self._cursor, self._judge.seeds.merger_dates)
        self._refuse_conflicts_in_file([(d.line_no, d.conflict_with) for d in decisions if d.conflict_with is not None])
        incoming.refuse(self._cursor, [self._reference_verdict(d, facts[d.line_no]) for d in decisions if d.codes])
        self._drop_duplicates([d.line_no for d in decisions if d.duplicate_of is not None])
        execute_values(
            self._cursor,
            "INSERT INTO resolved VALUES %s",
            originals.resolved(decisions),
            template="(%s, %s::bigint, %s::int, %s, %s::numeric)",
            page_size=500,
        )

    def _drop_duplicates(self, line_nos: list[int]) -> None:
        incoming.drop(self._cursor, line_nos)
        self._done.duplicate += len(line_nos)

    def _refuse_conflicts_in_file(self, pairs: list[tuple[int, int]]) -> None:
        lines, firsts = ([pair[side] for pair in pairs] for side in (0, 1))
        self._refuse_conflicts(_CONFLICTS_IN_FILE, {"lines": lines, "firsts": firsts})

    def _reference_verdict(self, decision: Decision, fact: Fact) -> tuple[int, list[str], list[str]]:
        original = fact.original_key[3] if fact.original_key else ""
        told = [(c, "sub_fund") if c == "E-SCHEMA-REQUIRED" else _told(c, original) for c in decision.codes]
        return self._judge.verdict(decision.line_no, told)


def _told(code: str, value: str) -> tuple[str, str]:
    return code, of_log(code, value)
