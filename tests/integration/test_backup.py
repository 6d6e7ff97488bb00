"""Backup and restore: a drill on published samples, and everything that may be wrong with a backup."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from expectations.gate import check, publish
from ingestion import heads, schema
from ingestion.settings import Settings
from runtime import backup_manifest, dbt
from runtime.backup import back_up, verify
from runtime.backup_manifest import BackupError
from runtime.environment import Environment
from runtime.layout import REPOSITORY, Layout
from runtime.postgres import EmbeddedPostgres, PostgresError
from runtime.postgres_clients import Client, choose
from runtime.restore import restore
from tests.conftest import UNSAFE_BUT_FAST, WarehouseFactory
from tests.integration.ingestion_support import land_rows, payment, person, premium, run, select

pytestmark = pytest.mark.slow

MARTS = (
    *("general_ledger", "trial_balance", "voucher", "published_head"),
    *("income_expenditure_statement", "balance_sheet", "maternity_expenditure"),
)
RECORDS = (
    *("events.event", "events.batch", "events.file_registry", "events.file_outcome", "events.quarantine"),
    *("events.quarantine_resolution", "events.source_calendar", "events.log_identity", "ledger.publication"),
    *("quality.check_result", "quality.finding", "quality.publication_decision", "access.region_grant"),
)

_GRANT = """
CREATE ROLE {0} LOGIN; GRANT finance_reader TO {0};
INSERT INTO access.region_grant (reader, reader_role, region_code) VALUES ('{0}', '{0}'::regrole, '320100')
"""
_CLOSE = """
UPDATE access.region_grant SET revoked_at = clock_timestamp(), revoked_by = current_user WHERE reader = 'drill_gone';
DROP ROLE drill_gone
"""


def _grant(login: str) -> str:
    return _GRANT.format(login)


def _administer(url: str, *statements: str) -> None:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _rows(*relations: str, url: str | None = None) -> dict[str, list[str]]:
    """Every row of each relation as text, in order."""
    return {
        relation: [text for (text,) in _select(f"SELECT one::text FROM {relation} AS one ORDER BY one::text", url)]
        for relation in relations
    }


def _select(query: str, url: str | None) -> list[tuple[str, ...]]:
    if url is None:
        return select(query)
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SET timezone = 'UTC'; SET search_path = pg_catalog")
        cursor.execute(query)
        return cursor.fetchall()


def _books() -> dict[str, list[str]]:
    return _rows(*(f"marts.{mart}" for mart in MARTS))


@pytest.fixture
def small_log(migrated_warehouse: str) -> str:
    """A log of two regions with its heads outside."""
    land_rows("a.registration.1.csv", person("P1"), person("P2", "340400"))
    land_rows("b.contribution.1.csv", premium("C1"))
    run()
    heads.record()
    return migrated_warehouse


@pytest.fixture
def empty(warehouse_factory: WarehouseFactory, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Point the settings at a new, empty database."""

    def become() -> str:
        url = warehouse_factory()
        monkeypatch.setenv("FUND_DATABASE_URL", url)
        return url

    return become


@pytest.fixture
def made(small_log: str, tmp_path: Path) -> Path:
    """A backup of the small log."""
    assert small_log
    return back_up(Environment.current(), tmp_path / "backups")


def _restore(folder: Path, **options: bool) -> None:
    restore(Environment.current(), folder, log_only=True, **options)


def test_drill_the_books_are_the_same_row_for_row_and_the_next_file_is_published(
    published_copy: str,
    tmp_path: Path,
    empty: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    deployed_template: tuple[str, Path],
) -> None:
    books, records = _books(), _rows(*RECORDS)
    assert all(books.values())
    folder = back_up(Environment.current(), tmp_path / "backups")
    assert verify(folder).owner == "merged_fund"
    assert folder.stat().st_mode & 0o77 == 0

    # Another machine: nothing of the first one but the backup and the key.
    local = tmp_path / "another"
    (local / "landing").mkdir(parents=True)
    monkeypatch.setenv("FUND_LOCAL_DIR", str(local))
    for name in ("landing", "heads", "reports"):
        monkeypatch.setenv(f"FUND_{name.upper()}_DIR", str(local / name))
    shutil.copytree(deployed_template[1] / "dbt" / "target", local / "dbt" / "target")
    assert empty() != published_copy
    restore(Environment.current(), folder)

    assert _rows(*RECORDS) == records
    assert _books() == books
    assert heads.verify() == []
    land_rows("late.claim.1.csv", payment("after the restore", occurred_on="2020-07-01"))
    (taken, _) = run()
    assert (taken["state"], taken["loaded"]) == ("loaded", 1)
    heads.record()
    assert heads.verify() == []
    dbt.build("next")
    check("next")
    assert "published" in {decision.decision for decision in publish("next")}
    assert len(_books()["marts.general_ledger"]) > len(books["marts.general_ledger"])


