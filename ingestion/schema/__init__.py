"""Migrations of the database: numbered SQL files of this folder, applied in order by yoyo-migrations.

Its bookkeeping lives in the schema `fund_migrations`. Migrations only go forward; projections are rebuilt instead.
Each is applied, marked and given its checksum in one transaction: killed at any instant, it is there in full or not at
all.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from psycopg2.extensions import connection as Connection
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration

from ingestion.database import connect
from ingestion.schema import checksums
from ingestion.settings import Settings

FOLDER = Path(__file__).parent
BOOKKEEPING = "fund_migrations"
_ROLE_MIGRATIONS = ("0003.roles", "0015.signoff")  # the first DO block of each makes roles


class SchemaVersionError(RuntimeError):
    """The database is older or newer than this code, or of another line of it."""


class _Backend(PostgresqlBackend):  # type: ignore[misc]
    """yoyo's backend on a connection of ours, which also takes the URLs that yoyo's own parser does not know."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__(DatabaseURI("postgresql", None, None, None, None, "", {}), "_yoyo_migration")

    def connect(self, dburi: DatabaseURI) -> Connection:
        """An autocommitting session; yoyo begins and ends its transactions itself."""
        assert dburi.scheme == "postgresql"
        self.schema = BOOKKEEPING
        return connect(autocommit=True, settings=self._settings)

    def copy(self) -> _Backend:
        """Another session on the same database."""
        return _Backend(self._settings)

    def apply_one(self, migration: Migration, force: bool = False, mark: bool = True) -> None:
        """yoyo would run a migration in one transaction and mark it in another; a crash between them leaves neither."""
        assert mark
        self.ensure_internal_schema_updated()
        with self.transaction():
            migration.process_steps(self, "apply", force=force)
            self.log_migration(migration, "apply")
            self.mark_one(migration, log=False)
            checksums.record(self.connection, [Path(migration.path)])


def migrate(settings: Settings | None = None) -> list[str]:
    """Bring the database to this code's version; returns what was applied. Several processes may call it at once."""
    settings = settings or Settings.from_env()
    with closing(connect(autocommit=True, settings=settings)) as guard, guard.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended('merged_fund.migrate', 0))")
        _check_server(guard)
        cursor.execute(f"SELECT to_regnamespace('{BOOKKEEPING}')")
        if cursor.fetchone() == (None,):
            cursor.execute(f"CREATE SCHEMA {BOOKKEEPING}")
        _check_known(guard)
        checksums.ensure_table(guard)
        # A database of before there were checksums gets those of its files now.
        checksums.record(guard, _files(_applied(guard)))
        return _apply(settings)


def check_version(connection: Connection) -> None:
    """Stop clearly when the database is not at exactly this code's version."""
    applied, known = _applied(connection), _known()
    if applied < known:
        raise SchemaVersionError(
            f"the database lacks migration(s) {', '.join(sorted(known - applied))}; run: python -m ingestion migrate"
        )
    _check_known(connection)


@contextmanager
def hold_version(connection: Connection) -> Iterator[None]:
    """Keep migrations of other processes waiting; `connection` autocommits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(hashtextextended('merged_fund.migrate', 0))")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock_shared(hashtextextended('merged_fund.migrate', 0))")


def applied_migrations(connection: Connection) -> list[str]:
    """Names of the migrations that the database has, in order."""
    return sorted(_applied(connection))


def known_migrations() -> list[str]:
    """Names of the migrations that this code has, in order."""
    return sorted(_known())


def make_roles(connection: Connection) -> None:
    """Make the roles of the pipeline where they are missing, by the very statements of their migrations.

    Roles belong to the server: a database restored on another one brings its tables and its list of migrations only.
    """
    with connection.cursor() as cursor:
        for name in _ROLE_MIGRATIONS:
            text = (FOLDER / f"{name}.sql").read_text("utf-8")
            cursor.execute(re.findall(r"^DO \$\$.*?^\$\$;", text, re.M | re.S)[0])


def _apply(settings: Settings) -> list[str]:
    backend = _Backend(settings)
    with backend:
        backend.init_database()
        backend.break_lock()  # a lock row can only be left over: the advisory lock above is the real one
        with backend.lock():
            todo = backend.to_apply(read_migrations(glob.escape(str(FOLDER))).filter(lambda m: m.path.endswith(".sql")))
            names = [migration.id for migration in todo]
            backend.apply_migrations(todo)
    return names


def _check_known(connection: Connection) -> None:
    """Every applied migration is one of this code's, and its file is the one that was applied."""
    applied, known = _applied(connection), _known()
    if applied - known:
        raise SchemaVersionError(
            f"the database is newer than this code: it knows {', '.join(sorted(applied - known))}; update the code"
        )
    if changed := checksums.changed(connection, _files(applied)):
        raise SchemaVersionError(
            f"migration(s) {', '.join(changed)} changed after they had been applied to this database;"
            " put the files back as they were and make the change in a new migration"
        )


def _known() -> set[str]:
    return {path.stem for path in FOLDER.glob("[0-9]*.sql")}


def _files(names: Iterable[str]) -> list[Path]:
    return [FOLDER / f"{name}.sql" for name in sorted(names)]


def _applied(connection: Connection) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_regclass('{BOOKKEEPING}._yoyo_migration')")
        if cursor.fetchone() == (None,):
            return set()
        cursor.execute(f"SELECT migration_id FROM {BOOKKEEPING}._yoyo_migration")
        return {row[0] for row in cursor.fetchall()}


def _check_server(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('server_encoding')")
        version, encoding = cursor.fetchone() or (0, "")
    if version < 150000:
        raise SchemaVersionError(f"PostgreSQL 15 or newer is needed, the server is {version // 10000}")
    if encoding != "UTF8":
        raise SchemaVersionError(f"the database must be encoded in UTF8, it is in {encoding}")
