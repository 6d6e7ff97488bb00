"""Checksums of applied migrations, so that a file changed after it was applied is told from the one that was.

yoyo knows a migration by its name only. Kept in `fund_migrations.applied_file`, written with the migration itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from psycopg2.extensions import connection as Connection

TABLE = "fund_migrations.applied_file"


def ensure_table(connection: Connection) -> None:
    """Make the table where it is missing. Connections are autocommitting here."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {TABLE} (migration_id text NOT NULL PRIMARY KEY,"
            " sha256 text NOT NULL, recorded_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )


def record(connection: Connection, paths: Iterable[Path]) -> None:
    """Remember these files as applied; what is remembered already stays."""
    with connection.cursor() as cursor:
        for path in paths:
            cursor.execute(
                f"INSERT INTO {TABLE} (migration_id, sha256) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (path.stem, _sha256(path)),
            )


def changed(connection: Connection, paths: Iterable[Path]) -> list[str]:
    """Names of migrations whose file is not what was applied; one without a checksum yet is none of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", (TABLE,))
        if cursor.fetchone() == (None,):
            return []
        cursor.execute(f"SELECT migration_id, sha256 FROM {TABLE}")
        applied = dict(cursor.fetchall())
    return sorted(path.stem for path in paths if applied.get(path.stem, _sha256(path)) != _sha256(path))


def _sha256(path: Path) -> str:
    """Of the text: line ends are the checkout's own affair."""
    return hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()