def test_a_backup_taken_while_files_are_taken_in_holds_a_whole_log(
    small_log: str, tmp_path: Path, empty: Callable[[], str]
) -> None:
    assert small_log
    for number in range(30):
        land_rows(f"{number:02}.claim.1.csv", *(payment(f"K{number}-{row}") for row in range(20)))
    failures: list[BaseException] = []

    def take() -> None:
        try:
            run()
        except BaseException as error:
            failures.append(error)

    runner = threading.Thread(target=take)
    runner.start()
    folders = []
    while runner.is_alive():
        heads.record()
        folders.append(back_up(Environment.current(), tmp_path / f"backups{len(folders)}"))
    runner.join()
    assert failures == []
    heads.record()
    assert len({json.dumps(backup_manifest.read(folder).heads, sort_keys=True) for folder in folders}) > 1
    middle = folders[len(folders) // 2]
    empty()
    os.environ["FUND_HEADS_DIR"] = str(tmp_path / "elsewhere")  # set by the fixture, which also puts it back
    _restore(middle)
    assert heads.verify() == []
    ((events,),) = select("SELECT count(*) FROM events.event WHERE region_code = '320100'")
    assert events == backup_manifest.read(middle).heads["320100"]["seq"]


def test_a_truncated_dump_is_found_before_anything_is_done(made: Path, empty: Callable[[], str]) -> None:
    with (made / "warehouse.dump").open("r+b") as handle:
        handle.truncate(handle.seek(0, os.SEEK_END) - 1)
    with pytest.raises(BackupError, match=r"warehouse\.dump 长度不符"):
        verify(made)
    empty()
    with pytest.raises(BackupError, match="damaged"):
        _restore(made)
    assert select("SELECT to_regnamespace('events')") == [(None,)]


def test_a_changed_byte_of_the_dump_is_found(made: Path) -> None:
    path = made / "warehouse.dump"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BackupError, match="differs from its sha256"):
        verify(made)


@pytest.mark.parametrize("field", ["owner", "log_id", "heads", "files", "manifest_sha256"])
def test_an_edited_manifest_is_found(made: Path, field: str) -> None:
    path = made / "manifest.json"
    told = json.loads(path.read_text("utf-8"))
    told[field] = {} if isinstance(told[field], dict) else "0" * 64
    path.write_text(json.dumps(told), "utf-8")
    with pytest.raises(BackupError, match="has been changed"):
        verify(made)


def test_a_folder_without_a_manifest_is_no_backup(made: Path) -> None:
    (made / "manifest.json").unlink()
    with pytest.raises(BackupError, match="no backup, or one that was not finished"):
        verify(made)


def test_a_missing_file_of_heads_is_found(made: Path) -> None:
    (made / "heads" / "340400.jsonl").unlink()
    with pytest.raises(BackupError, match=r"heads/340400\.jsonl 缺失"):
        verify(made)


def test_a_database_that_is_not_empty_is_not_overwritten(made: Path, small_log: str) -> None:
    before = _rows("events.event")
    for options in ({}, {"set_aside": True}):
        with pytest.raises(BackupError, match="not empty"):
            _restore(made, **options)
    assert small_log
    assert _rows("events.event") == before


