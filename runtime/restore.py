"""Restoring a backup: the log and its records come back and are verified, the books are rebuilt."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg2 import sql

from ingestion.database import Connection, connect
from ingestion.identity import key_id
from ingestion.schema import known_migrations, make_roles, migrate
from ingestion.settings import Settings
from runtime import dbt, log_verification, outside_heads
from runtime.airflow import LocalAirflow
from runtime.backup import figures
from runtime.backup_manifest import DUMP, HEADS, BackupError, Manifest, check, manifest_sha256
from runtime.environment import WAREHOUSE, Environment
from runtime.pipeline import one_at_a_time
from runtime.postgres_clients import client
from runtime.terminal import complain, say, step

_SOMETHING = """
SELECT n.nspname FROM pg_namespace AS n
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'public')
UNION
SELECT n.nspname || '.' || c.relname FROM pg_class AS c INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'public'
ORDER BY 1
"""


def restore(
    environment: Environment,
    folder: Path,
    *,
    set_aside: bool = False,
    accept_loss: bool = False,
    log_only: bool = False,
) -> None:
    """Bring the backup in `folder` into the warehouse's database, which must be empty.

    `set_aside`: rename a database of the embedded server that is not. `accept_loss`: go on although the heads outside
    know of newer batches than the backup. `log_only`: leave the books to the next build. BackupError before anything is
    touched when the backup is damaged or does not fit; the database comes back whole or not at all.
    """
    with one_at_a_time(environment):
        with step("备份校验 / Checking the backup"):
            manifest = check(folder)
        _check_version(manifest)
        if LocalAirflow(environment.layout).is_running():
            raise BackupError("Airflow 正在运行，请先 make down / Airflow is running: make down first")
        environment.adopt()
        settings = Settings.from_env()
        plan = outside_heads.plan(folder / HEADS, settings.heads_dir / manifest.log_id, manifest.heads)
        if plan.lost and not accept_loss:
            raise BackupError(plan.loss())
        with closing(connect(autocommit=True, settings=settings)) as connection:
            major = connection.server_version // 10000
            _check_owner(connection, manifest)
            found = _contents(connection)
        if found:
            _make_room(environment, found, set_aside=set_aside)
        _tell_of_keys(settings, manifest)
        with step("数据库 / Database"):
            _restore_database(settings, folder / DUMP, manifest, major)
        if applied := migrate(settings):
            say(f"Warehouse: applied {len(applied)} migration(s), up to {applied[-1]}")
        _verify(settings, manifest, plan)
        kept = plan.carry_out()
        _note(settings, folder, manifest, [asdict(loss) for loss in plan.lost], kept)
        if not log_only:
            _rebuild(settings, manifest)
    _tell_of_readers(settings)


def _check_version(manifest: Manifest) -> None:
    if newer := sorted(set(manifest.migrations) - set(known_migrations())):
        raise BackupError(
            f"备份来自更新的版本（{', '.join(newer)}），请先更新代码"
            f" / the backup is of a newer version than this code, which lacks {', '.join(newer)}: update the code first"
        )


def _check_owner(connection: Connection, manifest: Manifest) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (user,) = cursor.fetchone() or ("",)
    if user != manifest.owner:
        raise BackupError(
            f"请以用户 {manifest.owner} 恢复（现为 {user}），写在 FUND_DATABASE_URL 中"
            f" / restore as user {manifest.owner}, who owned the database, not as {user}: set FUND_DATABASE_URL"
        )


def _contents(connection: Connection) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_SOMETHING)
        return [str(name) for (name,) in cursor.fetchall()]


def _make_room(environment: Environment, found: Sequence[str], *, set_aside: bool) -> None:
    told = ", ".join(found[:8])
    if environment.given.get("FUND_DATABASE_URL"):
        raise BackupError(
            f"数据库不是空的（{told}），不予覆盖；请新建空库并写入 FUND_DATABASE_URL"
            f" / the database is not empty ({told}) and is not overwritten: make an empty one and name it in"
            " FUND_DATABASE_URL"
        )
    if not set_aside:
        raise BackupError(
            f"数据库不是空的（{told}），不予覆盖；加 --set-aside 可将其改名保留"
            f" / the database is not empty ({told}) and is not overwritten; with --set-aside it is renamed and kept"
        )
    other = f"{WAREHOUSE}_until_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    environment.server.rename_database(WAREHOUSE, other)
    environment.warehouse_url()
    say(f"原数据库改名为 / the former database is now named {other}")


def _tell_of_keys(settings: Settings, manifest: Manifest) -> None:
    here = key_id(settings.pseudonym_key) if settings.pseudonym_key else None
    known = {*manifest.pseudonym_keys["in_log"], manifest.pseudonym_keys["configured"]} - {None}
    if known and here not in known:
        complain(
            f"警告：假名密钥不同（现 {here or '未设置'}，备份时 {'、'.join(sorted(known))}），恢复原密钥前请勿接收"
            f"登记文件 / warning: the pseudonym key differs (now {here or 'none'}, in the backup"
            f" {', '.join(sorted(known))}): put the former FUND_PSEUDONYM_KEY in place before registrations"
            " are taken in"
        )


def _restore_database(settings: Settings, dump: Path, manifest: Manifest, server_major: int) -> None:
    with closing(connect(autocommit=True, settings=settings)) as connection:
        make_roles(connection)
        _make_readers(connection, manifest)
    restorer = client("pg_restore", server_major)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".list") as wanted:
        wanted.write(_without_derived_functions(restorer.list(dump)))
        wanted.flush()
        options = ["--single-transaction", "--exit-on-error", f"--use-list={wanted.name}", str(dump)]
        restorer.run(options, settings.database_url)


def _without_derived_functions(contents: str) -> str:
    """The table of contents without functions over the models: like these, they come back with the next deployment."""
    return "".join(
        line
        for line in contents.splitlines(keepends=True)
        if not re.search(r" (FUNCTION (marts |ledger candidate_)|marts FUNCTION |ledger FUNCTION candidate_)", line)
    )


def _make_readers(connection: Connection, manifest: Manifest) -> None:
    """Readers that this server lacks come back without the right to sign in: passwords are in no backup."""
    with connection.cursor() as cursor:
        for name, groups in manifest.readers.items():
            cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,))
            if cursor.rowcount == 0:
                cursor.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
                for group in groups:
                    cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(name)))


def _verify(settings: Settings, manifest: Manifest, plan: outside_heads.Plan) -> None:
    with step("哈希链 / Chain, up to the heads outside"):
        problems = log_verification.problems(settings, manifest.heads, plan.lines)
    if problems:
        raise BackupError(
            f"恢复的日志验证不符，不可使用 / the restored log does not verify, do not use it: {'; '.join(problems)}"
        )


def _note(settings: Settings, folder: Path, manifest: Manifest, lost: list[dict[str, Any]], kept: Path | None) -> None:
    """One line beside the heads: years later it can be told that the log was restored, from what, and what was lost."""
    line = {
        "restored_at": datetime.now(UTC).isoformat(),
        "backup": manifest.created_at,
        "manifest_sha256": manifest_sha256(folder),
        "heads": manifest.heads,
        "lost": lost,
        "former_heads": kept.name if kept else None,
    }
    with (settings.heads_dir / manifest.log_id / "restores.ndjson").open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
        handle.flush()
        os.fsync(handle.fileno())


def _rebuild(settings: Settings, manifest: Manifest) -> None:
    run_id = f"restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    with step("账簿 / Books, rebuilt from the log"):
        dbt.deploy(run_id)
        dbt.build(run_id)
    if manifest.deployed_code != dbt.code_sha256():
        say("规则或模型与备份时不同，未比较报表 / the models' code is another than in the backup: figures not compared")
    elif figures(settings) == manifest.figures:
        say(f"报表与备份时逐行相同 / {len(manifest.figures)} published statements are row for row as in the backup")
    else:
        raise BackupError(
            "重建的报表与备份时不同，请勿使用 / the rebuilt statements differ from the backup's: do not use"
        )


def _tell_of_readers(settings: Settings) -> None:
    with closing(connect(settings=settings)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT g.reader::text FROM access.region_grant AS g"
            " INNER JOIN pg_roles AS r ON r.oid = g.reader_role"
            " WHERE g.revoked_at IS NULL AND NOT r.rolcanlogin AND NOT EXISTS (SELECT FROM pg_auth_members AS m"
            " WHERE m.roleid = r.oid AND m.member <> current_user::regrole) ORDER BY 1"
        )
        names = [name for (name,) in cursor.fetchall()]
    if names:
        say(
            "下列账号的权限已恢复但不能登录，请以 reader remove 与 reader add 重新开通"
            f" / these readers have their regions but can't sign in; reader remove and reader add: {', '.join(names)}"
        )
