"""Old months of the log as Parquet with their hashes, for keeping and for verifying without a database.

Nothing is deleted from the database. A month is archived once, when it is over; the same log gives the same bytes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from ingestion.archive_month import ROWS_AT_ONCE, ArchiveError, MonthFiles, Span, sha256
from ingestion.archive_verification import verify_month
from ingestion.database import connect
from ingestion.event_log import lock_region
from ingestion.settings import BEIJING, Settings

_log = logging.getLogger(__name__)

_MONTH = "to_char(recorded_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM')"
_DERIVED = """
    encode((SELECT b.derived_hash FROM events.batch AS b
            WHERE b.region_code = m.region_code AND b.batch_id {} AND b.derived_hash IS NOT NULL
            ORDER BY b.batch_id DESC LIMIT 1), 'hex')"""
_SPANS = f"""
WITH month AS (
    SELECT region_code, {_MONTH} AS month, min(batch_id) AS first_batch, max(batch_id) AS last_batch,
        min(first_seq) AS first_seq, max(last_seq) AS last_seq,
        encode((array_agg(prev_batch_hash ORDER BY batch_id))[1], 'hex') AS head_before,
        encode((array_agg(batch_hash ORDER BY batch_id DESC))[1], 'hex') AS head_after
    FROM events.batch
    WHERE region_code = %s AND {_MONTH} < %s
    GROUP BY 1, 2
)
SELECT m.*, {_DERIVED.format("< m.first_batch")}, {_DERIVED.format("<= m.last_batch")}
FROM month AS m ORDER BY m.month
"""
_BATCHES = """
SELECT {columns}, f.source_system, f.file_name
FROM events.batch AS b LEFT JOIN events.file_registry AS f ON f.file_id = b.file_id
WHERE b.region_code = %s AND b.batch_id BETWEEN %s AND %s ORDER BY b.batch_id
"""
_EVENTS = "SELECT {columns} FROM events.event AS e WHERE e.region_code = %s AND e.seq BETWEEN %s AND %s ORDER BY e.seq"
_COLUMNS = """
SELECT a.attname, a.atttypid::regtype::text, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute AS a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "bigint": pl.Int64(),
    "integer": pl.Int32(),
    "smallint": pl.Int16(),
    "boolean": pl.Boolean(),
    "numeric(18,2)": pl.Decimal(18, 2),
    "date": pl.Date(),
    "timestamp with time zone": pl.Datetime("us", "UTC"),
    "bytea": pl.Binary(),
    "text[]": pl.List(pl.String()),
}

Schema = dict[str, pl.DataType]


def archive(region: str, before: str, to: Path, settings: Settings | None = None) -> list[dict[str, Any]]:
    """Archive the months of a region's log recorded before `before` (YYYY-MM) below `to`; returns what each brought.

    Months that lie there already are compared and left. Every month is verified from its files before it counts.
    ArchiveError when `before` reaches into a month that is not over, or an archived month is not this log's.
    """
    settings = settings or Settings.from_env()
    _check_over(before)
    folder = to / region
    with closing(connect("fund_ingest", settings=settings)) as connection, connection.cursor() as cursor:
        lock_region(cursor, region)  # who began to append before the month ended has committed once we have it
        connection.rollback()
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        cursor.execute("SELECT log_id::text FROM events.log_identity")
        (log_id,) = cursor.fetchone()
        cursor.execute(_SPANS, (region, before))
        spans = [Span(*row) for row in cursor.fetchall()]
        if not spans:
            raise ArchiveError(
                f"统筹区 {region} 在 {before} 之前没有记录 / region {region} has nothing before {before}"
            )
        folder.mkdir(parents=True, exist_ok=True)
        return [_archive_month(connection, log_id, span, MonthFiles(folder, span.month)) for span in spans]


def _check_over(before: str) -> None:
    try:
        wanted = datetime.strptime(before, "%Y-%m").replace(tzinfo=BEIJING)
    except ValueError:
        raise ArchiveError(f"--before 应为 YYYY-MM / --before must be a month YYYY-MM, not {before!r}") from None
    if wanted > datetime.now(BEIJING):
        raise ArchiveError(f"{before} 之前的月份尚未结束 / months before {before} are not over yet")


