"""Many writers at once: of the same files, of one region, of two regions in opposite order, frozen ones among them."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.conftest import MakeIngestion, Undisturbed
from tests.faults.ingesting import PATIENCE_S, Ingestion, ask, ended, failure, until
from tests.faults.landing_area import REGIONS, land, payment
from tests.faults.log_state import audit
from tests.faults.stopping import stopped

pytestmark = pytest.mark.slow

NANJING, HUAINAN = REGIONS
# The sessions of this test's writers are named by their region.
_WAITS_BETWEEN_REGIONS = """
SELECT DISTINCT l.locktype
FROM pg_locks AS l
INNER JOIN pg_stat_activity AS waiting ON waiting.pid = l.pid
INNER JOIN pg_stat_activity AS holding ON holding.pid = ANY (pg_blocking_pids(l.pid))
WHERE NOT l.granted AND waiting.datname = current_database() AND holding.application_name <> waiting.application_name
"""
_WAITS_FOR_REGION = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pid <> %s"
_SESSIONS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'merged_fund'
"""
_DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"

Superuser = Callable[[Ingestion], str]


@contextmanager
def at_once(*processes: subprocess.Popen[str]) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that don't outlive the test."""
    with ExitStack() as stack:
        yield [stack.enter_context(ended(process)) for process in processes]


def succeed(processes: list[subprocess.Popen[str]]) -> None:
    """All end well."""
    for process in processes:
        _, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, err


def test_four_processes_on_the_same_files(small: Undisturbed, ingestion_on: MakeIngestion) -> None:
    ingestion = ingestion_on(small.landing)
    with at_once(*(ingestion.start("run") for _ in range(4))) as processes:
        succeed(processes)
    assert ingestion.complete() == small.state


def test_four_processes_of_which_three_are_killed(small: Undisturbed, ingestion_on: MakeIngestion) -> None:
    ingestion = ingestion_on(small.landing)
    with at_once(*(ingestion.start("run") for _ in range(4))) as processes:
        for decided, process in enumerate(processes[:3], start=3):
            until(lambda enough=decided: _decided(ingestion) >= enough)  # type: ignore[misc]
            process.kill()
        succeed(processes[3:])
    assert ingestion.complete() == small.state


def _decided(ingestion: Ingestion) -> int:
    return int(ask(ingestion.url, "SELECT count(*) FROM events.file_outcome")[0][0])


def test_files_of_both_regions_in_opposite_order_never_deadlock(tmp_path: Path, ingestion_on: MakeIngestion) -> None:
    names = [f"{number}.claim.1.csv" for number in range(8)]
    for number, name in enumerate(names):
        regions = REGIONS if number % 2 else REGIONS[::-1]
        rows = [payment(n, region, name) for region in regions for n in range(500)]
        land(tmp_path, "mixed", name, rows)
    ingestion = ingestion_on(tmp_path)
    with at_once(*(ingestion.start("ingest", "mixed", name) for name in names)) as processes:
        succeed(processes)
    assert ask(ingestion.url, _DEADLOCKS) == [(0,)]
    state = ingestion.complete()
    assert [(row[5], row[9]) for row in state.files] == [(1000, 1000)] * 8


def test_a_second_writer_of_a_region_follows_the_slow_commit_of_the_first(
    tmp_path: Path, ingestion_on: MakeIngestion, superuser: Superuser
) -> None:
    for source, region in (("first", NANJING), ("second", NANJING), ("other", HUAINAN)):
        land(tmp_path, source, "a.claim.1.csv", [payment(n, region, source) for n in range(50)])
    ingestion = ingestion_on(tmp_path)
    with (
        stopped(superuser(ingestion), "commit", "file_outcome", "new.file_id = 1") as point,
        at_once(ingestion.start("ingest", "first", "a.claim.1.csv")) as slow,
    ):
        holder = point.backend()
        with at_once(ingestion.start("ingest", "second", "a.claim.1.csv")) as fast:
            until(lambda: ask(ingestion.url, _WAITS_FOR_REGION, holder))
            assert ask(ingestion.url, "SELECT count(*) FROM events.batch") == [(0,)]
            ingestion.finish("ingest", "other", "a.claim.1.csv")  # the other region's writer waits for nobody
            assert ask(ingestion.url, "SELECT region_code FROM events.batch") == [(HUAINAN,)]
            point.release()
            succeed([*slow, *fast])
    found = ask(
        ingestion.url,
        "SELECT f.source_system, b.batch_id, b.first_seq, b.last_seq FROM events.batch AS b"
        " INNER JOIN events.file_registry AS f USING (file_id) WHERE b.region_code = %s ORDER BY b.batch_id",
        NANJING,
    )
    assert found == [("first", 1, 1, 50), ("second", 2, 51, 100)]
    assert audit(ingestion.url, contents=True) == []


