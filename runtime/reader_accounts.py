"""Accounts of people who read the books, each bound to regions: `python -m runtime reader --help`.

The password goes to the server as a SCRAM verifier computed here: neither the server nor its logs ever see it in clear.
Grants are rows of `access.region_grant`; removing an account closes them and keeps them as history.
"""

from __future__ import annotations

import argparse
import re
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import psycopg2
from psycopg2 import errors, sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import encrypt_password

from ingestion.database import libpq_url
from runtime.terminal import table

ROLES = {"finance": "finance_reader", "supervisor": "supervisor_reader", "reviewer": "voucher_reviewer"}
_BESIDE = {"voucher_reviewer": ("finance_reader",)}  # who reviews a voucher has to see it
ALL = "all"
PASSWORD_MIN = 12
CONNECTIONS_MAX = 10
# Defaults against sessions that are forgotten, with what they hold; a reader may change them for a session.
_LIMITS = (
    "statement_timeout = '15min'",
    "idle_in_transaction_session_timeout = '10min'",
    "idle_session_timeout = '8h'",
)

_NAME = re.compile(r"[a-z][a-z0-9_]{2,62}")
_NAMES_TAKEN = re.compile(
    r"(pg|fund)_.*|auditor|finance_reader|supervisor_reader|voucher_reviewer|postgres|public|none|merged_fund"
)

_KNOWN_REGIONS = """
    SELECT DISTINCT ON (region_code) region_code, name_zh || ' ' || name_en
    FROM policy.policy_region ORDER BY region_code, known_from DESC
"""
_LIST = """
    SELECT g.reader,
        coalesce(string_agg(DISTINCT r.kind, ', '), '–'),
        string_agg(DISTINCT coalesce(g.region_code, 'all'), ', '),
        to_char(min(g.granted_at) AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI'),
        string_agg(DISTINCT g.granted_by, ', '),
        CASE WHEN pg_get_userbyid(g.reader_role::oid) <> g.reader THEN '账号已不存在 / role is gone'
            WHEN NOT a.rolcanlogin THEN '不能登录 / may not log in' ELSE '有效 / valid' END
    FROM access.region_grant AS g
    LEFT JOIN pg_catalog.pg_roles AS a ON a.oid = g.reader_role::oid
    LEFT JOIN (VALUES
        ('finance', 'finance_reader'), ('supervisor', 'supervisor_reader'), ('reviewer', 'voucher_reviewer')
    ) AS r (kind, role_name)
        ON a.oid IS NOT NULL AND pg_has_role(a.oid, r.role_name, 'MEMBER')
    WHERE g.revoked_at IS NULL
    GROUP BY g.reader, g.reader_role, a.rolcanlogin ORDER BY g.reader
"""
_IS_READER = """
    SELECT FROM access.region_grant WHERE reader = %s AND pg_get_userbyid(reader_role::oid) = reader LIMIT 1
"""
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('merged_fund.reader', 0))"
_REVOKE = """
    UPDATE access.region_grant SET revoked_at = clock_timestamp(), revoked_by = session_user
    WHERE reader = %s AND revoked_at IS NULL
"""


class ReaderAccountError(RuntimeError):
    """An account can't be added or removed; the message says why and what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands add, list and remove."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="add|list|remove")
    new = actions.add_parser("add", help="a new account; the password is read from stdin, or made up and shown once")
    new.add_argument("login", help="lower-case letters, digits and _")
    new.add_argument("--regions", required=True, help="320100 or 320100,340400 or all")
    told = "supervisor also reads the results of the checks, reviewer reviews vouchers"
    new.add_argument("--role", choices=ROLES, default="finance", help=told)
    actions.add_parser("list", help="valid accounts and their regions")
    actions.add_parser("remove", help="end an account at once; its grants stay as history").add_argument("login")


def perform(database_url: str, options: argparse.Namespace) -> str:
    """Do what the options of `add_arguments` ask; returns the text to show. Raises ReaderAccountError."""
    if options.action == "add":
        given = _password_given()
        password = given or secrets.token_urlsafe(18)
        add(database_url, options.login, options.regions.split(","), ROLES[options.role], password)
        shown = "" if given else f"\n密码（只显示这一次）/ password, shown this once: {password}"
        return f"已建立账号 / account made: {options.login} · {options.role} · {options.regions}{shown}"
    if options.action == "remove":
        remove(database_url, options.login)
        return f"账号已停用并删除，权限记录保留 / account removed, its history kept: {options.login}"
    return "\n".join(listing(database_url))


def add(database_url: str, login: str, regions: Sequence[str], role: str, password: str) -> None:
    """Create a login that is a member of `role`, with what that needs beside, and may read `regions`.

    Regions are six-digit codes, or the one word all.
    """
    _check_name(login)
    _check_password(password)
    with _session(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME)
        codes = _checked_regions(cursor, regions)
        cursor.execute("SELECT FROM pg_catalog.pg_roles WHERE rolname = %s", (login,))
        if cursor.rowcount:
            raise ReaderAccountError(
                f"账号已存在，请另取名称或先删除 / {login} exists; take another name, or remove it first"
            )
        verifier = encrypt_password(password, login, connection, "scram-sha-256")
        name = sql.Identifier(login)
        cursor.execute(_REVOKE, (login,))  # what a role of this name had that was dropped by hand
        create = sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT {} PASSWORD {}")
        cursor.execute(create.format(name, sql.Literal(CONNECTIONS_MAX), sql.Literal(verifier)))
        for limit in _LIMITS:
            cursor.execute(sql.SQL("ALTER ROLE {} SET " + limit).format(name))
        for granted in (role, *_BESIDE.get(role, ())):
            cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(granted), name))
        _let_connect(cursor, name, login)
        for code in codes:
            cursor.execute(
                "INSERT INTO access.region_grant (reader, reader_role, region_code) VALUES (%s, %s::regrole, %s)",
                (login, login, code),
            )


def remove(database_url: str, login: str) -> None:
    """Close the account's grants, end its sessions, drop what it owns here, drop the role. May be repeated."""
    with _session(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME)
        cursor.execute(_REVOKE, (login,))
        closed = cursor.rowcount > 0
        cursor.execute(_IS_READER, (login,))
        is_there = cursor.rowcount > 0
        if not is_there and not closed:
            raise ReaderAccountError(f"没有这个账号 / no such reader account: {login}")
        if is_there:
            _check_name(login)
            cursor.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(login)))
    if is_there:
        _drop(database_url, login)


