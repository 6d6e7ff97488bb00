"""Writing the open rows of a source as workbooks that can be sent back to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from psycopg2.extensions import cursor as Cursor

from ingestion.corrections import file_name
from ingestion.corrections.open_rows import FeedRows, OpenRow, by_feed
from ingestion.corrections.workbook import ROWS_MAX, write_workbook
from ingestion.profiles import profile_of
from ingestion.settings import BEIJING, Settings


@dataclass(frozen=True)
class Exported:
    """Files written with their rows, and open rows that no feed of the profile reads any more."""

    files: dict[Path, int] = field(default_factory=dict)
    left_out: list[OpenRow] = field(default_factory=list)


def export(cursor: Cursor, settings: Settings, source_system: str, region: str | None, folder: Path) -> Exported:
    """Write every open row of a source (of one region, when given), a workbook a feed and 50,000 rows.

    Raises FileRejected (`E-FILE-PROFILE`) when the source's profile can't be read.
    """
    feeds, left_out = by_feed(cursor, profile_of(source_system, settings.sources_dir), source_system, region)
    folder.mkdir(parents=True, exist_ok=True)
    exported = Exported(left_out=left_out)
    for rows in feeds:
        for part in _parts(rows):
            path = _write(folder, source_system, part)
            exported.files[path] = len(part.rows)
    return exported


def _parts(rows: FeedRows) -> Iterator[FeedRows]:
    for start in range(0, len(rows.rows), ROWS_MAX):
        yield FeedRows(rows.feed_no, rows.feed, rows.rows[start : start + ROWS_MAX])


def _write(folder: Path, source_system: str, rows: FeedRows) -> Path:
    """Complete or not at all, and never over another file: somebody may be at work on it."""
    now = datetime.now(BEIJING)
    number = 0
    while True:
        number += 1
        path = folder / file_name(source_system, rows.feed.family, rows.feed_no, now, number)
        with suppress(FileExistsError):
            path.touch(exist_ok=False)
            break
    unfinished = path.with_name(f"{path.name}.part")
    try:
        write_workbook(unfinished, source_system, rows.feed, rows.rows)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise
    return path