def _archive_month(connection: Connection, log_id: str, span: Span, files: MonthFiles) -> dict[str, Any]:
    told = {"region_code": span.region_code, "month": span.month, "events": span.last_seq - span.first_seq + 1}
    if files.manifest.exists():
        _check_same(files, log_id, span)
        return told | {"state": "kept"}
    with _draft(files.batches) as path:
        _write_batches(connection, span, path)
    with _draft(files.events) as path:
        _write_events(connection, span, path)
    if problem := verify_month(files, span):
        files.events.unlink()
        files.batches.unlink()
        raise ArchiveError(
            f"日志验证不符，不予归档，请按运行手册“链头不符”处理"
            f" / the log does not verify and is not archived: {problem}"
        )
    files.seal(log_id, span)
    _log.info("%s %s: seq %s to %s", span.region_code, span.month, span.first_seq, span.last_seq)
    return told | {"state": "archived"}


def _check_same(files: MonthFiles, log_id: str, span: Span) -> None:
    archived_log, archived, digests = files.read()
    if (archived_log, archived) != (log_id, span):
        raise ArchiveError(
            f"{files.manifest} 与本日志不符：是另一日志的归档，或日志被改动"
            " / is not of this log, or the log has been changed since: see “The chain does not verify”"
        )
    for path in (files.events, files.batches):
        if not path.exists() or sha256(path) != digests[path.name]:
            raise ArchiveError(f"{path} 缺失或已被改动 / is missing or has been changed since it was archived")


def _write_batches(connection: Connection, span: Span, path: Path) -> None:
    with connection.cursor() as cursor:
        schema = _schema(cursor, "events.batch")
        query = _BATCHES.format(columns=_listed("b", schema))
        cursor.execute(query, (span.region_code, span.first_batch, span.last_batch))
        whole: Schema = {**schema, "source_system": pl.String(), "file_name": pl.String()}
        _frame(cursor.fetchall(), whole).write_parquet(path, row_group_size=ROWS_AT_ONCE)


def _write_events(connection: Connection, span: Span, path: Path) -> None:
    with connection.cursor() as cursor:
        schema = _schema(cursor, "events.event")

    def chunks(*_: object) -> Iterator[pl.DataFrame]:
        with connection.cursor("archived_events") as rows:
            query = _EVENTS.format(columns=_listed("e", schema))
            rows.execute(query, (span.region_code, span.first_seq, span.last_seq))
            while chunk := rows.fetchmany(ROWS_AT_ONCE):
                yield _frame(chunk, schema)

    source = register_io_source(chunks, schema=schema)
    source.sink_parquet(path, row_group_size=ROWS_AT_ONCE, maintain_order=True)


def _schema(cursor: Cursor, relation: str) -> Schema:
    """Every column the table has today, typed; a migration that adds one need not know of archives."""
    cursor.execute(_COLUMNS, (relation,))
    found = {name: _TYPES.get(exact, _TYPES.get(kind)) for name, kind, exact in cursor.fetchall()}
    if unknown := [name for name, kind in found.items() if kind is None]:
        raise ArchiveError(f"{relation}: no archive type for column(s) {', '.join(unknown)}")
    return {name: kind for name, kind in found.items() if kind is not None}


def _listed(alias: str, schema: Schema) -> str:
    return ", ".join(f'{alias}."{name}"' for name in schema)


def _frame(rows: list[tuple[Any, ...]], schema: Schema) -> pl.DataFrame:
    """Rows, at least one, by columns: half the time of rows as they are."""
    columns = zip(schema.items(), zip(*rows, strict=True), strict=True)
    return pl.DataFrame([pl.Series(name, _plain(values, kind), kind) for (name, kind), values in columns])


def _plain(values: tuple[Any, ...], kind: pl.DataType) -> list[Any]:
    return [value if value is None else bytes(value) for value in values] if kind == pl.Binary else list(values)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """A path to write to that takes the name of `path` when it is whole and on disk."""
    draft = path.with_suffix(".draft")
    yield draft
    with draft.open("rb") as handle:
        os.fsync(handle.fileno())
    draft.replace(path)
