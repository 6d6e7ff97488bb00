"""The embedded server: idempotent, crash-proof, private, and an ordinary role for the warehouse."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from runtime import processes
from runtime.layout import REPOSITORY, Layout
from runtime.postgres import EmbeddedPostgres, postmaster_pid
from runtime.postgres_home import home

FAST = {"fsync": "off", "shared_buffers": "32MB"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(Layout(tmp_path / "带 空格 的目录"), FAST)
    yield server
    server.remove()


def query(url: str, text: str) -> tuple[object, ...] | None:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchone()


def layout_of(server: EmbeddedPostgres) -> Layout:
    return server._layout


def pid_of(server: EmbeddedPostgres) -> int:
    pid = postmaster_pid(home(layout_of(server)).data)
    assert pid is not None
    return pid


def test_starting_twice_is_one_server_on_a_port_of_its_own(server: EmbeddedPostgres) -> None:
    port = server.start()
    pid = pid_of(server)
    assert server.start() == port == server.running_port() != 5432
    assert pid_of(server) == pid


def test_it_listens_on_loopback_only_with_passwords_and_checksums(server: EmbeddedPostgres) -> None:
    server.start()
    url = server.superuser_url()
    assert query(url, "SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')") == (
        "127.0.0.1",
        "",
    )
    assert query(url, "SELECT current_setting('data_checksums')") == ("on",)
    assert query(url, "SELECT current_setting('TimeZone')") == ("Asia/Shanghai",)
    assert query(url, "SELECT array_agg(DISTINCT auth_method) FROM pg_hba_file_rules") == (["scram-sha-256"],)
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(url.replace(":" + layout_of(server).secret("postgres_superuser"), ":wrong"))


def test_the_secrets_are_for_the_owner_alone(server: EmbeddedPostgres) -> None:
    server.start()
    server.ensure_database("merged_fund", may_create_roles=True)
    files = list((layout_of(server).local / "secrets").iterdir())
    assert {file.name for file in files} == {"postgres_superuser", "postgres_merged_fund"}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_the_warehouse_role_may_create_schemas_and_roles_but_owns_nothing(server: EmbeddedPostgres) -> None:
    server.start()
    url = server.ensure_database("merged_fund", may_create_roles=True)
    assert query(url, "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user") == (
        False,
        True,
        False,
    )
    assert query(url, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()") == (
        "postgres",
    )
    assert query(url, "CREATE SCHEMA a; CREATE ROLE b NOLOGIN; SELECT 1") == (1,)


def test_it_comes_back_after_kill_9_with_its_data(server: EmbeddedPostgres) -> None:
    server.start()
    url = server.ensure_database("merged_fund")
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA kept")
    os.kill(pid_of(server), signal.SIGKILL)
    server.start()
    url = server.ensure_database("merged_fund")
    assert query(url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'kept'") == (1,)


def test_a_stale_pid_file_whose_pid_now_belongs_to_another_program_does_not_matter(server: EmbeddedPostgres) -> None:
    server.start()
    pid_file = home(layout_of(server)).data / "postmaster.pid"
    text = pid_file.read_text()
    server.stop()
    lines = [str(os.getpid()), *text.splitlines()[1:]]
    pid_file.write_text("\n".join(lines) + "\n")
    home(layout_of(server)).owner.take(pid_file)
    assert server.running_port() is None
    assert server.start() == server.running_port()


def test_a_taken_port_is_left_to_its_owner(server: EmbeddedPostgres) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", layout_of(server).port("postgres")))
        other.listen()
        assert server.start() != other.getsockname()[1]


def test_two_processes_starting_at_once_get_the_same_server(server: EmbeddedPostgres) -> None:
    code = (
        "import sys; from pathlib import Path; from runtime.layout import Layout;"
        "from runtime.postgres import EmbeddedPostgres;"
        "print(EmbeddedPostgres(Layout(Path(sys.argv[1])), {'fsync': 'off'}).start())"
    )
    command = [sys.executable, "-c", code, str(layout_of(server).local)]
    starters = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    ports = {starter.communicate()[0].strip() for starter in starters}
    assert ports == {str(server.running_port())}


def test_stop_leaves_no_process_and_can_be_repeated(server: EmbeddedPostgres) -> None:
    server.start()
    session = pid_of(server)
    assert server.stop()
    assert not server.stop()
    time.sleep(0.2)
    assert processes.session_members(session) == []
    assert server.running_port() is None


def test_remove_deletes_data_wherever_it_lies(server: EmbeddedPostgres) -> None:
    server.start()
    root = home(layout_of(server)).root
    server.remove()
    assert not root.exists()
    assert not server.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root switches to another user")
def test_a_private_directory_is_not_opened_up_for_the_server(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    server = EmbeddedPostgres(Layout(private / "local"), FAST)
    try:
        server.start()
        assert home(layout_of(server)).root.parent == Path("/var/tmp")
        assert private.stat().st_mode & 0o777 == 0o700
    finally:
        server.remove()
