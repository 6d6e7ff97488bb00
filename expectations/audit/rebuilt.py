"""Rebuilt = incremental (H03), read-only: what each table of the books must hold, made anew from the log and compared.

The models' own queries are compiled for an audit and filled in for whole batches (macro `audit_tokens`). Both sides are
reduced to a count and a keyed sum of row hashes a batch; where these differ, the rows themselves are named. Each batch
is made anew from the log and from the books of the batches before it, which were compared in their turn: so the books
as a whole are what the log leads to. Several sessions share one snapshot. Nothing is written to the books.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from psycopg2 import sql

from expectations.audit.sessions import Sessions
from expectations.audit.slices import EVENTS_AT_A_TIME, Slice, read_slices
from ingestion.database import Connection
from runtime.dbt import Appended
from runtime.replay.comparison import NO_REGION, SHOWN, Difference, Result

_LOG = logging.getLogger(__name__)
_PROGRESS_EVERY_S = 10.0

# Rows on both sides, and the batches that differ. The hash of a row is keyed anew by each audit: who changes rows
# cannot know which changes would cancel out.
_SUMS = """
with rebuilt as (
{query}
),
made as (
    select batch_id, count(*) as rows, sum(hash_record_extended(hashed, {key})) as hash
    from (select {columns} from rebuilt) as hashed
    group by batch_id
),
held as (
    select batch_id, count(*) as rows, sum(hash_record_extended(hashed, {key})) as hash
    from (select {columns} from {table} where {bounds}) as hashed
    group by batch_id
)
select
    coalesce(sum(held.rows), 0)::bigint,
    coalesce(sum(made.rows), 0)::bigint,
    array_agg(batch_id order by batch_id)
        filter (where (held.rows, held.hash) is distinct from (made.rows, made.hash))
from held full join made using (batch_id)
"""
_ROWS = """
with rebuilt as materialized (
    select {columns} from (
{query}
    ) as query
),
held as materialized (select {columns} from {table} where {bounds}),
held_only as materialized (select * from held except all select * from rebuilt),
rebuilt_only as materialized (select * from rebuilt except all select * from held)
select
    (select count(*) from held_only), (select count(*) from rebuilt_only),
    array(select to_jsonb(d)::text from held_only as d order by d.{seq}, d::text limit {shown}),
    array(select to_jsonb(d)::text from rebuilt_only as d order by d.{seq}, d::text limit {shown})
"""
_STRAYS = """
select coalesce(region_code, ''), count(*),
    (array_agg(to_jsonb(stray)::text order by stray.{seq}, stray::text))[:{shown}]