def test_a_log_without_heads_outside_is_not_backed_up(small_log: str, tmp_path: Path) -> None:
    assert small_log
    shutil.rmtree(Settings.from_env().heads_dir)
    with pytest.raises(BackupError, match="holds no heads: check FUND_HEADS_DIR"):
        back_up(Environment.current(), tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


def test_heads_that_are_ahead_of_the_log_stop_the_backup(small_log: str, tmp_path: Path) -> None:
    with closing(psycopg2.connect(small_log)) as connection, connection, connection.cursor() as cursor:
        for table in ("event", "batch"):
            cursor.execute(f"ALTER TABLE events.{table} DISABLE TRIGGER append_only")
            cursor.execute(f"DELETE FROM events.{table} WHERE region_code = '320100' AND batch_id = 2")
    with pytest.raises(BackupError, match="batch 2 is gone from the log"):
        back_up(Environment.current(), tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


def test_heads_outside_that_are_newer_than_the_backup_count_as_a_loss(
    made: Path, small_log: str, empty: Callable[[], str]
) -> None:
    assert small_log
    land_rows("c.claim.1.csv", payment("K1"))
    run()
    heads.record()
    (own,) = Settings.from_env().heads_dir.iterdir()
    newer = (own / "320100.jsonl").read_text("utf-8")
    empty()
    with pytest.raises(BackupError, match="lacks 320100: seq 3–3"):
        _restore(made)
    assert select("SELECT to_regnamespace('events')") == [(None,)]

    _restore(made, accept_loss=True)
    assert heads.verify() == []
    (kept,) = [path for path in own.parent.iterdir() if ".until-" in path.name]
    assert (kept / "320100.jsonl").read_text("utf-8") == newer
    (note,) = [json.loads(line) for line in (own / "restores.ndjson").read_text("utf-8").splitlines()]
    assert note["lost"] == [{"region_code": "320100", "after_seq": 2, "to_seq": 3}]
    assert note["former_heads"] == kept.name
    assert run()[0]["loaded"] == 1  # the file still lies there: its fact is taken again
    heads.record()
    assert heads.verify() == []


def test_heads_recorded_after_they_were_copied_are_no_loss_when_the_dump_has_their_batch(
    small_log: str, tmp_path: Path, empty: Callable[[], str]
) -> None:
    assert small_log
    land_rows("c.claim.1.csv", payment("K1"))
    run()
    folder = back_up(Environment.current(), tmp_path / "backups")
    heads.record()
    empty()
    _restore(folder)
    assert heads.verify() == []
    assert len(heads.whole_lines(next(Settings.from_env().heads_dir.rglob("320100.jsonl")))) == 2


def test_a_log_whose_heads_were_damaged_is_not_backed_up(small_log: str, tmp_path: Path) -> None:
    assert small_log
    (path,) = Settings.from_env().heads_dir.rglob("320100.jsonl")
    path.write_bytes(b"\xff" + path.read_bytes())
    with pytest.raises(BackupError, match=r"320100.jsonl line 1: the line can't be read"):
        back_up(Environment.current(), tmp_path / "backups")


def test_heads_outside_that_were_damaged_are_left_alone(made: Path, empty: Callable[[], str]) -> None:
    (path,) = Settings.from_env().heads_dir.rglob("320100.jsonl")
    damaged = path.read_bytes() + b"\xff\n"
    path.write_bytes(damaged)
    empty()
    with pytest.raises(BackupError, match=r"320100.jsonl line 2: the line can't be read"):
        _restore(made, accept_loss=True)
    assert path.read_bytes() == damaged


def test_heads_that_contradict_the_backup_are_left_alone(made: Path, empty: Callable[[], str]) -> None:
    (path,) = Settings.from_env().heads_dir.rglob("320100.jsonl")
    path.write_text(path.read_text("utf-8").replace('"seq": 2', '"seq": 1'), "utf-8")
    forged = path.read_text("utf-8")
    empty()
    with pytest.raises(BackupError, match="contradicts the heads in the backup"):
        _restore(made, accept_loss=True)
    assert path.read_text("utf-8") == forged


def test_a_log_forged_before_its_backup_is_found_by_the_restore(
    small_log: str, tmp_path: Path, empty: Callable[[], str]
) -> None:
    with closing(psycopg2.connect(small_log)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events.event DISABLE TRIGGER append_only")
        cursor.execute("UPDATE events.event SET employer_amount = 1 WHERE source_event_key = 'C1'")
    folder = back_up(Environment.current(), tmp_path / "backups")
    empty()
    with pytest.raises(
        BackupError, match=r"region 320100: seq 2: .* the event is not what its content hash was taken of"
    ):
        _restore(folder)


def test_rights_of_readers_come_back_and_who_lost_its_right_stays_without(
    small_log: str, tmp_path: Path, empty: Callable[[], str]
) -> None:
    _administer(small_log, *(_grant(login) for login in ("drill_gone", "drill_there")), _CLOSE)
    try:
        grants = select("SELECT * FROM access.region_grant ORDER BY reader")
        folder = back_up(Environment.current(), tmp_path / "backups")
        assert verify(folder).readers == {"drill_there": ["finance_reader"]}
        empty()
        _restore(folder)
        assert select("SELECT * FROM access.region_grant ORDER BY reader") == grants
        assert select("SELECT count(*) FROM access.region_grant WHERE revoked_at IS NULL") == [(1,)]
    finally:
        _administer(small_log, "DROP ROLE drill_there")


def test_another_pseudonym_key_is_told(
    made: Path, empty: Callable[[], str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FUND_PSEUDONYM_KEY", "1" * 64)
    empty()
    _restore(made)
    assert "the pseudonym key differs" in capsys.readouterr().err
    assert "0" * 64 not in (made / "manifest.json").read_text("utf-8")


def test_a_backup_of_an_older_version_is_migrated_and_one_of_a_newer_version_refused(
    made: Path, empty: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer, older = tmp_path / "newer", tmp_path / "older"
    shutil.copytree(schema.FOLDER, newer)
    shutil.copytree(schema.FOLDER, older)
    (newer / "9999.more.sql").write_text("-- depends: 0008.access\nCREATE TABLE events.more (one text);\n", "utf-8")
    sorted(older.glob("[0-9]*.sql"))[-1].unlink()
    empty()
    monkeypatch.setattr(schema, "FOLDER", older)
    with pytest.raises(BackupError, match="newer version than this code"):
        _restore(made)
    assert select("SELECT to_regnamespace('events')") == [(None,)]
    monkeypatch.setattr(schema, "FOLDER", newer)
    _restore(made)
    assert select("SELECT count(*) FROM events.more") == [(0,)]
    assert heads.verify() == []


def test_restoring_as_somebody_else_is_refused(
    made: Path, empty: Callable[[], str], postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = empty().rpartition("/")[2]
    monkeypatch.setenv("FUND_DATABASE_URL", f"{postgres_url.rpartition('/')[0]}/{database}")
    with pytest.raises(BackupError, match="restore as user merged_fund"):
        _restore(made)


def test_a_client_that_is_older_than_the_server_is_refused() -> None:
    old, same, newer = (Client(Path(f"/opt/{major}/pg_dump"), major) for major in (15, 18, 19))
    assert choose([newer, old, same], "pg_dump", 18) is same
    assert choose([old, newer], "pg_dump", 18) is newer
    with pytest.raises(PostgresError, match=r"pg_dump is older than the server \(18\).*/opt/15/pg_dump \(15\)"):
        choose([old], "pg_dump", 18)


def test_a_new_server_without_any_role_is_restored_by_the_command(small_log: str, tmp_path: Path) -> None:
    _administer(small_log, _grant("drill_mover"))
    try:
        records = _rows(*RECORDS)
        folder = back_up(Environment.current(), tmp_path / "backups")
        local = Path(tempfile.mkdtemp(prefix="merged-fund-restored-"))
        local.chmod(0o755)
        server = EmbeddedPostgres(Layout(local), UNSAFE_BUT_FAST)
        try:
            server.start()
            done = _command(local, "restore", str(folder), "--log-only")
            assert done.returncode == 0, done.stderr
            assert "the pseudonym key differs" in done.stderr
            assert "reader remove and reader add: drill_mover" in done.stdout
            url = server.ensure_database("merged_fund", may_create_roles=True)
            assert _rows(*RECORDS, url=url) == records
            for role in ("fund_ingest", "auditor"):
                _administer(url, f"SET ROLE {role}; SELECT count(*) FROM events.event")
            again = _command(local, "restore", str(folder), "--log-only")
            assert (again.returncode, "with --set-aside it is renamed and kept" in again.stderr) == (1, True)
            assert _command(local, "restore", str(folder), "--log-only", "--set-aside").returncode == 0
            assert _rows(*RECORDS, url=url) == records
            kept = "SELECT count(*) FROM pg_database WHERE datname ~ '^merged_fund_until_'"
            assert _select(kept, url) == [(1,)]
        finally:
            server.remove()
            shutil.rmtree(local)
    finally:
        _administer(small_log, "DROP ROLE drill_mover")


def _command(local: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command of the runtime with an embedded server below `local` and nothing else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FUND_", "AIRFLOW"))}
    return subprocess.run(
        [sys.executable, "-m", "runtime", *arguments],
        env={**kept, "FUND_LOCAL_DIR": str(local)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
