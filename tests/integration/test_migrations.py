"""Migrations: all or nothing whenever interrupted, once whoever runs them, and only the files that were applied."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import errors

from ingestion import schema
from ingestion.database import connect
from ingestion.schema import FOLDER, SchemaVersionError, check_version, migrate
from runtime.layout import REPOSITORY
from tests.conftest import WarehouseFactory
from tests.integration.ingestion_support import land_rows, payment, run, select

NAMES = sorted(path.stem for path in FOLDER.glob("[0-9]*.sql"))
NEXT = "9999.next"
MIGRATE = """
from pathlib import Path
from ingestion import schema
schema.FOLDER = Path({folder!r})
{before}
schema.migrate()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The migrations in a place of this test's own, which the code takes for its own."""
    copy = tmp_path / "schema"
    copy.mkdir()
    for name in NAMES:
        (copy / f"{name}.sql").write_bytes((FOLDER / f"{name}.sql").read_bytes())
    monkeypatch.setattr(schema, "FOLDER", copy)
    return copy


def add(folder: Path, statements: str) -> None:
    """One more migration."""
    (folder / f"{NEXT}.sql").write_text(f"-- depends: {NAMES[-1]}\n{statements}\n", encoding="utf-8")


def migrating(folder: Path, before: str = "pass") -> subprocess.Popen[bytes]:
    """A process that migrates."""
    script = MIGRATE.format(folder=str(folder), before=before)
    return subprocess.Popen([sys.executable, "-c", script], cwd=REPOSITORY, stderr=subprocess.PIPE)


def applied() -> list[str]:
    return [name for (name,) in select("SELECT migration_id FROM fund_migrations._yoyo_migration ORDER BY 1")]


def check() -> None:
    with closing(connect(autocommit=True)) as connection:
        check_version(connection)


def shape(url: str) -> list[tuple[object, ...]]:
    """Every column of the schemas that migrations make, with its type."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT attrelid::regclass::text, attname, atttypid::regtype::text, attnotnull"
            " FROM pg_attribute INNER JOIN pg_class AS c ON c.oid = attrelid"
            " WHERE relnamespace IN ('events'::regnamespace, 'quality'::regnamespace, 'access'::regnamespace)"
            " AND attnum > 0 ORDER BY attrelid::regclass::text, attnum"
        )
        return list(cursor.fetchall())


@pytest.mark.usefixtures("migrated_warehouse")
def test_a_file_changed_after_it_was_applied_is_refused(folder: Path) -> None:
    assert migrate() == []
    check()
    path = folder / "0004.guards.sql"
    path.write_text(path.read_text(encoding="utf-8") + "-- more\n", encoding="utf-8")
    told = "0004.guards changed after they had been applied to this database; put the files back"
    for attempt in (migrate, check, run):
        with pytest.raises(SchemaVersionError, match=told):
            attempt()
    path.write_bytes((FOLDER / path.name).read_bytes().replace(b"\n", b"\r\n"))
    check()  # line ends are the checkout's own affair
    assert migrate() == []


@pytest.mark.usefixtures("migrated_warehouse")
def test_a_database_of_before_the_checksums_gets_those_of_its_files(folder: Path) -> None:
    with closing(connect(autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE fund_migrations.applied_file")
    check()
    assert migrate() == []
    assert [name for (name,) in select("SELECT migration_id FROM fund_migrations.applied_file ORDER BY 1")] == NAMES
    (folder / "0001.events.sql").write_text("-- depends:\nSELECT 1;\n", encoding="utf-8")
    with pytest.raises(SchemaVersionError, match=r"0001\.events changed"):
        check()


@pytest.mark.usefixtures("migrated_warehouse")
def test_a_newer_database_and_an_older_one_are_told_apart(folder: Path) -> None:
    add(folder, "CREATE TABLE events.added (a integer);")
    with pytest.raises(SchemaVersionError, match=rf"lacks migration\(s\) {NEXT}; run"):
        check()
    assert migrate() == [NEXT]
    (folder / f"{NEXT}.sql").unlink()
    for attempt in (migrate, check, run):
        with pytest.raises(SchemaVersionError, match=f"newer than this code: it knows {NEXT}"):
            attempt()


@pytest.mark.usefixtures("migrated_warehouse")
def test_a_migration_that_fails_leaves_nothing_and_is_applied_when_it_is_mended(folder: Path) -> None:
    add(folder, "CREATE TABLE events.added (a integer);\nSELECT 1 / 0;")
    with pytest.raises(errors.DivisionByZero):
        migrate()
    assert applied() == NAMES
    assert select("SELECT to_regclass('events.added')") == [(None,)]
    add(folder, "CREATE TABLE events.added (a integer);")
    assert migrate() == [NEXT]
    check()


@pytest.mark.usefixtures("migrated_warehouse")
def test_a_process_killed_in_the_middle_of_a_migration_leaves_nothing(folder: Path) -> None:
    add(folder, "CREATE TABLE events.added (a integer);\nSELECT pg_sleep(2);\nCREATE TABLE events.more (a integer);")
    process = migrating(folder)
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(2)%' AND state = 'active'"
    deadline = time.monotonic() + 60
    while select(asleep) == [(0,)]:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert applied() == NAMES
    assert select("SELECT to_regclass('events.added')") == [(None,)]
    assert migrate() == [NEXT]  # after the server has noticed that nobody waits for the sleeper
    check()
    assert select("SELECT to_regclass('events.more') IS NOT NULL") == [(True,)]


@pytest.mark.usefixtures("migrated_warehouse")
def test_a_process_killed_before_the_mark_leaves_nothing(folder: Path) -> None:
    """Everything of the migration is done, only that it is done is not yet written."""
    add(folder, "CREATE TABLE events.added (a integer);")
    kill = f"import os; schema._Backend.mark_one = lambda *a, **k: os.kill(os.getpid(), {int(signal.SIGKILL)})"
    process = migrating(folder, kill)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert applied() == NAMES
    assert migrate() == [NEXT]
    check()


def test_a_process_killed_at_any_instant_of_a_first_migration_is_completed_by_the_next(
    warehouse_url: str, warehouse_factory: WarehouseFactory, folder: Path
) -> None:
    for instant in (0.0, 0.05, 0.1, 0.2, 0.3, 0.5):
        process = migrating(folder)
        deadline = time.monotonic() + 60
        while process.poll() is None and select("SELECT to_regnamespace('fund_migrations')") == [(None,)]:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(instant)
        process.kill()
        process.communicate()
    migrate()
    assert applied() == NAMES
    check()
    assert shape(warehouse_url) == shape(warehouse_factory(migrated=True))
    land_rows("a.claim.1.csv", payment("K1"))
    run()
    assert select("SELECT count(*) FROM events.event") == [(1,)]


@pytest.mark.usefixtures("warehouse_url")
def test_processes_at_once_apply_each_migration_once(folder: Path) -> None:
    processes = [migrating(folder) for _ in range(4)]
    told = [process.communicate()[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, told
    assert applied() == NAMES
    twice = "SELECT migration_id FROM fund_migrations._yoyo_log GROUP BY 1 HAVING count(*) <> 1"
    assert select(twice) == []
    check()