def _drop(database_url: str, login: str) -> None:
    with _session(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME)
        name = sql.Identifier(login)
        cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (login,))
        cursor.execute(sql.SQL("DROP OWNED BY {}").format(name))
        try:
            cursor.execute(sql.SQL("DROP ROLE {}").format(name))
        except errors.DependentObjectsStillExist as error:
            raise ReaderAccountError(
                f"{login} 已不能登录，但在别的数据库仍有对象，删除后再执行 / may not log in any more, but owns"
                f" something in another database; remove that and repeat: {error.diag.message_detail}"
            ) from None


def listing(database_url: str) -> list[str]:
    """Lines of a table of the valid accounts."""
    with _session(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(_LIST)
        rows = [[str(cell) for cell in row] for row in cursor.fetchall()]
    title = ["账号 login", "角色 role", "统筹区 regions", "自 since", "授予人 granted by", "状态 state"]
    return table([title, *rows], indent=0) if rows else ["尚无账号 / no reader accounts yet"]


@contextmanager
def _session(database_url: str) -> Iterator[Connection]:
    """One transaction; what the database refuses becomes a ReaderAccountError without the statement's text."""
    with closing(psycopg2.connect(libpq_url(database_url), application_name="merged_fund")) as connection:
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SET LOCAL search_path = pg_catalog; SET LOCAL lock_timeout = '10s'")
                yield connection
        except errors.LockNotAvailable:
            raise ReaderAccountError("另有人正在修改账号，请稍后再试 / accounts are being changed; try again") from None
        except (errors.InvalidSchemaName, errors.UndefinedTable):
            raise ReaderAccountError(
                "数据库尚未准备好，请先运行流水线 / the database is not ready; run the pipeline first"
            ) from None
        except errors.InsufficientPrivilege as error:
            raise ReaderAccountError(
                f"权限不足 / not allowed: {error.diag.message_primary}. 请以迁移本数据库的账号执行，该账号须有"
                " CREATEROLE 及对读者角色的 ADMIN 权限 / use the account that migrated this database; it needs"
                " CREATEROLE and ADMIN on the reader roles"
            ) from None


def _let_connect(cursor: Cursor, name: sql.Identifier, login: str) -> None:
    """Where connecting is not open to everyone, the login is allowed to by name."""
    for attempt in range(2):
        cursor.execute("SELECT has_database_privilege(%s, current_database(), 'CONNECT')", (login,))
        if cursor.fetchone() == (True,):
            return
        if attempt == 0:
            cursor.execute("SELECT current_database()")
            (database,) = cursor.fetchone() or ("",)
            cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), name))
    raise ReaderAccountError(
        "新账号不得连接本数据库，请管理员授予 finance_reader、supervisor_reader CONNECT 权限 / the account may"
        " not connect to this database; let an administrator GRANT CONNECT ON DATABASE … TO finance_reader,"
        " supervisor_reader"
    )


def _checked_regions(cursor: Cursor, regions: Sequence[str]) -> list[str | None]:
    """The codes in order, once each; [None] for all."""
    if list(regions) == [ALL]:
        return [None]
    cursor.execute(_KNOWN_REGIONS)
    known = dict(cursor.fetchall())
    wanted = sorted({code.strip() for code in regions})
    if unknown := [code for code in wanted if code not in known]:
        listed = ", ".join(f"{code} {name}" for code, name in known.items())
        raise ReaderAccountError(
            f"未知统筹区 / unknown region: {', '.join(map(repr, unknown))}; 可用 / known: {listed}, or {ALL} alone"
        )
    return list(wanted)


def _check_name(login: str) -> None:
    if not _NAME.fullmatch(login) or _NAMES_TAKEN.fullmatch(login):
        raise ReaderAccountError(
            "账号须以小写字母开头，由3至63个小写字母、数字、下划线组成，且不得是系统角色 / a login is 3 to 63"
            f" lower-case letters, digits and _, beginning with a letter, and no role of the system: {login!r}"
        )


def _check_password(password: str) -> None:
    if len(password) < PASSWORD_MIN or not password.isprintable():
        raise ReaderAccountError(
            f"密码至少{PASSWORD_MIN}个可见字符 / a password has at least {PASSWORD_MIN} printable characters"
        )


def _password_given() -> str | None:
    """First line of stdin; None on a terminal or when nothing comes."""
    if sys.stdin is None or sys.stdin.isatty():
        return None
    return sys.stdin.readline().rstrip("\r\n") or None
