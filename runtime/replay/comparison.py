"""Row for row: which rows only the live books have, and which only the replayed ones; never sums, never counts alone.

What is compared is found in the catalogue, so that a table or mart added later can't be forgotten.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from psycopg2 import sql

from ingestion.database import Connection
from runtime.replay.shadow import SUFFIX

SHOWN = 20  # rows kept of each relation, region and side
EVENTS_AT_A_TIME = 250_000
NO_REGION = "-"
SEQ_COLUMNS = ("event_seq", "last_seq", "seq")


@dataclass(frozen=True)
class Reading:
    """How a relation is read where its rows as they stand are no function of the log, and why that is so."""

    query: str
    reason: str


# Relations with another reading than their rows, by full name; `{schema}` in the query stands for the schema of either
# side. None so far: heads of builds, which no log can tell, are carried over, with seq and hash from the log.
OWN_READING: Mapping[str, Reading] = {}


@dataclass(frozen=True)
class Relation:
    """A table of the ledger or a view of the marts, with its columns on both sides (none where it is missing)."""

    schema: str
    name: str
    live: tuple[tuple[str, str], ...]
    replayed: tuple[tuple[str, str], ...]

    @property
    def full_name(self) -> str:
        """Schema and name of the live one."""
        return f"{self.schema}.{self.name}"

    @property
    def problem(self) -> str | None:
        """Why rows can't be compared, or None."""
        if not self.live:
            return "只有重放账簿有此表 / only the replayed books have this relation"
        if not self.replayed:
            return "只有现行账簿有此表 / only the live books have this relation"
        if self.live != self.replayed:
            other = sorted({f"{name} {kind}" for name, kind in {*self.live} ^ {*self.replayed}})
            return f"列不同 / columns differ: {', '.join(other) or 'their order'}"
        return None

    def has(self, column: str) -> bool:
        """Whether both sides have the column."""
        return column in dict(self.live) and self.problem is None

    @property
    def seq_column(self) -> str | None:
        """The column by which the relation can be taken in parts."""
        return next((column for column in SEQ_COLUMNS if self.has(column)), None)


@dataclass(frozen=True)
class Difference:
    """A row that one side alone has: `live_only` or `replayed_only`, and the row as JSON text."""

    side: str
    text: str

    @property
    def item(self) -> dict[str, Any]:
        """The row's values by column; amounts are Decimal."""
        values: dict[str, Any] = json.loads(self.text, parse_float=Decimal)
        return values


@dataclass
class Result:
    """What was found for a relation and region; `differences` are the first rows of either side."""

    relation: str
    region_code: str
    head_seq: int
    started_at: datetime
    live_rows: int = 0
    replayed_rows: int = 0
    live_only_rows: int = 0
    replayed_only_rows: int = 0
    problem: str | None = None
    duration_ms: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def success(self) -> bool:
        """Equal row for row."""
        return not (self.live_only_rows or self.replayed_only_rows or self.problem)


@dataclass(frozen=True)
class Heads:
    """Heads by region, as one snapshot has them."""

    built: Mapping[str, int]
    published: Mapping[str, int]

    def of(self, relation: Relation, region_code: str) -> int:
        """Up to where a relation is compared; 0 where nothing is built or published."""
        return (self.built if relation.schema == "ledger" else self.published).get(region_code, 0)


_RELATIONS = """
SELECT
    replace(n.nspname, %(suffix)s, ''), c.relname, n.nspname LIKE '%%' || %(suffix)s,
    array_agg(a.attname::text ORDER BY a.attnum), array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE pg_has_role(c.relowner, 'USAGE') AND (
    n.nspname IN ('ledger', 'ledger' || %(suffix)s) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    OR n.nspname IN ('marts', 'marts' || %(suffix)s) AND c.relkind IN ('r', 'p', 'v', 'm')
)
GROUP BY n.nspname, c.relname
ORDER BY 1, 2, 3
"""
_BUILT = "SELECT region_code, max(seq) FROM {}.built_head GROUP BY region_code ORDER BY region_code"
_PUBLISHED = "SELECT region_code, max(seq) FROM ledger.publication GROUP BY region_code ORDER BY region_code"
_COMPARE = """
WITH live AS MATERIALIZED ({live}),
replayed AS MATERIALIZED ({replayed}),
live_only AS MATERIALIZED (SELECT * FROM live EXCEPT ALL SELECT * FROM replayed),
replayed_only AS MATERIALIZED (SELECT * FROM replayed EXCEPT ALL SELECT * FROM live)
SELECT
    (SELECT count(*) FROM live), (SELECT count(*) FROM replayed),
    (SELECT count(*) FROM live_only), (SELECT count(*) FROM replayed_only),
    ARRAY(SELECT to_jsonb(d)::text FROM live_only AS d {order} LIMIT {shown}),
    ARRAY(SELECT to_jsonb(d)::text FROM replayed_only AS d {order} LIMIT {shown})
"""