from (select {columns} from {table} where ({known}) is not true) as stray
group by 1
order by 1
"""


@dataclass(frozen=True)
class _Task:
    table: Appended
    slice: Slice


@dataclass(frozen=True)
class _Found:
    """What one task found; the differences are those of the batches whose sums differ."""

    task: _Task
    started_at: datetime
    seconds: float
    held_rows: int
    made_rows: int
    held_only: int = 0
    made_only: int = 0
    differences: tuple[Difference, ...] = ()


def compare(
    tables: Mapping[str, Appended], snapshot: Connection, reading: Sessions, events: int = EVENTS_AT_A_TIME
) -> list[Result]:
    """Compare every table with what the log leads to, as this connection's snapshot has it; by table and region.

    Rows beyond a built head count as rows of that region that the log does not lead to; those of regions without one
    are told under region `-`. The sessions, of the same snapshot, take `events` events at a time.
    """
    slices = read_slices(snapshot, events)
    key = secrets.randbelow(2**62)
    tasks = [_Task(table, one) for one in slices for table in tables.values()]
    found: list[_Found] = []
    told = began = time.monotonic()
    for one in reading.map(partial(_compared, key=key), tasks):
        found.append(one)
        if time.monotonic() - told > _PROGRESS_EVERY_S:
            told = time.monotonic()
            _LOG.info("重算并比较 / rebuilding, comparing %d/%d, %.0f s", len(found), len(tasks), told - began)
    results = _by_region(found)
    for table in tables.values():
        _add_strays(snapshot, table, slices, results)
    return [results[key] for key in sorted(results)]


def _compared(session: Connection, task: _Task, *, key: int) -> _Found:
    started_at, began = datetime.now(UTC), time.monotonic()
    with session.cursor() as cursor:
        cursor.execute(_filled(_SUMS, task.table, task.slice, key=sql.Literal(key)))
        held, made, batches = cursor.fetchone() or (0, 0, None)
    found = _Found(task, started_at, time.monotonic() - began, held, made)
    return _named(session, found, batches) if batches else found


def _named(session: Connection, found: _Found, batches: Sequence[int | None]) -> _Found:
    """The rows that differ, of the first batch to the last one that does: a row may name a batch it is not of."""
    table, whole = found.task.table, found.task.slice
    numbers = [batch.batch_id for batch in whole.batches]
    places = [numbers.index(one) if one in numbers else None for one in batches]
    inside = [place for place in places if place is not None]
    part = whole if None in places else whole.of(whole.batches[min(inside) : max(inside) + 1])
    with session.cursor() as cursor:
        cursor.execute(_filled(_ROWS, table, part))
        held_only, made_only, held, made = cursor.fetchone() or (0, 0, [], [])
    differences = [Difference("live_only", text) for text in held]
    differences += [Difference("replayed_only", text) for text in made]
    counts = (found.held_rows, found.made_rows, held_only, made_only)
    return _Found(found.task, found.started_at, found.seconds, *counts, tuple(differences))


def _filled(statement: str, table: Appended, part: Slice, **more: sql.Composable) -> sql.Composable:
    values = {
        "__audit_region__": part.region_code,
        "__audit_after__": str(part.after),
        "__audit_up_to__": str(part.up_to),
        "__audit_closings__": str(part.has_closing).lower(),
    }
    query = table.query
    for token, value in values.items():
        query = query.replace(token, value)
    seq = sql.Identifier(table.seq_column)
    bounds = sql.SQL("region_code = {} and {} > {} and {} <= {}").format(
        sql.Literal(part.region_code), seq, sql.Literal(part.after), seq, sql.Literal(part.up_to)
    )
    return sql.SQL(statement).format(query=sql.SQL(query), bounds=bounds, **_names(table), **more)


def _names(table: Appended) -> dict[str, sql.Composable]:
    return {
        "columns": sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        "table": sql.Identifier("ledger", table.name),
        "seq": sql.Identifier(table.seq_column),
        "shown": sql.Literal(SHOWN),
    }


def _by_region(found: Sequence[_Found]) -> dict[tuple[str, str], Result]:
    results: dict[tuple[str, str], Result] = {}
    for one in found:
        table, region = one.task.table.name, one.task.slice.region_code
        result = results.setdefault((region, table), Result(f"ledger.{table}", region, 0, one.started_at))
        result.head_seq = max(result.head_seq, one.task.slice.up_to)
        result.live_rows += one.held_rows
        result.replayed_rows += one.made_rows
        result.live_only_rows += one.held_only
        result.replayed_only_rows += one.made_only
        result.duration_ms += round(one.seconds * 1000)
        _keep(result, one.differences)
    return results


def _add_strays(
    snapshot: Connection, table: Appended, slices: Sequence[Slice], results: dict[tuple[str, str], Result]
) -> None:
    """Rows that no slice covers."""
    nowhere = Result(f"ledger.{table.name}", NO_REGION, 0, datetime.now(UTC))
    results[NO_REGION, table.name] = nowhere
    seq = sql.Identifier(table.seq_column)
    known = [
        sql.SQL("region_code = {} and {} > 0 and {} <= {}").format(sql.Literal(region), seq, seq, sql.Literal(up_to))
        for region, up_to in {one.region_code: one.up_to for one in slices}.items()
    ]
    statement = sql.SQL(_STRAYS).format(known=sql.SQL(" or ").join(known or [sql.SQL("false")]), **_names(table))
    with snapshot.cursor() as cursor:
        cursor.execute(statement)
        for region, count, rows in cursor.fetchall():
            result = results.get((region, table.name), nowhere)
            result.live_rows += count
            result.live_only_rows += count
            _keep(result, [Difference("live_only", text) for text in rows])


def _keep(result: Result, differences: Sequence[Difference]) -> None:
    for side in ("live_only", "replayed_only"):
        room = SHOWN - sum(1 for kept in result.differences if kept.side == side)
        result.differences += [new for new in differences if new.side == side][:room]
