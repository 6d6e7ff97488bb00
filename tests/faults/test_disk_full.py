"""A disk that is full under the tables, the write-ahead log or the heads: one message, and nothing half-loaded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from ingestion import heads
from ingestion.schema import migrate
from runtime.layout import REPOSITORY, Layout
from runtime.postgres import EmbeddedPostgres
from runtime.postgres_home import Owner, home
from tests.conftest import ROLE, UNSAFE_BUT_FAST, WarehouseFactory
from tests.integration.ingestion_support import land_rows, payment, person, premium, run, select

pytestmark = pytest.mark.slow

LOG = """
SELECT region_code, seq, batch_id, line_no, encode(content_hash, 'hex'), source_event_key, original_seq, derived_columns
FROM events.event ORDER BY region_code, seq
"""
FILES = "SELECT file_name, state, rows, loaded, duplicate, quarantined, now_loaded FROM events.file ORDER BY file_name"
Taken = tuple[list[tuple[object, ...]], list[tuple[object, ...]]]
WAL_SEGMENT = 16 * 2**20


@contextmanager
def _small_disk(size_mb: int, owner: Owner) -> Iterator[Path]:
    """A file system of its own in memory; the test is skipped where mounting is not permitted."""
    point = Path(tempfile.mkdtemp(prefix="merged-fund-small-"))
    options = f"size={size_mb}m,mode=755"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", point], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        point.rmdir()
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    try:
        owner.take(point)
        yield point
    finally:
        subprocess.run(["umount", "--lazy", point], check=True)
        point.rmdir()


def _fill(disk: Path, leave: int = 0) -> Path:
    """Take all space of a disk but `leave` bytes."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as handle:
        while (free := shutil.disk_usage(disk).free - leave) > 0:
            handle.write(bytes(min(free, 2**20)))
    return filler


def _ingest() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ingestion", "run"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )


def _land() -> None:
    land_rows("a.registration.1.csv", person("P1"), person("P2", "340400"))
    land_rows("b.contribution.1.csv", *(premium(f"C{number}") for number in range(4000)))
    land_rows("c.claim.1.csv", *(payment(f"K{number}") for number in range(4000)))