def relations(connection: Connection) -> list[Relation]:
    """Every table the models own in the ledger and every mart, of either side, by name."""
    sides: dict[tuple[str, str], dict[bool, tuple[tuple[str, str], ...]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_RELATIONS, {"suffix": SUFFIX})
        for schema, name, is_shadow, columns, types in cursor.fetchall():
            sides.setdefault((schema, name), {})[is_shadow] = tuple(zip(columns, types, strict=True))
    return [Relation(*key, side.get(False, ()), side.get(True, ())) for key, side in sorted(sides.items())]


def heads(connection: Connection, suffix: str = "") -> Heads:
    """The heads of the books with this suffix; publications are the live ones."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(_BUILT).format(sql.Identifier(f"ledger{suffix}")))
        built = dict(cursor.fetchall())
        cursor.execute(_PUBLISHED)
        return Heads(built, dict(cursor.fetchall()))


def compare(connection: Connection, relation: Relation, now: Heads, compared: Heads | None = None) -> Iterator[Result]:
    """Compare a relation, a region at a time; a row of an unknown region, or of none, comes last, under region '-'.

    With `compared`, only the regions of `now`, and of the ledger only what is beyond the heads compared before.
    """
    regions = sorted({*now.built, *now.published})
    if relation.problem or not relation.has("region_code"):
        yield _measured(connection, relation, NO_REGION, 0, [sql.SQL("true")])
        return
    for region_code in regions:
        begin = compared.built.get(region_code, 0) if compared and relation.schema == "ledger" else 0
        parts = _parts(relation, region_code, now.of(relation, region_code), begin)
        yield _measured(connection, relation, region_code, now.of(relation, region_code), parts)
    if compared is None:
        yield _measured(connection, relation, NO_REGION, 0, [_elsewhere(regions)])


def _elsewhere(regions: Sequence[str]) -> sql.Composable:
    known = sql.Literal(list(regions))
    return sql.SQL("(region_code IS NULL OR region_code <> ALL({}::text[]))").format(known)


def _parts(relation: Relation, region_code: str, head: int, after: int) -> list[sql.Composable]:
    """Conditions that together cover a region's rows once each: whole, or so many events at a time."""
    region = sql.SQL("region_code = {}").format(sql.Literal(region_code))
    column = relation.seq_column
    if column is None or relation.full_name in OWN_READING:
        return [region]
    name = sql.Identifier(column)
    bounds = [*range(after, head, EVENTS_AT_A_TIME)][1:]
    # The first part has rows without a seq, the last one those beyond the head: neither may be there.
    first = sql.SQL("{} > {}").format(name, sql.Literal(after)) if after else sql.SQL("true")
    edges = [first, *(sql.SQL("{} > {}").format(name, sql.Literal(bound)) for bound in bounds)]
    ends = [*(sql.SQL("({0} <= {1} OR {0} IS NULL)").format(name, sql.Literal(bound)) for bound in bounds)]
    ends.append(sql.SQL("true"))
    return [sql.SQL(" AND ").join([region, edge, end]) for edge, end in zip(edges, ends, strict=True)]


def _measured(
    connection: Connection, relation: Relation, region_code: str, head: int, parts: Sequence[sql.Composable]
) -> Result:
    began = time.monotonic()
    result = Result(relation.full_name, region_code, head, datetime.now(UTC), problem=relation.problem)
    if result.problem is None:
        for part in parts:
            _add(connection, relation, part, result)
    result.duration_ms = int((time.monotonic() - began) * 1000)
    return result


def _add(connection: Connection, relation: Relation, condition: sql.Composable, result: Result) -> None:
    statement = sql.SQL(_COMPARE).format(
        live=_rows(relation, relation.schema, condition),
        replayed=_rows(relation, relation.schema + SUFFIX, condition),
        order=_order(relation),
        shown=sql.Literal(SHOWN),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    assert row is not None
    live, replayed, live_only, replayed_only, lost, made = row
    result.live_rows += live
    result.replayed_rows += replayed
    result.live_only_rows += live_only
    result.replayed_only_rows += replayed_only
    for side, items in (("live_only", lost), ("replayed_only", made)):
        room = SHOWN - sum(1 for kept in result.differences if kept.side == side)
        result.differences += [Difference(side, item) for item in items[:room]]


def _rows(relation: Relation, schema: str, condition: sql.Composable) -> sql.Composable:
    if own := OWN_READING.get(relation.full_name):
        query = sql.SQL(own.query).format(schema=sql.Identifier(schema))
        return sql.SQL("SELECT * FROM ({}) AS own WHERE {}").format(query, condition)
    columns = sql.SQL(", ").join(sql.Identifier(column) for column, _ in relation.live)
    return sql.SQL("SELECT {} FROM {} WHERE {}").format(columns, sql.Identifier(schema, relation.name), condition)


def _order(relation: Relation) -> sql.Composable:
    """By all columns as text, seq first, so that the rows kept are the same every time."""
    first = [relation.seq_column] if relation.seq_column else []
    names = [sql.SQL("d.{}").format(sql.Identifier(column)) for column in first]
    return sql.SQL("ORDER BY {}").format(sql.SQL(", ").join([*names, sql.SQL("d::text")]))
