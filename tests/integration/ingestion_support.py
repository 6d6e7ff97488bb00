"""Landing files and looking into the log, for tests of the ingestion on a real PostgreSQL."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from ingestion import runs
from ingestion.database import connect
from ingestion.settings import Settings
from tests.unit.ingestion.valid_rows import Row, csv_text, sound_row

CERTIFICATE = "11010519491231002X"


def land(name: str, content: str | bytes, source: str = "demo", *, fresh: bool = False) -> Path:
    """Put a file into its landing folder, as if it had been complete for an hour."""
    path = Settings.from_env().landing_dir / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if not fresh:
        long_ago = time.time() - 3600
        os.utime(path, (long_ago, long_ago))
    return path


def land_rows(name: str, *rows: Row, source: str = "demo") -> Path:
    """A canonical file of these rows."""
    return land(name, csv_text(list(rows)), source)


def run() -> list[dict[str, Any]]:
    """One run without a scheduler."""
    return runs.run_all()


def select(query: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of a query, as the warehouse's own user."""
    with closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute(query, values or None)
        return list(cursor.fetchall())


def files() -> dict[str, tuple[Any, ...]]:
    """name -> (state, error_code, rows, loaded, duplicate, quarantined, now_loaded)."""
    found = select(
        "SELECT file_name, state, error_code, rows, loaded, duplicate, quarantined, now_loaded FROM events.file"
    )
    return {name: tuple(rest) for name, *rest in found}


def quarantined(*, only_open: bool = False) -> dict[tuple[str, int], set[str]]:
    """(file, line) -> codes."""
    relation = "quarantine_open" if only_open else "quarantine"
    found = select(
        f"SELECT f.file_name, q.line_no, q.error_codes FROM events.{relation} AS q"
        " INNER JOIN events.file_registry AS f USING (file_id)"
    )
    return {(name, line): set(codes) for name, line, codes in found}


def person(key: str = "P1", region: str = "320100", **changes: str) -> Row:
    """An enrolment that tells a birth date."""
    row = sound_row("enrollment.started", source_event_key=f"reg-{key}", person_no=key, region_code=region)
    return row | {"birth_date": "1980-06-15", "occurred_on": "2019-01-01"} | changes


def premium(key: str, **changes: str) -> Row:
    """A collection of P1 in Nanjing: base 8,000.00, employer 720.00, credit left to be computed."""
    return sound_row("contribution.collected", source_event_key=key, **changes)


def payment(key: str, **changes: str) -> Row:
    """A payment of 100.00 from the pool."""
    return sound_row("claim.paid", source_event_key=key, **changes)
