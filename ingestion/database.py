"""Connections to the warehouse."""

from __future__ import annotations

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from ingestion.settings import Settings

__all__ = ["Connection", "connect", "libpq_url"]


def connect(role: str | None = None, autocommit: bool = False, settings: Settings | None = None) -> Connection:
    """Open a session in UTC with ISO dates, acting as `role` (a NOLOGIN group of this project) when given.

    It waits half an hour for a lock at most: longer than any work that holds one, and then it says so.
    """
    url = (settings or Settings.from_env()).database_url
    connection = psycopg2.connect(libpq_url(url), application_name="merged_fund")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            "SET timezone = 'UTC'; SET datestyle = 'ISO, YMD';"
            " SET client_encoding = 'UTF8'; SET search_path = pg_catalog; SET lock_timeout = '30min'"
        )
        if role is not None:
            cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    connection.autocommit = autocommit
    return connection


def libpq_url(url: str) -> str:
    """The URL without SQLAlchemy's driver suffix (`postgresql+psycopg2://`), which libpq does not know."""
    scheme, separator, rest = url.partition("://")
    return scheme.partition("+")[0] + separator + rest
