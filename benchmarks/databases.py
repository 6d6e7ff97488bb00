"""Databases of a benchmark's server: fresh ones, as many as there are rounds, for nobody can empty a log."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace

import psycopg2

from benchmarks.common import DATABASE, Server


def fresh(empty: Server, name: str = "round") -> Server:
    """A copy of the migrated, empty database, to which FUND_DATABASE_URL points from now on."""
    here = empty.superuser_url.rpartition("/")[0]
    execute(replace(empty, superuser_url=f"{here}/postgres"), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    execute(replace(empty, superuser_url=f"{here}/postgres"), f"CREATE DATABASE {name} TEMPLATE {DATABASE}")
    return use(replace(empty, superuser_url=f"{here}/{name}", url=f"{empty.url.rpartition('/')[0]}/{name}"))


def use(target: Server) -> Server:
    """Point FUND_DATABASE_URL to a database."""
    os.environ["FUND_DATABASE_URL"] = target.url
    return target


def execute(target: Server, statement: str) -> list[tuple[object, ...]]:
    """Run a statement as superuser, committed at once; its rows, if it has any."""
    with closing(psycopg2.connect(target.superuser_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []


def quiet(target: Server) -> None:
    """Write everything out, so that what follows pays for itself only."""
    execute(target, "CHECKPOINT")
