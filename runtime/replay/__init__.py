"""Rebuilds the books from the log's first event beside the live ones, compares them row for row, swaps on request.

The live books are built, checked and published as ever meanwhile; only the last catch-up and the swap itself keep
builds waiting. Cut off at any instant, either the former or the new books are live; the next replay clears the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

from psycopg2.extensions import cursor as Cursor

from ingestion.database import Connection, connect
from ingestion.schema import check_version
from runtime import dbt
from runtime.replay import closed_months, comparison, records, shadow
from runtime.replay.comparison import Heads, Result
from runtime.replay.swap import SwapError, obstacles, swap, wait_for_old_snapshots
from runtime.terminal import say, step

__all__ = ["Ending", "Outcome", "ReplayError", "Request", "SwapError", "rebuilt_equals_incremental", "replay"]


class ReplayError(RuntimeError):
    """The replay could not be carried out; the live books are as they were. Begins with a stable code."""


class Outcome(Enum):
    """How a replay ended, as quality.replay_outcome has it."""

    EQUAL = "equal"
    DIFFERENT = "different"
    SWAPPED = "swapped"
    REFUSED = "refused"

    @property
    def exit_code(self) -> int:
        """0 when the books agree or were swapped, 3 when not."""
        return 0 if self in (Outcome.EQUAL, Outcome.SWAPPED) else 3


@dataclass(frozen=True)
class Request:
    """What is asked for: swap the books, accept differences for a reason (empty: none), keep the former books."""

    swap: bool = False
    accepted_reason: str = ""
    keep_former: bool = False


@dataclass
class Ending:
    """How a replay ended, with all results; `notes` are sentences for the report."""

    run_id: str
    outcome: Outcome
    results: list[Result]
    started_at: datetime
    notes: list[str] = field(default_factory=list)

    @property
    def different(self) -> list[Result]:
        """Results with a difference."""
        return [one for one in self.results if not one.success]


def rebuilt_equals_incremental(run_id: str) -> bool:
    """H03: rebuild the books beside the live ones and compare; the results are recorded under `run_id`."""
    return replay(run_id).outcome is Outcome.EQUAL


def replay(run_id: str, request: Request | None = None) -> Ending:
    """Rebuild, compare, record; swap when asked for. ReplayError when it can't be done at all.

    A swap is refused when any row differs, published figures included, unless the request accepts differences for a
    reason, which is recorded. No reason lets closed months become other than they were signed.
    """
    request, started = request or Request(), datetime.now(UTC)
    with _only_one() as guard:
        dbt.deploy(run_id)
        code = dbt.deployed_code()
        ending = Ending(run_id, Outcome.EQUAL, [], started)
        with step("重放 · 建影子账簿 / building the books from the first event"):
            _rebuild(guard, run_id)
        compared = _compare(run_id, code, ending)
        records.record_results(run_id, ending.results)
        if request.swap:
            _swap(guard, code, request, ending, compared)
        else:
            ending.outcome = Outcome.DIFFERENT if ending.different else Outcome.EQUAL
        if ending.outcome is not Outcome.SWAPPED:
            _record_outcome(ending, code)
        _clear(guard, ending)
        return ending


@contextmanager
def _only_one() -> Iterator[Connection]:
    """A connection of the user who owns the schemas, holding the lock of replays."""
    with closing(connect(autocommit=True)) as connection, connection.cursor() as cursor:
        check_version(connection)
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended('merged_fund.replay', 0))")
        if cursor.fetchone() != (True,):
            raise ReplayError("R-REPLAY-RUNNING: 另一次重放正在进行 / another replay is running; wait for its end")
        yield connection


def _rebuild(guard: Connection, run_id: str) -> None:
    shadow.drop(guard, shadow.leftovers(guard))
    shadow.make(guard)
    with closing(connect(role=dbt.ROLE, autocommit=True)) as models:
        dbt.build_shadow(run_id, shadow.SUFFIX, models)


def _compare(run_id: str, code: str, ending: Ending) -> Heads:
    """Compare all there is, in one snapshot in which both books have the same head; returns that head."""
    with _snapshot_of_equal_heads(run_id, code, ending) as snapshot:
        heads, relations = comparison.heads(snapshot), comparison.relations(snapshot)
        for number, relation in enumerate(relations, 1):
            found = list(comparison.compare(snapshot, relation, heads))
            ending.results += found
            rows, lost = sum(one.live_rows for one in found), [one for one in found if not one.success]
            told = "不一致 / DIFFERENT" if lost else "一致 / equal"
            say(f"重放 · 比较 / comparing {number}/{len(relations)} {relation.full_name}: {rows} rows, {told}")
        return heads


@contextmanager
def _snapshot_of_equal_heads(run_id: str, code: str, ending: Ending) -> Iterator[Connection]:
    """A read-only snapshot of both books at one head; builds wait while it is brought about, not while it is read."""
    with closing(connect(role=dbt.ROLE)) as snapshot:
        snapshot.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with dbt.locked() as models, step("重放 · 追平 / catching up with the live books"):
            _complete_live(run_id, ending)
            _catch_up(models, run_id, code)
            with snapshot.cursor() as cursor:
                cursor.execute("SET work_mem = '256MB'")
                cursor.execute("SELECT count(*) FROM ledger.publication")  # the snapshot is that of the first query
        yield snapshot


def _complete_live(run_id: str, ending: Ending) -> None:
    """Do what a build that broke off has left undone; when that fails it is told, and the books are compared."""
    try:
        dbt.append(f"{run_id}.live")
    except dbt.DbtError as error:
        ending.notes.append(f"现行账簿的增量构建失败 / the build of the live books failed: {error}")


def _catch_up(models: Connection, run_id: str, code: str) -> None:
    """Bring the shadow to the live head, inside the build lock. ReplayError when other code was deployed meanwhile."""
    if dbt.deployed_code() != code or dbt.code_sha256() != code:
        raise ReplayError(
            "R-CODE-CHANGED: 重放期间部署了新的模型代码 / the models were deployed anew meanwhile; replay again"
        )
    if comparison.heads(models, shadow.SUFFIX).built != comparison.heads(models).built:
        dbt.build_shadow(run_id, shadow.SUFFIX, models)


def _swap(guard: Connection, code: str, request: Request, ending: Ending, compared: Heads) -> None:
    """Swap unless something speaks against it; what arrived since the comparison is caught up with and compared."""
    with dbt.locked() as models, step("重放 · 替换 / swapping"):
        _catch_up(models, ending.run_id, code)
        ending.results += (since := list(_compare_since(compared)))
        records.record_results(ending.run_id, since)
        reasons = obstacles(guard) + (closed_months.changed_months() if ending.different else [])
        if ending.different and not request.accepted_reason.strip():
            reasons.append("账簿不一致，未说明接受的理由 / the books differ and no reason to accept that was given")
        if not reasons:
            try:
                wait_for_old_snapshots(guard)
                _change_places(code, request, ending)
                return
            except SwapError as error:
                reasons = [str(error)]
        ending.outcome = Outcome.REFUSED
        ending.notes += reasons


def _change_places(code: str, request: Request, ending: Ending) -> None:
    retired = f"_kept_{ending.started_at:%Y%m%d%H%M%S}" if request.keep_former else shadow.RETIRED
    reason = request.accepted_reason.strip() if ending.different else None

    def record(cursor: Cursor) -> None:
        cursor.execute(f"SET LOCAL ROLE {records.ROLE}")
        swapped = Outcome.SWAPPED.value
        records.record_outcome(cursor, ending.run_id, swapped, code, ending.results, reason, ending.started_at)

    swap(retired, record)
    ending.outcome = Outcome.SWAPPED
    if request.keep_former:
        ending.notes.append(f"原账簿保留在 / the former books are kept in ledger{retired}, marts{retired}")


def _compare_since(compared: Heads) -> Iterator[Result]:
    """Rows of later events, and all marts of regions published since."""
    with closing(connect(role=dbt.ROLE)) as snapshot:
        snapshot.set_session(isolation_level="REPEATABLE READ", readonly=True)
        now = comparison.heads(snapshot)
        if now == compared:
            return
        grown = {region: seq for region, seq in now.built.items() if compared.built.get(region) != seq}
        moved = {region: seq for region, seq in now.published.items() if compared.published.get(region) != seq}
        for relation in comparison.relations(snapshot):
            heads = Heads(grown, {}) if relation.schema == "ledger" else Heads({}, moved)
            if heads.built or heads.published:
                yield from comparison.compare(snapshot, relation, heads, compared)


def _record_outcome(ending: Ending, code: str) -> None:
    with closing(connect(role=records.ROLE)) as connection, connection, connection.cursor() as cursor:
        outcome = ending.outcome.value
        records.record_outcome(cursor, ending.run_id, outcome, code, ending.results, None, ending.started_at)


def _clear(guard: Connection, ending: Ending) -> None:
    """Remove what is no longer needed; replayed books that differ stay to be looked at until the next replay."""
    if ending.outcome is Outcome.SWAPPED:
        try:
            wait_for_old_snapshots(guard)  # a query that was planned before the swap may still be about to read them
        except SwapError as error:
            ending.notes.append(f"原账簿由下一次重放清除 / the former books are cleared by the next replay: {error}")
            return
    elif ending.different:
        ending.notes.append(
            "重放账簿保留在 ledger_replay、marts_replay，直到下一次重放 / the replayed books stay there until then"
        )
        return
    shadow.drop(guard, shadow.leftovers(guard))
