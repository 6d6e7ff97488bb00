"""Backup of the warehouse: what is a record and can't be derived again, with the heads kept outside the database.

`<to>/<time>-<log>/`: warehouse.dump (pg_dump, custom format), heads/<region>.jsonl, manifest.json. The books are left
out: they are rebuilt from the log. Neither the pseudonym key nor a password is in it.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg2.extensions import cursor as Cursor

from ingestion import heads
from ingestion.database import Connection, connect
from ingestion.identity import key_id
from ingestion.schema import applied_migrations, hold_version
from ingestion.settings import Settings
from runtime.backup_manifest import DUMP, HEADS, BackupError, Manifest, check, files_of
from runtime.environment import Environment
from runtime.layout import REPOSITORY
from runtime.postgres_clients import Client, client
from runtime.terminal import say, step

# All schemas of the warehouse; of the derived ones only the schema itself and what the pipeline has recorded in it.
SCHEMAS = (
    *("events", "quality", "access", "policy", "staging", "ledger", "marts"),
    *("signoff", "forecast", "fund_migrations"),
)
_DERIVED = """
SELECT format('%I.%I', n.nspname, c.relname)
FROM pg_class AS c INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('policy', 'staging', 'ledger', 'marts') AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
    AND (n.nspname, c.relname) NOT IN (('ledger', 'publication'), ('ledger', 'deployment'))
ORDER BY 1
"""
_READERS = """
SELECT r.rolname, coalesce(array_agg(g.rolname::text ORDER BY g.rolname) FILTER (WHERE g.oid IS NOT NULL), '{}')
FROM pg_roles AS r
LEFT JOIN pg_auth_members AS m ON m.member = r.oid
LEFT JOIN pg_roles AS g ON g.oid = m.roleid
    AND g.rolname IN ('finance_reader', 'supervisor_reader', 'voucher_reviewer', 'auditor')
