"""One transaction that makes the replayed books the live ones, or nothing at all.

Every table, view and function of the models changes its schema; the schemas stay, and with them their grants, default
privileges and what the pipeline has recorded there (publications, deployments). Views and functions follow by identity.

Locks are taken in the order in which readers take them (views before what they rest on) and given up together as soon
as they have cost `LOCKS_WITHIN_S`: less than the second after which PostgreSQL looks for deadlocks, so that no reader
is ever the victim. Then it is tried again. Once all locks are held the rest waits for nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from psycopg2 import errors, sql
from psycopg2.extensions import cursor as Cursor

from ingestion.database import Connection, connect
from runtime.dbt import ROLE
from runtime.replay.shadow import LIVE, SUFFIX, create_retired
from runtime.terminal import say

LOCKS_WITHIN_S = 0.7
TRIED_FOR_S = 600
_PAUSE_S = (0.5, 1, 2, 4, 8)


class SwapError(RuntimeError):
    """The swap was not made, and nothing has changed; the message says what is in its way."""


@dataclass(frozen=True)
class _Object:
    """Something that changes its schema: as ALTER names it, e.g. ('VIEW', 'marts', 'account')."""

    kind: str
    schema: str
    name: str
    arguments: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """The same for the live object and the one that takes its place."""
        return self.schema.removesuffix(SUFFIX), self.name, self.arguments

    def named(self) -> sql.Composable:
        """Kind and qualified name, of a function with its arguments."""
        place = sql.SQL(self.kind + " {}").format(sql.Identifier(self.schema, self.name))
        return place + sql.SQL(f"({self.arguments})") if self.kind == "FUNCTION" else place


# Marts first, views before tables: the order in which a reader's query takes its locks.
_OBJECTS = """
SELECT kind, schema, name, arguments FROM (
    SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END AS kind,
        n.nspname AS schema, c.relname AS name, '' AS arguments
    FROM pg_class AS c INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%(schemas)s) AND pg_has_role(%(role)s::regrole, c.relowner, 'USAGE')
        AND c.relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT 'FUNCTION', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)
    FROM pg_proc AS p INNER JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname = ANY(%(schemas)s) AND pg_has_role(%(role)s::regrole, p.proowner, 'USAGE')
) AS found
ORDER BY schema LIKE 'ledger%%', kind = 'TABLE', kind, name, arguments
"""
# Who else rests on the live books: it would go on reading the former ones, and be dropped with them.
_DEPENDENTS = """
WITH used AS (
    SELECT 'pg_class'::regclass AS class_oid, c.oid AS object_oid
    FROM pg_class AS c INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%(schemas)s) AND pg_has_role(%(role)s::regrole, c.relowner, 'USAGE')
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid  -- rows of a relation, as a function returns them
    FROM pg_type AS t INNER JOIN pg_namespace AS n ON n.oid = t.typnamespace
    WHERE n.nspname = ANY(%(schemas)s) AND pg_has_role(%(role)s::regrole, t.typowner, 'USAGE')
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid
    FROM pg_proc AS p INNER JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname = ANY(%(schemas)s) AND pg_has_role(%(role)s::regrole, p.proowner, 'USAGE')
)
SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend AS d
INNER JOIN used ON d.refclassid = used.class_oid AND d.refobjid = used.object_oid
LEFT JOIN pg_rewrite AS rule ON d.classid = 'pg_rewrite'::regclass AND rule.oid = d.objid
LEFT JOIN pg_class AS relation
    ON relation.oid = CASE d.classid WHEN 'pg_class'::regclass THEN d.objid ELSE rule.ev_class END
LEFT JOIN pg_proc AS function ON d.classid = 'pg_proc'::regclass AND function.oid = d.objid
INNER JOIN pg_namespace AS n ON n.oid = coalesce(relation.relnamespace, function.pronamespace)
WHERE d.deptype = 'n' AND n.nspname <> ALL(%(schemas)s)
ORDER BY 1
"""
# Triggers of a live table that the one in its place lacks: they guard the books.
_UNGUARDED = """
SELECT format('%%I on %%I.%%I', t.tgname, n.nspname, c.relname)
FROM pg_trigger AS t
INNER JOIN pg_class AS c ON c.oid = t.tgrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_class AS other ON other.relname = c.relname
INNER JOIN pg_namespace AS m ON m.oid = other.relnamespace AND m.nspname = n.nspname || %(suffix)s
WHERE n.nspname = ANY(%(schemas)s) AND NOT t.tgisinternal
    AND NOT EXISTS (
        SELECT FROM pg_trigger AS s WHERE s.tgrelid = other.oid AND s.tgname = t.tgname AND s.tgenabled <> 'D'
    )