@pytest.fixture
def undisturbed(migrated_warehouse: str) -> Taken:  # noqa: ARG001
    """Log and files of the same landing area, taken in without trouble."""
    _land()
    run()
    return select(LOG), select(FILES)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Point the settings at another database, with heads of its own."""

    def become(url: str) -> None:
        monkeypatch.setenv("FUND_DATABASE_URL", url)
        monkeypatch.setenv("FUND_HEADS_DIR", str(tmp_path / "other heads"))

    return become


def _told_once(done: subprocess.CompletedProcess[str], what: str) -> None:
    assert done.returncode == 1, done.stdout + done.stderr
    (message,) = done.stderr.strip().splitlines()
    assert "磁盘已满" in message
    assert what in message
    assert "run again, it goes on by itself" in message


def test_full_under_the_tables(
    undisturbed: Taken,
    use: Callable[[str], None],
    embedded_postgres: EmbeddedPostgres,
    postgres_url: str,
) -> None:
    with _small_disk(64, Owner.current()) as disk, _database_on(disk, postgres_url) as url:
        use(url)
        filler = _fill(disk, leave=2**20)
        done = _ingest()
        _told_once(done, "the disk of the database's server is full, free some space")
        assert embedded_postgres.running_port() is not None
        half = select(LOG)
        assert 0 < len(half) < len(undisturbed[0])
        assert half == [row for row in undisturbed[0] if row in half]
        assert sum(loaded for _, _, _, loaded, *_ in select(FILES)) == len(half)
        _told_once(_ingest(), "No space left on device")  # still full: the same again
        filler.unlink()
        assert _ingest().returncode == 0
        assert (select(LOG), select(FILES)) == undisturbed
        assert heads.verify() == []


@contextmanager
def _database_on(disk: Path, admin_url: str) -> Iterator[str]:
    """A database whose tables, indexes and temporary files lie on this disk; its write-ahead log does not."""
    place = disk / "tablespace"
    place.mkdir()
    Owner.current().take(place)
    with closing(psycopg2.connect(admin_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("CREATE TABLESPACE test_small LOCATION %s", (str(place),))
        try:
            cursor.execute("CREATE DATABASE test_small TEMPLATE test_template TABLESPACE test_small")
            cursor.execute(f"GRANT CREATE, CONNECT, TEMPORARY ON DATABASE test_small TO {ROLE}")
            yield os.environ["FUND_DATABASE_URL"].rpartition("/")[0] + "/test_small"
        finally:
            cursor.execute("DROP DATABASE IF EXISTS test_small WITH (FORCE)")
            cursor.execute("DROP TABLESPACE test_small")


def test_full_under_the_heads(
    undisturbed: Taken,
    warehouse_factory: WarehouseFactory,
    use: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with _small_disk(1, Owner()) as disk:
        use(warehouse_factory(migrated=True))
        monkeypatch.setenv("FUND_HEADS_DIR", str(disk))
        filler = _fill(disk)
        _told_once(_ingest(), "320100.jsonl (No space left on device)")
        assert (select(LOG), select(FILES)) == undisturbed  # what was taken in is in the log
        filler.unlink()
        done = _ingest()
        assert done.returncode == 0
        assert len(json.loads(done.stdout.splitlines()[-1])["heads"]) == 2
        assert heads.verify() == []


def test_full_under_the_write_ahead_log(undisturbed: Taken, use: Callable[[str], None]) -> None:
    """PostgreSQL gives up and restarts, or stays down until there is space; the log comes out the same."""
    with ExitStack() as stack:
        disk = stack.enter_context(_small_disk(128, Owner.current()))
        server = stack.enter_context(_server_with_log_on(disk))
        use(server.ensure_database(ROLE, may_create_roles=True))
        migrate()
        filler = _fill(disk)
        _use_up_log(server, leave=2**20)
        done = _ingest()
        _told_once(done, "the database's server")
        assert "No space left on device" in server.log.read_text(errors="replace")
        filler.unlink()
        _until_it_answers(server)
        use(server.ensure_database(ROLE, may_create_roles=True))
        assert _ingest().returncode == 0
        assert (select(LOG), select(FILES)) == undisturbed
        assert heads.verify() == []


@contextmanager
def _server_with_log_on(disk: Path) -> Iterator[EmbeddedPostgres]:
    """A server of its own, as careful as in production, whose write-ahead log alone lies on this disk."""
    local = Path(tempfile.mkdtemp(prefix="merged-fund-full-"))
    local.chmod(0o755)
    layout = Layout(local)
    server = EmbeddedPostgres(
        layout, {**UNSAFE_BUT_FAST, "synchronous_commit": "on", "full_page_writes": "on", "max_wal_size": "64MB"}
    )
    try:
        server.start()
        server.stop()
        data = home(layout).data
        shutil.copytree(data / "pg_wal", disk / "pg_wal")
        for path in [disk / "pg_wal", *(disk / "pg_wal").rglob("*")]:
            Owner.current().take(path)
        (disk / "pg_wal").chmod(0o700)
        shutil.rmtree(data / "pg_wal")
        (data / "pg_wal").symlink_to(disk / "pg_wal")
        server.start()
        yield server
    finally:
        server.remove()
        shutil.rmtree(local)


def _use_up_log(server: EmbeddedPostgres, leave: int) -> None:
    """Write until the segments that exist have hardly room, so that the next file needs a new one."""
    left = """
        SELECT (max(s.segment_number) + 1) * %s - (pg_current_wal_insert_lsn() - '0/0')
        FROM pg_ls_waldir() AS f, pg_split_walfile_name(f.name) AS s WHERE f.name ~ '^[0-9A-F]{24}$'
    """
    with closing(psycopg2.connect(server.superuser_url())) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        while True:
            cursor.execute(left, (WAL_SEGMENT,))
            (free,) = cursor.fetchone() or (0,)
            if free <= leave:
                return
            cursor.execute(
                "SELECT pg_logical_emit_message(false, 'filler', repeat('x', %s))",
                (min(int(free) - leave // 2, 2**19),),
            )


def _until_it_answers(server: EmbeddedPostgres) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            server.start()
            psycopg2.connect(server.superuser_url()).close()
            return
        except psycopg2.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
