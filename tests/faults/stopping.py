"""Holding a writer at a chosen point of its transaction, from outside: by a trigger that waits for the test's lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2

from tests.faults.ingesting import ask, command, until

_KEY = 4711
_HELD = f"""
SELECT a.pid, a.application_name
FROM pg_locks AS l INNER JOIN pg_stat_activity AS a USING (pid)
WHERE a.datname = current_database() AND l.locktype = 'advisory' AND l.objid = {_KEY} AND l.classid = 0
    AND NOT l.granted
"""
# A trigger of each kind: within the transaction, or at its commit.
_TRIGGERS = {
    "before": "CREATE TRIGGER stop BEFORE INSERT ON events.{} FOR EACH STATEMENT",
    "after": "CREATE TRIGGER stop AFTER INSERT ON events.{} FOR EACH STATEMENT",
    "commit": "CREATE CONSTRAINT TRIGGER stop AFTER INSERT ON events.{} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
}


class StopPoint:
    """A point that a session reached and where it is held."""

    def __init__(self, url: str, holder: psycopg2.extensions.connection) -> None:
        self._url = url
        self._holder = holder

    def backend(self) -> int:
        """Wait until a session has come to the point; its backend's pid."""
        until(self._held)
        return int(str(self._held()[0][0]))

    def names(self) -> set[object]:
        """Names of the sessions that are held now."""
        return {name for _, name in self._held()}

    def release(self) -> None:
        """Let go whoever is held; the point holds nobody any more."""
        self._holder.rollback()

    def _held(self) -> list[tuple[object, ...]]:
        return ask(self._url, _HELD)


@contextmanager
def stopped(superuser_url: str, kind: str, table: str, only: str = "true") -> Iterator[StopPoint]:
    """Hold every session that adds to `events.<table>` before, after, or when it commits; `only`: which rows count."""
    command(
        superuser_url,
        f"""
        CREATE FUNCTION events.stop() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {only} THEN PERFORM pg_advisory_xact_lock_shared({_KEY}); END IF;
            RETURN NULL;
        END $$
        """,
        f"{_TRIGGERS[kind].format(table)} EXECUTE FUNCTION events.stop()",
    )
    try:
        with closing(psycopg2.connect(superuser_url)) as holder, holder.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_xact_lock({_KEY})")
            yield StopPoint(superuser_url, holder)
    finally:
        command(superuser_url, "DROP FUNCTION events.stop() CASCADE")