ORDER BY 1
"""
# What was granted on a live relation and what on the one in its place, columns too; then the same of functions.
_GRANTS = """
WITH granted AS (
    SELECT c.relnamespace AS schema_oid, 'TABLE' AS kind, c.relname::text AS name, '' AS arguments, '' AS column_name,
        c.relowner AS owner, coalesce(c.relacl, acldefault('r', c.relowner)) AS acl
    FROM pg_class AS c WHERE c.relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT c.relnamespace, 'TABLE', c.relname, '', t.attname, c.relowner, t.attacl
    FROM pg_attribute AS t INNER JOIN pg_class AS c ON c.oid = t.attrelid
    UNION ALL
    SELECT p.pronamespace, 'FUNCTION', p.proname, pg_get_function_identity_arguments(p.oid), '', p.proowner,
        coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc AS p
)
SELECT
    bool_or(n.nspname = ANY(%(live)s)) AS in_live, g.kind, replace(n.nspname, %(suffix)s, '') AS schema, g.name,
    g.arguments, g.column_name, a.privilege_type, a.is_grantable,
    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee
FROM granted AS g
INNER JOIN pg_namespace AS n ON n.oid = g.schema_oid
CROSS JOIN LATERAL aclexplode(g.acl) AS a
WHERE n.nspname = ANY(%(live)s || %(shadow)s) AND a.grantee <> g.owner
GROUP BY g.kind, schema, g.name, g.arguments, g.column_name, a.privilege_type, a.is_grantable, a.grantee
HAVING count(*) = 1
ORDER BY in_live, g.kind, schema, g.name, g.arguments, g.column_name, a.privilege_type, a.is_grantable, a.grantee
"""
_OLD_SNAPSHOTS = """
SELECT l.virtualtransaction, l.pid
FROM pg_locks AS l INNER JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'virtualxid' AND l.granted AND a.datname = current_database() AND l.pid <> pg_backend_pid()
    AND coalesce(a.backend_type, 'client backend') = 'client backend'
    -- Between two statements most transactions hold no snapshot; of other users' sessions that may be hidden.
    AND (a.backend_xmin IS NOT NULL OR a.state IS NULL)
    -- A build that waits for us to let go of the lock.
    AND NOT EXISTS (SELECT FROM pg_locks AS w WHERE w.pid = l.pid AND w.locktype = 'advisory' AND NOT w.granted)
