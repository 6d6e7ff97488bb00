"""The connection to the database is lost: by the server's hand, on the way, in silence."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from ingestion.database import connect, let_go_when_frozen
from runtime.layout import REPOSITORY
from tests.faults.conftest import MakeIngestion, Undisturbed
from tests.faults.ingesting import Ingestion, ask, ended, failure, until
from tests.faults.log_state import audit, left_over
from tests.faults.proxy import cut_after_commit, cut_at, relayed
from tests.faults.stopping import stopped

pytestmark = pytest.mark.slow

_TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'merged_fund'
"""


def test_sessions_ended_by_the_server_at_random_instants(
    small: Undisturbed, ingestion_on: MakeIngestion, superuser: Callable[[Ingestion], str]
) -> None:
    instants = random.Random("ended by the server")
    cuts = 4
    while cuts:
        ingestion = ingestion_on(small.landing)
        while cuts and _session_ended(ingestion, superuser(ingestion), instants.uniform(0.1, small.seconds)):
            cuts -= 1
            assert audit(ingestion.url) == []
        assert ingestion.complete() == small.state


def _session_ended(ingestion: Ingestion, superuser_url: str, after_s: float) -> bool:
    """Whether the process lost its session and said so; False when it was through before."""
    with ended(ingestion.start("run")) as process:
        time.sleep(after_s)
        until(lambda: process.poll() is not None or ask(superuser_url, _TERMINATE) != [(0,)])
        process.wait()
        return process.returncode != 0 and "connection" in failure(process)


@pytest.mark.parametrize("area", ["small", pytest.param("big", marks=pytest.mark.exhaustive)])
def test_the_line_is_cut_at_random_bytes(
    area: str, ingestion_on: MakeIngestion, request: pytest.FixtureRequest
) -> None:
    undisturbed: Undisturbed = request.getfixturevalue(area)
    places, cuts = random.Random(f"cut {area}"), {"small": 4, "big": 3}[area]
    size = sum(file.stat().st_size for file in undisturbed.landing.glob("*/*.csv"))
    while cuts:
        ingestion = ingestion_on(undisturbed.landing)
        while cuts and _line_cut(ingestion, places.randrange(size)):
            cuts -= 1
            assert audit(ingestion.url) == []
        assert ingestion.complete() == undisturbed.state


def _line_cut(ingestion: Ingestion, place: int) -> bool:
    """Whether the process came so far as to lose its line and said so; False when it sent less."""
    with (
        relayed(ingestion.url, cut_at(place)) as proxy,
        ended(replace(ingestion, url=proxy.url).start("run")) as process,
    ):
        process.wait()
        return proxy.cuts > 0 and bool(failure(process))


@pytest.mark.parametrize(
    "number", [5, *(pytest.param(number, marks=pytest.mark.exhaustive) for number in (1, 2, 12, 18))]
)
def test_a_commit_that_was_done_but_never_confirmed_counts_once(
    number: int, small: Undisturbed, ingestion_on: MakeIngestion
) -> None:
    ingestion = ingestion_on(small.landing)
    with relayed(ingestion.url, cut_after_commit(number)) as proxy:
        with ended(replace(ingestion, url=proxy.url).start("run")) as process:
            assert failure(process)
        assert proxy.cuts == 1
    until(lambda: left_over(ingestion.url) == [])
    assert ask(ingestion.url, "SELECT count(*) FROM events.file_outcome") == [(number,)]
    assert audit(ingestion.url) == []
    assert ingestion.complete() == small.state


def test_a_dead_line_is_noticed_within_minutes_on_both_sides(migrated_warehouse: str) -> None:
    with closing(connect()) as connection, connection.cursor() as cursor:
        with socket.socket(fileno=os.dup(connection.fileno())) as line:
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            ours = [line.getsockopt(socket.IPPROTO_TCP, option) for option in options]
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        cursor.execute(
            "SELECT name, setting::int FROM pg_settings WHERE name LIKE 'tcp_%%' ORDER BY array_position("
            "ARRAY['tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count', 'tcp_user_timeout'], name)"
        )
        theirs = [setting for _, setting in cursor.fetchall()]
    assert ours == theirs == [30, 10, 3, 60_000]
    assert migrated_warehouse


def test_limits_set_by_an_administrator_go_before_ours(
    migrated_warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = "SELECT current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')"
    with closing(connect()) as connection, connection.cursor() as cursor:
        let_go_when_frozen(cursor)
        cursor.execute(shown)
        assert cursor.fetchone() == ("30min", "20min")
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=7s -c idle_in_transaction_session_timeout=5s")
    monkeypatch.setenv("FUND_DATABASE_URL", migrated_warehouse + "?keepalives_idle=5")
    with closing(connect()) as connection, connection.cursor() as cursor:
        let_go_when_frozen(cursor)
        cursor.execute(shown)
        assert cursor.fetchone() == ("7s", "5s")
        with socket.socket(fileno=os.dup(connection.fileno())) as line:
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5


def test_a_line_that_falls_silent_does_not_hang(
    small: Undisturbed, ingestion_on: MakeIngestion, superuser: Callable[[Ingestion], str], tmp_path: Path
) -> None:
    _require_networks()
    ingestion = ingestion_on(small.landing)
    with stopped(superuser(ingestion), "after", "file_outcome") as point:
        with relayed(ingestion.url, path=tmp_path / "way-out"), ended(_on_a_network(ingestion, tmp_path)) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            point.backend()
            _, err = process.communicate("down\n", timeout=60)
        assert (process.returncode, "Traceback" in err) == (1, False), err
        assert "timed out" in err
        point.release()
    until(lambda: left_over(ingestion.url) == [])
    assert ask(ingestion.url, "SELECT count(*) FROM events.event") == [(0,)]
    assert ingestion.complete() == small.state


def _require_networks() -> None:
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-Urn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody make a network of his own (unshare -Urn)")


def _on_a_network(ingestion: Ingestion, folder: Path) -> subprocess.Popen[str]:
    parts = urlsplit(ingestion.url)
    here = parts._replace(
        netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:5432",
        query="keepalives_idle=1&keepalives_interval=1&keepalives_count=2&tcp_user_timeout=2000",
    )
    return subprocess.Popen(
        ["unshare", "-Urn", sys.executable, str(REPOSITORY / "tests/faults/cut_off.py"), str(folder / "way-out")],
        env=replace(ingestion, url=urlunsplit(here)).environment(),
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
