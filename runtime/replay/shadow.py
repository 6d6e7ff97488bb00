"""The schemas of a replay beside those of the live books: made, cleared away, and open to the same roles.

Only the schemas themselves belong to the user of FUND_DATABASE_URL; what is in them belongs to the models' role.
"""

from __future__ import annotations

from collections.abc import Iterable

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from ingestion.database import Connection

SUFFIX = "_replay"
RETIRED = "_retired"
LIVE = ("ledger", "marts")
READERS = ("finance_reader", "supervisor_reader")

_SCHEMA_GRANTS = """
SELECT a.grantee::regrole::text, a.privilege_type
FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
WHERE n.nspname = %s AND a.grantee <> 0 AND a.grantee <> n.nspowner AND a.grantee::regrole::text <> ALL(%s)
ORDER BY 1, 2
"""
_DEFAULT_GRANTS = """
SELECT d.defaclrole::regrole::text, d.defaclobjtype::text, a.grantee::regrole::text, a.privilege_type
FROM pg_default_acl AS d
INNER JOIN pg_namespace AS n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL aclexplode(d.defaclacl) AS a
WHERE n.nspname = %s AND a.grantee <> 0 AND d.defaclobjtype IN ('r', 'f')
ORDER BY 1, 2, 3, 4
"""
_OBJECT_TYPE = {"r": "TABLES", "f": "FUNCTIONS"}


def make(connection: Connection) -> None:
    """Empty schemas for a replay, open to the roles of the live ones but to no reader; `connection` autocommits."""
    for live in LIVE:
        _create_like(connection, live, live + SUFFIX)


def create_retired(cursor: Cursor, name: str, role: str) -> None:
    """An empty schema that the models' role may move the former books to; nobody else looks into it."""
    cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
    cursor.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(sql.Identifier(name), sql.Identifier(role)))


def leftovers(connection: Connection) -> list[str]:
    """Schemas of replays that ended or were cut off, in order. Those kept on request have other names."""
    names = [live + suffix for live in LIVE for suffix in (SUFFIX, RETIRED)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s) ORDER BY nspname", (names,))
        return [str(row[0]) for row in cursor.fetchall()]


def drop(connection: Connection, schemas: Iterable[str]) -> None:
    """Remove schemas with all that is in them, in one transaction."""
    if names := list(schemas):
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.SQL(", ").join(map(sql.Identifier, names)))
            )


def _create_like(connection: Connection, live: str, shadow: str) -> None:
    name = sql.Identifier(shadow)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(name))
        cursor.execute(_SCHEMA_GRANTS, (live, list(READERS)))
        for grantee, privilege in cursor.fetchall():
            grant = sql.SQL("GRANT {} ON SCHEMA {} TO {}")
            cursor.execute(grant.format(sql.SQL(privilege), name, sql.SQL(grantee)))
        cursor.execute(_DEFAULT_GRANTS, (live,))
        for owner, kind, grantee, privilege in cursor.fetchall():
            default = sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} GRANT {} ON {} TO {}")
            objects = sql.SQL(_OBJECT_TYPE[kind])
            cursor.execute(default.format(sql.SQL(owner), name, sql.SQL(privilege), objects, sql.SQL(grantee)))