"""


def obstacles(connection: Connection) -> list[str]:
    """What forbids a swap: others that rest on the books, guards that the replayed tables lack."""
    parameters = {"schemas": list(LIVE), "role": ROLE, "suffix": SUFFIX}
    with connection.cursor() as cursor:
        cursor.execute(_DEPENDENTS, parameters)
        dependents = [
            f"R-DEPENDENT: 账簿之外的对象依赖现行账簿 / rests on the live books from outside: {row[0]}"
            for row in cursor.fetchall()
        ]
        cursor.execute(_UNGUARDED, parameters)
        return dependents + [
            f"R-GUARD: 重放账簿缺少触发器 / the replayed table lacks trigger {row[0]}" for row in cursor.fetchall()
        ]


def wait_for_old_snapshots(connection: Connection, tried_for_s: float = TRIED_FOR_S) -> None:
    """Wait until no transaction is left that began before now: it would see the new tables without their rows.

    `connection` autocommits. SwapError when some go on for longer than `tried_for_s`.
    """
    deadline, waiting = time.monotonic() + tried_for_s, _snapshots(connection)
    for pause in _pauses():
        left = _snapshots(connection)
        waiting = {one: pid for one, pid in waiting.items() if one in left}
        if not waiting:
            return
        if time.monotonic() > deadline:
            sessions = ", ".join(str(pid) for pid in sorted({*waiting.values()}))
            raise SwapError(
                "R-SNAPSHOT: 仍有更早开始的事务，结束后再试 / transactions from before the new books were complete"
                f" go on; end them or try later: pid {sessions}"
            )
        time.sleep(pause / 5)


def swap(retired: str, record: Callable[[Cursor], None], tried_for_s: float = TRIED_FOR_S) -> None:
    """Move the live objects to schemas `<live><retired>`, the replayed ones into their place; `record` is part of it.

    SwapError when the locks can't be had for `tried_for_s`; until the commit nothing has changed.
    """
    deadline = time.monotonic() + tried_for_s
    for attempt, pause in enumerate(_pauses(), 1):
        try:
            with closing(connect()) as connection:
                with connection, connection.cursor() as cursor:
                    locked_at = _move_everything(cursor, retired)
                    cursor.execute("RESET ROLE")
                    record(cursor)
                held_ms = (time.monotonic() - locked_at) * 1000
            say(f"重放 · 已替换 / swapped, attempt {attempt}: the books were locked for {held_ms:.0f} ms")
            return
        except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
            if time.monotonic() > deadline:
                raise SwapError(
                    f"R-BUSY: {tried_for_s:.0f} 秒内读者占用未间断，未作任何更改 / readers have held the books"
                    f" all the time; nothing has changed, try later: {error}"
                ) from error
            time.sleep(pause)


def _pauses() -> Iterator[float]:
    yield from _PAUSE_S
    while True:
        yield _PAUSE_S[-1]


def _snapshots(connection: Connection) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(_OLD_SNAPSHOTS)
        return dict(cursor.fetchall())


def _move_everything(cursor: Cursor, retired: str) -> float:
    """Returns when the first lock was asked for, by the monotonic clock."""
    for live in LIVE:
        create_retired(cursor, live + retired, ROLE)
    former, new = _objects(cursor, ""), _objects(cursor, SUFFIX)
    cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(ROLE)))
    _carry_grants(cursor)
    began = time.monotonic()
    for one in former:
        left_ms = int((began + LOCKS_WITHIN_S - time.monotonic()) * 1000)
        if left_ms <= 0:
            raise errors.LockNotAvailable("the locks already held were given up for the readers' sake")
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", (f"{left_ms}ms",))
        cursor.execute(_moving(one, one.schema + retired))
    # Nobody else knows these: all of them in one message.
    cursor.execute(sql.SQL("; ").join(_moving(one, one.schema.removesuffix(SUFFIX)) for one in new))
    return began


def _objects(cursor: Cursor, suffix: str) -> list[_Object]:
    cursor.execute(_OBJECTS, {"schemas": [live + suffix for live in LIVE], "role": ROLE})
    return [_Object(*row) for row in cursor.fetchall()]


def _moving(one: _Object, schema: str) -> sql.Composable:
    return sql.SQL("ALTER {} SET SCHEMA {}").format(one.named(), sql.Identifier(schema))


def _carry_grants(cursor: Cursor) -> None:
    """Give the replayed objects the grants of the live ones, no more and no less; new objects keep their own."""
    cursor.execute(_GRANTS, {"suffix": SUFFIX, "live": list(LIVE), "shadow": [live + SUFFIX for live in LIVE]})
    rows = cursor.fetchall()
    paired = {one.key for one in _objects(cursor, "")} & {one.key for one in _objects(cursor, SUFFIX)}
    for in_live, kind, live, name, arguments, column, privilege, grantable, grantee in rows:
        if (live, name, arguments) not in paired:
            continue
        columns = sql.SQL(" ({})").format(sql.Identifier(column)) if column else sql.SQL("")
        option = sql.SQL(" WITH GRANT OPTION" if grantable and in_live else "")
        cursor.execute(
            sql.SQL("GRANT {}{} ON {} TO {}{}" if in_live else "REVOKE {}{} ON {} FROM {}{}").format(
                sql.SQL(privilege),
                columns,
                _Object(kind, live + SUFFIX, name, arguments).named(),
                sql.SQL(grantee),
                option,
            )
        )
