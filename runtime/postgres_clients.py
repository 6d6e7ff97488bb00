"""PostgreSQL's own client programs, of a version that understands the server, and how they are given a database."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import make_dsn, parse_dsn

from ingestion.database import libpq_url
from runtime.postgres import PostgresError
from runtime.postgres_home import packaged_program


@dataclass(frozen=True)
class Client:
    """A client program and its major version."""

    program: Path
    major: int

    def run(self, arguments: Sequence[str], url: str) -> str:
        """Run it on the database of `url`; returns its output. PostgresError with what it said when it fails."""
        target, secret = without_password(url)
        return self._done(["-d", target, *arguments], secret)

    def list(self, dump: Path) -> str:
        """The table of contents of a dump, as `pg_restore --use-list` takes it. PostgresError when it can't be read."""
        return self._done(["--list", str(dump)], {})

    def _done(self, arguments: Sequence[str], secret: dict[str, str]) -> str:
        done = subprocess.run(
            [str(self.program), *arguments],
            env={**os.environ, **secret, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            raise PostgresError(f"{self.program.name} failed:\n{done.stderr.strip()}")
        return done.stdout


def without_password(url: str) -> tuple[str, dict[str, str]]:
    """A libpq target without its password, which every user of the machine could read, and the variable that has it."""
    parts = parse_dsn(libpq_url(url))
    password = parts.pop("password", None)
    return make_dsn(**parts), {"PGPASSWORD": password} if password else {}


def client(name: str, server_major: int) -> Client:
    """The program `name` for a server of this major version: the one on the PATH or the embedded server's."""
    return choose(list(_found(name)), name, server_major)


def choose(found: Sequence[Client], name: str, server_major: int) -> Client:
    """The client of the server's own version, else the nearest newer one; PostgresError when all are older."""
    able = [one for one in found if one.major >= server_major]
    if not able:
        told = ", ".join(f"{one.program} ({one.major})" for one in found) or "none found"
        raise PostgresError(
            f"{name} 的版本低于服务器（{server_major}），请安装 postgresql-client-{server_major} 并放入 PATH；"
            f"现有 {told} / {name} is older than the server ({server_major}): install postgresql-client-{server_major}"
            f" and put it on the PATH; there is {told}"
        )
    return min(able, key=lambda one: one.major)


def _found(name: str) -> Iterator[Client]:
    for program in (shutil.which(name), packaged_program(name)):
        if program and (major := _major(Path(program))):
            yield Client(Path(program), major)


def _major(program: Path) -> int | None:
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return None
    version = re.search(r"\) (\d+)", told)
    return int(version[1]) if version else None