def test_regions_in_parallel_never_wait_for_each_other(
    tmp_path: Path, ingestion_on: MakeIngestion, superuser: Superuser
) -> None:
    files = [
        (region, f"{city}_{source}") for region, city in zip(REGIONS, ("nj", "hn"), strict=True) for source in "ab"
    ]
    for region, source in files:
        land(tmp_path, source, "a.claim.1.csv", (payment(n, region, source) for n in range(10_000)))
    ingestion = ingestion_on(tmp_path)
    named = [(replace(ingestion, url=f"{ingestion.url}?application_name={region}"), source) for region, source in files]
    waits: set[tuple[str]] = set()
    with (
        stopped(superuser(ingestion), "before", "event") as point,
        at_once(*(each.start("ingest", source, "a.claim.1.csv") for each, source in named)) as processes,
    ):
        until(lambda: point.names() == set(REGIONS))  # both are in the middle of it, each with its region's lock
        point.release()
        while any(process.poll() is None for process in processes):
            waits |= set(ask(ingestion.url, _WAITS_BETWEEN_REGIONS))
        succeed(processes)
    assert waits <= {("extend",)}  # two may add a page to the same table's file at the same moment: no lock of ours
    assert audit(ingestion.url, contents=True) == []
    found = ask(ingestion.url, "SELECT region_code, max(seq), count(*) FROM events.event GROUP BY 1 ORDER BY 1")
    assert found == [(region, 20_000, 20_000) for region in REGIONS]


def test_a_writer_waits_for_a_frozen_one_as_long_as_it_may_and_then_says_so(
    small: Undisturbed, ingestion_on: MakeIngestion, superuser: Superuser
) -> None:
    ingestion = ingestion_on(small.landing)
    impatient = ingestion.with_variables(PGOPTIONS="-c lock_timeout=500ms")
    with stopped(superuser(ingestion), "after", "file_outcome") as point, at_once(ingestion.start("run")) as frozen:
        point.backend()
        frozen[0].send_signal(signal.SIGSTOP)
        point.release()
        with ended(impatient.start("run")) as process:
            assert "lock timeout" in failure(process)
        assert ask(ingestion.url, "SELECT count(*) FROM events.event") == [(0,)]
        frozen[0].send_signal(signal.SIGCONT)
        succeed(frozen)
    assert ingestion.complete() == small.state


def test_a_frozen_writer_loses_its_locks_and_another_goes_on(
    small: Undisturbed, ingestion_on: MakeIngestion, superuser: Superuser
) -> None:
    ingestion = ingestion_on(small.landing)
    short = ingestion.with_variables(PGOPTIONS="-c idle_in_transaction_session_timeout=1s")
    with stopped(superuser(ingestion), "after", "file_outcome") as point, at_once(short.start("run")) as frozen:
        point.backend()
        frozen[0].send_signal(signal.SIGSTOP)
        point.release()
        assert ingestion.complete() == small.state
        frozen[0].send_signal(signal.SIGCONT)
        assert "connection" in failure(frozen[0])
    assert ingestion.complete() == small.state


def test_the_session_of_a_killed_writer_does_not_wait_on_for_a_lock(
    small: Undisturbed, ingestion_on: MakeIngestion, superuser: Superuser
) -> None:
    ingestion = ingestion_on(small.landing)
    watchful = ingestion.with_variables(PGOPTIONS="-c client_connection_check_interval=100ms")
    with stopped(superuser(ingestion), "before", "event") as point, at_once(watchful.start("run")) as killed:
        point.backend()
        killed[0].kill()
        until(lambda: ask(ingestion.url, _SESSIONS) == [(0,)])
    assert ingestion.complete() == small.state
