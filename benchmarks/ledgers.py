"""Warehouses full of books: a log made by SQL alone, built and published as the pipeline builds and publishes.

What a city sends, in its proportions: of a thousand events 350 premiums, 120 assessments, 500 settlements and payments
of claims, 12 corrections, 10 enrolments, 8 movements of fund-level money. Facts are those of `benchmarks/ledgers.sql`;
they pass every check of the gate, hashes and chain included.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection

from benchmarks.common import Server
from benchmarks.databases import execute
from expectations.rules_version import rules_sha256
from ingestion.schema import migrate
from ingestion.settings import Settings
from runtime.dbt import build, deploy

REGION, OTHER_REGION = "320100", "340400"
OTHER_SHARE = 5  # one batch in so many is the other region's
BEGIN, END = date(2019, 1, 1), date(2022, 1, 1)  # 36 months; the days measured follow
BATCH_EVENTS = 10_000
PART_BATCHES = 100  # built at once: what is sorted on the way stays small
DAY_FILES = (200, 400, 9_000, 10_400)  # a day of 20,000 events in so many files
_SQL = Path(__file__).with_suffix(".sql").read_text("utf-8")
_GUARDED = ("events.batch", "events.event")


@dataclass(frozen=True)
class Batch:
    """Events `first` to `last` of a region, of the days from `begin` to before `end`, recorded the morning after."""

    region: str
    batch_id: int
    first: int
    last: int
    begin: date
    end: date
    kind: str = "ordinary"


def prepare() -> None:
    """Migrate the database that FUND_DATABASE_URL points to, and deploy the models into it."""
    migrate(Settings.from_env())
    with contextlib.redirect_stdout(io.StringIO()):
        deploy("benchmark")


def fill(target: Server, batches: Iterator[Batch]) -> None:
    """Append batches to the log, a transaction each, sealed and hashed as ingestion does it."""
    with closing(psycopg2.connect(target.superuser_url)) as connection:
        _prepare(connection)
        for batch in batches:
            _append(connection, batch)
        _finish(connection)


def ledger(target: Server, events: int) -> None:
    """A log of so many events over 36 months, built in parts; its heads are published without asking the gate."""
    batches, built = list(history(events)), 0
    for begin in range(0, len(batches), PART_BATCHES):
        part = batches[begin : begin + PART_BATCHES]
        fill(target, iter(part))
        with contextlib.redirect_stdout(io.StringIO()):
            build(f"history-{begin}")
        built += sum(batch.last - batch.first + 1 for batch in part)
        print(f"  {built:,} events are in the books", flush=True)
    publish_unasked(target)
    execute(target, "VACUUM (ANALYZE)")


def history(events: int) -> Iterator[Batch]:
    """Batches of 36 months: a region's opening, equal steps in time, its merger after the batch that reaches it."""
    count = max(1, events // BATCH_EVENTS)
    days = (END - BEGIN).days
    heads = {region: _Head(region) for region in (REGION, OTHER_REGION)}
    for head in heads.values():
        yield head.next(3, BEGIN, BEGIN + timedelta(1), "opening")
    for number in range(count):
        begin, end = BEGIN + timedelta(number * days // count), BEGIN + timedelta((number + 1) * days // count)
        rows = events * (number + 1) // count - events * number // count
        head = heads[OTHER_REGION if number % OTHER_SHARE == OTHER_SHARE - 1 else REGION]
        yield head.next(rows, begin, max(end, begin + timedelta(1)))
        for late in heads.values():
            if not late.merged and end > date(2020, 1, 1):
                late.merged = True
                yield late.next(1, begin, end, "merger")


def day(target: Server, number: int, files: tuple[int, ...] = DAY_FILES) -> Iterator[Batch]:
    """Day `number` after the history of one region, in several files; a percent of its rows is twenty days late."""
    ((batch_id, last),) = execute(
        target, f"SELECT max(batch_id), max(last_seq) FROM events.batch WHERE region_code = '{REGION}'"
    )
    head = _Head(REGION, int(str(batch_id)), int(str(last)))
    begin = END + timedelta(number)
    for rows in files:
        yield head.next(rows, begin, begin + timedelta(1))


def publish_unasked(target: Server) -> None:
    """Publish every built head, so that what follows is an increment; a long history's checks are not measured here."""
    with closing(psycopg2.connect(target.superuser_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)"
            " SELECT DISTINCT ON (region_code) region_code, seq, batch_id, batch_hash, %s, 'history'"
            " FROM ledger.built_head ORDER BY region_code, seq DESC",
            (rules_sha256(connection),),
        )


class _Head:
    """How far the log of a region has come."""

    def __init__(self, region: str, batch_id: int = 0, last: int = 0) -> None:
        self._region, self._batch_id, self._last = region, batch_id, last
        self.merged = False

    def next(self, rows: int, begin: date, end: date, kind: str = "ordinary") -> Batch:
        """The batch of the next rows."""
        self._batch_id += 1
        first, self._last = self._last + 1, self._last + rows
        return Batch(self._region, self._batch_id, first, self._last, begin, end, kind)


def _prepare(connection: Connection) -> None:
    """A table of drafts like the log; the batch's row is written before its hash, which its guard would refuse."""
    with connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events.batch DISABLE TRIGGER append_only")
        cursor.execute("CREATE TEMPORARY TABLE draft (LIKE events.event)")
        cursor.execute("ALTER TABLE draft ALTER content_hash DROP NOT NULL")
        cursor.execute(_SQL)


def _finish(connection: Connection) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events.batch ENABLE ALWAYS TRIGGER append_only")
        cursor.execute("DROP TABLE draft")


def _append(connection: Connection, batch: Batch) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_temp.append_batch(%s, %s, %s, %s, %s, %s, %s)",
            (batch.region, batch.batch_id, batch.first, batch.last, batch.begin, batch.end, batch.kind),
        )
