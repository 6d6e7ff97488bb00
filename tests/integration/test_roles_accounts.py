"""Accounts of readers as an operator makes and ends them, through the command itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from psycopg2 import errors

from runtime.layout import REPOSITORY
from runtime.postgres import EmbeddedPostgres

PASSWORD = "correct horse battery staple"
HEADS = "SELECT array_agg(region_code ORDER BY region_code) FROM marts.published_head"


def reader(*arguments: str, password: str = "") -> subprocess.CompletedProcess[str]:
    """`python -m runtime reader …` with a password on its stdin."""
    return subprocess.run(
        [sys.executable, "-m", "runtime", "reader", *arguments],
        input=password, capture_output=True, text=True, check=False, cwd=REPOSITORY, env=dict(os.environ),
    )  # fmt: skip


def seen(url: str, login: str, password: str, query: str = HEADS) -> object:
    """The only value of a query, asked as this login with its password."""
    with closing(psycopg2.connect(as_login(url, login, password))) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        (row,) = cursor.fetchall()
        return row[0]


def as_login(url: str, login: str, password: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{login}:{password.replace(' ', '%20')}@{parts.hostname}:{parts.port}"))


@pytest.fixture
def warehouse(published_copy: str) -> Iterator[str]:
    """Published samples; accounts that a test has left are removed, for roles outlive a database."""
    yield published_copy
    for name in ("acc_one", "acc_two"):
        reader("remove", name)


def test_an_account_from_its_making_to_its_end(warehouse: str) -> None:
    made = reader("add", "acc_one", "--regions", "320100", password=f"{PASSWORD}\n")
    assert made.returncode == 0, made.stderr
    assert PASSWORD not in made.stdout + made.stderr
    assert seen(warehouse, "acc_one", PASSWORD) == ["320100"]
    with pytest.raises(errors.InsufficientPrivilege):
        seen(warehouse, "acc_one", PASSWORD, "SELECT count(*) FROM quality.finding")

    made = reader("add", "acc_two", "--regions", "340400,320100", "--role", "supervisor")
    (password,) = re.findall(r"password, shown this once: (\S+)", made.stdout)
    assert seen(warehouse, "acc_two", password) == ["320100", "340400"]
    assert seen(warehouse, "acc_two", password, "SELECT count(*) > 0 FROM quality.check_result") is True
    listed = reader("list").stdout
    assert re.search(r"(?m)^acc_one +finance +320100 ", listed)
    assert re.search(r"(?m)^acc_two +supervisor +320100, 340400 ", listed)

    with closing(psycopg2.connect(as_login(warehouse, "acc_one", PASSWORD))) as connection:
        connection.cursor().execute("SELECT lo_create(0)")  # something of its own, which would hinder DROP ROLE
        connection.commit()
        ended = reader("remove", "acc_one")
        assert ended.returncode == 0, ended.stderr
        with pytest.raises(psycopg2.OperationalError):  # its session has ended with it
            connection.cursor().execute(HEADS)
    with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        seen(warehouse, "acc_one", PASSWORD)
    assert "acc_one" not in reader("list").stdout
    with closing(psycopg2.connect(warehouse)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT region_code, revoked_at > granted_at, revoked_by FROM access.region_grant WHERE reader = 'acc_one'"
        )
        assert cursor.fetchall() == [("320100", True, "merged_fund")]


def test_the_server_never_sees_the_password(
    warehouse: str, postgres_url: str, embedded_postgres: EmbeddedPostgres
) -> None:
    with closing(psycopg2.connect(postgres_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("ALTER ROLE merged_fund SET log_statement = 'all'")
        try:
            assert reader("add", "acc_one", "--regions", "all", password=PASSWORD).returncode == 0
        finally:
            cursor.execute("ALTER ROLE merged_fund RESET log_statement")
        cursor.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'acc_one'")
        assert str((cursor.fetchone() or ("",))[0]).startswith("SCRAM-SHA-256$")
    log = embedded_postgres.log.read_text("utf-8", errors="replace")
    assert 'CREATE ROLE "acc_one"' in log
    assert PASSWORD not in log
    assert seen(warehouse, "acc_one", PASSWORD) == ["320100", "340400"]


WRONG: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("add", "acc_one", "--regions", "999999"), "", "unknown region: '999999'.*320100 南京市 Nanjing"),
    (("add", "acc_one", "--regions", "320100,all"), "", "unknown region: 'all'"),
    (("add", "acc_one", "--regions", ""), "", "unknown region: ''"),
    (("add", "acc_one", "--regions", "all"), "short", "at least 12"),
    (("add", 'x"; drop', "--regions", "all"), "", "3 to 63 lower-case"),
    (("add", "auditor", "--regions", "all"), "", "no role of the system"),
    (("add", "none", "--regions", "all"), "", "no role of the system"),
    (("add", "pg_one", "--regions", "all"), "", "no role of the system"),
    (("remove", "acc_one"), "", "no such reader account"),
    (("remove", "fund_publisher"), "", "no such reader account"),
    (("remove", "merged_fund"), "", "no such reader account"),
)


@pytest.mark.usefixtures("warehouse")
def test_what_is_wrong_is_said_in_one_line() -> None:
    for arguments, password, told in WRONG:
        done = reader(*arguments, password=password)
        assert done.returncode == 1, arguments
        assert re.search(told, done.stderr), done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_name_that_exists_is_not_taken_over(warehouse: str) -> None:
    assert reader("add", "acc_one", "--regions", "320100", password=PASSWORD).returncode == 0
    again = reader("add", "acc_one", "--regions", "all", password="another password")
    assert again.returncode == 1
    assert "acc_one exists" in again.stderr
    assert seen(warehouse, "acc_one", PASSWORD) == ["320100"]


def test_an_account_dropped_by_hand_leaves_no_right_behind(warehouse: str) -> None:
    for _ in range(2):
        assert reader("add", "acc_one", "--regions", "320100", password=PASSWORD).returncode == 0
        with closing(psycopg2.connect(warehouse)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("GRANT acc_one TO CURRENT_USER; DROP OWNED BY acc_one; DROP ROLE acc_one")
    assert reader("remove", "acc_one").returncode == 0
    assert "no such reader account" in reader("remove", "acc_one").stderr
    with closing(psycopg2.connect(warehouse)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(revoked_at) FROM access.region_grant WHERE reader = 'acc_one'")
        assert cursor.fetchall() == [(2, 2)]


@pytest.mark.usefixtures("warehouse")
def test_of_two_who_add_the_same_account_at_once_one_is_told_so() -> None:
    command = [sys.executable, "-m", "runtime", "reader", "add", "acc_one", "--regions", "320100"]
    both = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors_told = sorted(process.communicate()[1] for process in both)
    assert sorted(process.returncode for process in both) == [0, 1]
    assert "acc_one exists" in errors_told[1]
    assert len(errors_told[1].strip().splitlines()) == 1


def test_whoever_may_not_make_accounts_is_told_so(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reader("add", "acc_one", "--regions", "all", password=PASSWORD).returncode == 0
    with monkeypatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", as_login(warehouse, "acc_one", PASSWORD))
        for arguments in (("add", "acc_two", "--regions", "all"), ("list",), ("remove", "acc_one")):
            refused = reader(*arguments)
            assert refused.returncode == 1
            assert "not allowed: permission denied" in refused.stderr


def test_a_database_without_tables_is_told_apart(warehouse_url: str) -> None:
    assert warehouse_url
    assert "not ready" in reader("list").stderr
    assert "not ready" in reader("add", "acc_one", "--regions", "all").stderr
