"""Several sessions that read one snapshot at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from queue import SimpleQueue
from types import TracebackType
from typing import TypeVar

from psycopg2 import sql

from ingestion.database import Connection, connect
from ingestion.settings import Settings

ROLE = "fund_quality"
T = TypeVar("T")
R = TypeVar("R")
# One session does not help another: each processor has one of them. What is summed by batch fits into memory.
_READING = "set local work_mem = '128MB'; set local jit = off; set local max_parallel_workers_per_gather = 0"


@contextmanager
def snapshot(settings: Settings) -> Iterator[Connection]:
    """A read-only transaction that sees the books as they are once no build is under way."""
    with closing(connect(ROLE, settings=settings)) as connection:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with closing(connect(ROLE, settings=settings, autocommit=True)) as guard, guard.cursor() as locking:
            locking.execute("select pg_advisory_lock_shared(hashtextextended('merged_fund.dbt', 0))")
            with connection.cursor() as cursor:
                cursor.execute("select count(*) from ledger.publication")  # the snapshot is that of the first query
        yield connection


def snapshot_name(connection: Connection) -> str:
    """Export the snapshot of a transaction; others may use it until that transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_export_snapshot()")
        (name,) = cursor.fetchone() or ("",)
    return str(name)


@contextmanager
def sessions(of: Connection, settings: Settings, workers: int | None = None) -> Iterator[Sessions]:
    """`workers` sessions (default: one a processor) in the snapshot of this connection."""
    name = snapshot_name(of)
    with ExitStack() as stack:
        opened = [stack.enter_context(closing(_session(settings, name))) for _ in range(workers or os.cpu_count() or 1)]
        yield stack.enter_context(Sessions(opened))


class Sessions:
    """Sessions of one snapshot, each used by one thread at a time."""

    def __init__(self, opened: Sequence[Connection]) -> None:
        self._free: SimpleQueue[Connection] = SimpleQueue()
        self._threads = ThreadPoolExecutor(len(opened))
        for session in opened:
            self._free.put(session)

    def __enter__(self) -> Sessions:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._threads.shutdown(cancel_futures=True)

    def map(self, work: Callable[[Connection, T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Results of `work(session, task)` in the order of the tasks."""
        return self._threads.map(lambda task: self._run(work, task), tasks)

    def _run(self, work: Callable[[Connection, T], R], task: T) -> R:
        session = self._free.get()
        try:
            return work(session, task)
        finally:
            self._free.put(session)


def _session(settings: Settings, name: str) -> Connection:
    session = connect(ROLE, settings=settings)
    session.set_session(isolation_level="REPEATABLE READ", readonly=True)
    with session.cursor() as cursor:
        cursor.execute(sql.SQL("set transaction snapshot {}").format(sql.Literal(name)))
        cursor.execute(_READING)
    return session
