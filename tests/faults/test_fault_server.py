"""The server stops in the middle, in good order or not, and comes back."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from runtime.layout import Layout
from runtime.postgres import EmbeddedPostgres, postmaster_pid
from runtime.postgres_home import home
from tests.faults.conftest import Undisturbed
from tests.faults.ingesting import Ingestion, ask, command, ended, failure, until
from tests.faults.log_state import audit

pytestmark = pytest.mark.slow

ROLE = "fund"
TEMPLATE = "migrated"


class Server:
    """A server of its own, with everything on that keeps data over a crash."""

    def __init__(self, local: Path) -> None:
        self._layout = Layout(local)
        self._numbers = itertools.count(1)
        self.postgres = EmbeddedPostgres(self._layout, {"shared_buffers": "64MB", "fsync": "on"})
        self.postgres.start()
        self.url = self.postgres.ensure_database(ROLE, may_create_roles=True)

    def pid(self) -> int:
        """The postmaster's."""
        pid = postmaster_pid(home(self._layout).data)
        assert pid is not None
        return pid

    def backend(self, ingestion: Ingestion) -> int | None:
        """Process of the pipeline's session."""
        found = ask(ingestion.url, "SELECT pid FROM pg_stat_activity WHERE application_name = 'merged_fund'")
        return found[0][0] if found else None

    def fresh(self) -> str:
        """URL of a new copy of the migrated database."""
        name = f"copy_{next(self._numbers)}"
        command(
            self.postgres.superuser_url(),
            f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}",
            f"GRANT CREATE, CONNECT, TEMPORARY ON DATABASE {name} TO {ROLE}",
        )
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    local = Path(tempfile.mkdtemp(prefix="merged-fund-crash-"))
    local.chmod(0o755)
    server = Server(local)
    try:
        Ingestion(server.url, local / "landing", local).finish("migrate")
        command(server.postgres.superuser_url(), f"ALTER DATABASE {ROLE} RENAME TO {TEMPLATE}")
        yield server
    finally:
        server.postgres.remove()
        shutil.rmtree(local)


@pytest.mark.parametrize("fault", ["fast", "immediate", pytest.param("backend", marks=pytest.mark.exhaustive)])
def test_the_server_stops_in_the_middle(fault: str, small: Undisturbed, server: Server, tmp_path: Path) -> None:
    instants = random.Random(fault)
    faults = 2
    while faults:
        ingestion = Ingestion(server.fresh(), small.landing, tmp_path)
        while faults and _stopped(fault, server, ingestion, instants.uniform(0.3, small.seconds)):
            faults -= 1
            assert audit(ingestion.url) == []
        assert ingestion.complete() == small.state


def _stopped(fault: str, server: Server, ingestion: Ingestion, after_s: float) -> bool:
    """Whether the process was in the middle when the server stopped; the server is back."""
    with ended(ingestion.start("run")) as process:
        time.sleep(after_s)
        until(lambda: process.poll() is not None or server.backend(ingestion))
        if process.poll() is not None:
            return False
        _stop(fault, server, ingestion)
        process.wait()
        told = process.returncode != 0 and failure(process)
    server.postgres.start()
    until(lambda: _answers(ingestion.url))
    return bool(told)


def _stop(fault: str, server: Server, ingestion: Ingestion) -> None:
    if fault == "backend":  # the postmaster then ends all other sessions and recovers, as after the kernel's OOM killer
        backend = server.backend(ingestion)
        if backend is not None:
            os.kill(backend, signal.SIGKILL)
    elif fault == "fast":
        server.postgres.stop()
    else:
        pid = server.pid()
        os.kill(pid, signal.SIGQUIT)
        until(lambda: server.postgres.running_port() is None and _reaped(pid))


def _reaped(pid: int) -> bool:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


def _answers(url: str) -> bool:
    try:
        return ask(url, "SELECT 1") == [(1,)]
    except psycopg2.OperationalError:
        return False
