"""The ingesting process is killed anywhere: all of a file is there or nothing, and the next run makes it good."""

from __future__ import annotations

import fcntl
import random
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import MakeIngestion, Undisturbed
from tests.faults.ingesting import Ingestion, ask, ended, failure, until
from tests.faults.log_state import audit, left_over
from tests.faults.stopping import stopped

pytestmark = pytest.mark.slow

STARTING_S = 0.3  # before that no process has done anything yet


@pytest.mark.parametrize(
    ("area", "number", "kills"),
    [
        ("small", signal.SIGKILL, 8),
        ("big", signal.SIGKILL, 2),
        ("small", signal.SIGTERM, 2),
        pytest.param("small", signal.SIGKILL, 160, marks=[pytest.mark.exhaustive, pytest.mark.timeout(2400)]),
        pytest.param("big", signal.SIGKILL, 50, marks=[pytest.mark.exhaustive, pytest.mark.timeout(2400)]),
    ],
)
def test_killed_at_random_instants(
    area: str, number: signal.Signals, kills: int, ingestion_on: MakeIngestion, request: pytest.FixtureRequest
) -> None:
    undisturbed: Undisturbed = request.getfixturevalue(area)
    instants = random.Random(f"{area} {number} {kills}")
    # Of small files each start has fewer to take than the one before; the big one begins anew every time.
    at_most_s = undisturbed.seconds * (0.7 if area == "small" else 1)
    while kills:
        ingestion = ingestion_on(undisturbed.landing)
        while kills and _killed(ingestion, number, instants.uniform(STARTING_S, at_most_s)):
            kills -= 1
            assert audit(ingestion.url) == []
        assert ingestion.complete() == undisturbed.state
    assert ingestion.finish("verify-heads") == [{"problems": []}]


def _killed(ingestion: Ingestion, number: signal.Signals, after_s: float) -> bool:
    """Whether the signal ended the process; False when it was through before."""
    with ended(ingestion.start("run")) as process:
        time.sleep(after_s)
        process.send_signal(number)
        process.communicate()
        return process.returncode == -number


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("after", "event"),
        ("after", "quarantine_resolution"),
        ("after", "file_outcome"),
        pytest.param("before", "event", marks=pytest.mark.exhaustive),
        pytest.param("after", "batch", marks=pytest.mark.exhaustive),
        pytest.param("after", "quarantine", marks=pytest.mark.exhaustive),
    ],
)
def test_killed_within_its_transaction(
    kind: str, table: str, small: Undisturbed, ingestion_on: MakeIngestion, superuser: Callable[[Ingestion], str]
) -> None:
    ingestion = ingestion_on(small.landing)
    with stopped(superuser(ingestion), kind, table) as point:
        with ended(ingestion.start("run")) as process:
            point.backend()
            before = ask(ingestion.url, "SELECT count(*) FROM events.event")
            process.kill()
            process.wait()
        point.release()
        until(lambda: left_over(ingestion.url) == [])
    assert ask(ingestion.url, "SELECT count(*) FROM events.event") == before
    assert audit(ingestion.url) == []
    assert ingestion.complete() == small.state


def test_killed_while_its_commit_is_under_way(
    small: Undisturbed, ingestion_on: MakeIngestion, superuser: Callable[[Ingestion], str]
) -> None:
    ingestion = ingestion_on(small.landing)
    with stopped(superuser(ingestion), "commit", "file_outcome") as point:
        with ended(ingestion.start("run")) as process:
            point.backend()
            assert ask(ingestion.url, "SELECT count(*) FROM events.event") == [(0,)]
            process.kill()
            process.wait()
        point.release()
        until(lambda: left_over(ingestion.url) == [])
    assert ask(ingestion.url, "SELECT file_name, loaded FROM events.file") == [("all.registration.1.csv", 60)]
    assert audit(ingestion.url) == []
    assert ingestion.complete() == small.state


def test_killed_between_the_last_commit_and_the_heads(small: Undisturbed, ingestion_on: MakeIngestion) -> None:
    ingestion = ingestion_on(small.landing)
    ((log_id,),) = ask(ingestion.url, "SELECT log_id::text FROM events.log_identity")
    folder = ingestion.heads / log_id
    folder.mkdir(parents=True)
    with (folder / ".lock").open("w") as lock, ended(ingestion.start("run")) as process:
        fcntl.flock(lock, fcntl.LOCK_EX)
        until(lambda: _waits_for_file_lock(process.pid))
        process.kill()
        process.wait()
    assert list(folder.glob("*.jsonl")) == []
    assert ingestion.complete() == small.state


def _waits_for_file_lock(pid: int) -> bool:
    waiting = [line.split() for line in Path("/proc/locks").read_text().splitlines() if "->" in line]
    return str(pid) in {field for line in waiting for field in line}


@pytest.mark.parametrize("room", [100, pytest.param(0, marks=pytest.mark.exhaustive)])
def test_no_room_for_the_heads_stops_clearly_and_the_next_run_writes_them(
    room: int, small: Undisturbed, ingestion_on: MakeIngestion
) -> None:
    ingestion = ingestion_on(small.landing).with_variables(PYTHONDONTWRITEBYTECODE="1")
    with ended(ingestion.start("run")) as process:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (room, room))
        told = failure(process)
    assert f"can't be written to {ingestion.heads}" in told
    assert [path.stat().st_size for path in ingestion.heads.glob("*/*.jsonl")] == [room]
    assert ingestion.complete() == small.state
    assert ingestion.finish("verify-heads") == [{"problems": []}]


def test_a_head_cut_off_by_a_crash_is_written_again(small: Undisturbed, ingestion_on: MakeIngestion) -> None:
    ingestion = ingestion_on(small.landing)
    ingestion.finish("run")
    for path in ingestion.heads.glob("*/*.jsonl"):
        path.write_bytes(path.read_bytes()[:-40])
    assert ingestion.complete() == small.state