WHERE r.oid IN (SELECT reader_role::oid FROM access.region_grant)
GROUP BY r.rolname ORDER BY r.rolname
"""
_STATEMENTS = ("trial_balance", "income_expenditure_statement", "balance_sheet", "maternity_expenditure")


def back_up(environment: Environment, to: Path) -> Path:
    """Make a backup below `to` while the pipeline may be running; returns its folder. All of it or nothing.

    The heads are read before the database's snapshot is taken, so that they never tell of a batch that the dump lacks.
    BackupError when they disagree with the log: such a log is evidence, and its backup would replace a good one.
    """
    environment.adopt()
    settings = Settings.from_env()
    with closing(connect(autocommit=True, settings=settings)) as guard, hold_version(guard):
        log_id, created = _log_id(guard), datetime.now(UTC)
        with _draft(to / f"{created:%Y%m%dT%H%M%SZ}-{log_id[:8]}") as (draft, final):
            with step("链头 / Heads outside the database"):
                copied = heads.copy(settings.heads_dir / log_id, draft / HEADS)
            with closing(_snapshot(settings)) as connection, connection.cursor() as cursor:
                told = _facts(cursor, settings, log_id, copied)
                dumper = client("pg_dump", guard.server_version // 10000)
                with step("数据库 / Database"):
                    _dump(cursor, dumper, settings, draft / DUMP)
                versions = {"server": guard.info.parameter_status("server_version") or "", **_versions(dumper)}
            with step("校验值 / Checksums"):
                facts = {"created_at": created.isoformat(), "log_id": log_id, "versions": versions, **told}
                digest = Manifest(files=files_of(draft), **facts).write(draft)
    for region, head in told["heads"].items():
        say(f"{region}: seq {head['seq']}, {head['batch_hash']}")
    say(f"备份 / backup: {final}, manifest {digest}")
    return final


def verify(folder: Path) -> Manifest:
    """Check a backup without restoring it: manifest, checksums, heads; BackupError says what is wrong."""
    with step("校验值 / Checksums"):
        manifest = check(folder)
        for path in sorted((folder / HEADS).glob("*.jsonl")):
            last = heads.last_line(path)
            known = manifest.heads.get(path.stem)
            if last is None:
                raise BackupError(f"{path} 无法读取 / can't be read")
            if known is None or last["batch_id"] > known["batch_id"]:
                raise BackupError(f"{path} 超出备份内容 / tells of more than the backup holds")
    return manifest


@contextmanager
def _draft(final: Path) -> Iterator[tuple[Path, Path]]:
    """A folder that gets its name when all is in it and on disk; removed when anything fails."""
    final.parent.mkdir(parents=True, exist_ok=True)
    draft = final.with_name(f".{final.name}.draft")
    draft.mkdir(mode=0o700)
    try:
        yield draft, final
        for path in draft.rglob("*"):
            if path.is_file():
                path.chmod(0o600)
        for path in (draft / HEADS, draft):
            _sync(path)
        draft.rename(final)
        _sync(final.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _snapshot(settings: Settings) -> Connection:
    connection = connect(settings=settings)
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    return connection


def _log_id(connection: Connection) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('events.log_identity')")
        if cursor.fetchone() == (None,):
            raise BackupError("数据库中没有日志，无可备份 / there is no log in this database, nothing to back up")
        cursor.execute("SELECT log_id::text FROM events.log_identity")
        return str((cursor.fetchone() or ("",))[0])


def _facts(cursor: Cursor, settings: Settings, log_id: str, copied: list[Path]) -> dict[str, Any]:
    """What the manifest tells of the snapshot."""
    found = {
        one: {"batch_id": batch, "seq": seq, "batch_hash": tip} for one, batch, seq, tip, _ in heads.current(cursor)
    }
    if found and not copied:
        raise BackupError(
            f"{settings.heads_dir / log_id} 中没有链头：请检查 FUND_HEADS_DIR，或先执行"
            " python -m ingestion record-heads / holds no heads: check FUND_HEADS_DIR, or run first"
            " python -m ingestion record-heads"
        )
    if problems := heads.contradictions(cursor, {path.stem: heads.whole_lines(path) for path in copied}):
        raise BackupError(
            "日志与库外链头不符，不予备份；请按运行手册“链头不符”处理 / the log disagrees with its heads and is not"
            f" backed up; see “The chain does not verify” in docs/operations.md: {'; '.join(problems)}"
        )
    cursor.execute("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'events.event'::regclass")
    (owner,) = cursor.fetchone()
    cursor.execute(_READERS)
    readers = {name: list(groups) for name, groups in cursor.fetchall()}
    cursor.execute("SELECT code_sha256 FROM ledger.deployment ORDER BY deployed_at DESC LIMIT 1")
    deployed = cursor.fetchone()
    return {
        "owner": owner,
        "heads": found,
        "readers": readers,
        "pseudonym_keys": _keys(cursor, settings),
        "figures": figures(settings, _exported(cursor)),
        "deployed_code": deployed[0] if deployed else None,
        "migrations": applied_migrations(cursor.connection),
    }


def _keys(cursor: Cursor, settings: Settings) -> dict[str, Any]:
    """Ids of the pseudonym keys: of the one in use, and of all that events were taken in with."""
    cursor.execute("SELECT DISTINCT pseudonym_key_id FROM events.event WHERE pseudonym_key_id IS NOT NULL ORDER BY 1")
    in_log = [name for (name,) in cursor.fetchall()]
    return {"configured": key_id(settings.pseudonym_key) if settings.pseudonym_key else None, "in_log": in_log}


def figures(settings: Settings, snapshot: str | None = None) -> dict[str, list[Any]]:
    """Published statement -> rows and a hash over them in order; empty while there are no books.

    In a transaction of its own: what it locks is free again before the dump begins.
    """
    with closing(_snapshot(settings)) as connection, connection.cursor() as cursor:
        if snapshot:
            cursor.execute("SET TRANSACTION SNAPSHOT %s", (snapshot,))
        found = {}
        for name in _STATEMENTS:
            cursor.execute("SELECT to_regclass(%s)", (f"marts.{name}",))
            if cursor.fetchone() != (None,):
                cursor.execute(
                    "SELECT count(*), md5(string_agg(md5(mart::text), '' ORDER BY md5(mart::text)))"
                    f" FROM marts.{name} AS mart"
                )
                found[name] = list(cursor.fetchone() or ())
        return found


def _exported(cursor: Cursor) -> str:
    cursor.execute("SELECT pg_export_snapshot()")
    (snapshot,) = cursor.fetchone()
    return str(snapshot)


def _dump(cursor: Cursor, dumper: Client, settings: Settings, path: Path) -> None:
    cursor.execute(_DERIVED)
    left_out = [f"--exclude-table={name}" for (name,) in cursor.fetchall()]
    options = ["--format=custom", f"--file={path}", f"--snapshot={_exported(cursor)}", "--lock-wait-timeout=300000"]
    dumper.run([*options, *(f"--schema={name}" for name in SCHEMAS), *left_out], settings.database_url)


def _versions(dumper: Client) -> dict[str, str]:
    project = REPOSITORY / "pyproject.toml"  # not in an image, whose tag is its version
    version = tomllib.loads(project.read_text("utf-8"))["project"]["version"] if project.exists() else ""
    return {"pg_dump": str(dumper.major), "merged_fund": version}


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
