"""Connections to the warehouse."""

from __future__ import annotations

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import parse_dsn

from ingestion.settings import Settings

__all__ = ["Connection", "connect", "let_go_when_frozen", "libpq_url"]

# A peer that is gone without a word is noticed within two minutes, by us and by the server, where it may hold locks.
# Parameters of the URL go before these.
_OURS = {
    "connect_timeout": 30,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
# What the server's administrator or PGOPTIONS has set goes before these.
_LIMITS = {
    "lock_timeout": "30min",
    "client_connection_check_interval": "10s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
_SET_LIMITS = """
SELECT set_config(l.name, l.value, false)
FROM unnest(%s, %s) AS l (name, value)
INNER JOIN pg_settings AS s ON s.name = l.name AND s.source = 'default'
"""


def connect(role: str | None = None, autocommit: bool = False, settings: Settings | None = None) -> Connection:
    """Open a session in UTC with ISO dates, acting as `role` (a NOLOGIN group of this project) when given.

    It waits half an hour for a lock at most: longer than any work that holds one, and then it says so.
    """
    url = (settings or Settings.from_env()).database_url
    parameters = _OURS | {"application_name": "merged_fund"} | parse_dsn(libpq_url(url))
    connection = psycopg2.connect(**parameters)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            "SET timezone = 'UTC'; SET datestyle = 'ISO, YMD';"
            " SET client_encoding = 'UTF8'; SET search_path = pg_catalog"
        )
        _limit(cursor, _LIMITS)
        if role is not None:
            cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    connection.autocommit = autocommit
    return connection


def libpq_url(url: str) -> str:
    """The URL without SQLAlchemy's driver suffix (`postgresql+psycopg2://`), which libpq does not know."""
    scheme, separator, rest = url.partition("://")
    return scheme.partition("+")[0] + separator + rest


def let_go_when_frozen(cursor: Cursor) -> None:
    """End this session once its transaction does nothing for twenty minutes: others wait longer for its locks."""
    _limit(cursor, {"idle_in_transaction_session_timeout": "20min"})


def _limit(cursor: Cursor, limits: dict[str, str]) -> None:
    cursor.execute(_SET_LIMITS, (list(limits), list(limits.values())))
