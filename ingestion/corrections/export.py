"""Writing the open rows of a source as workbooks that can be sent back to it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from ingestion.corrections import file_name
from ingestion.corrections.open_rows import OpenRow, open_rows
from ingestion.corrections.workbook import ROWS_MAX, write_workbook
from ingestion.database import Connection
from ingestion.profiles import Feed, profile_of
from ingestion.settings import BEIJING, Settings


@dataclass(frozen=True)
class Exported:
    """Files written with their rows, and open rows that no feed of the profile reads any more."""

    files: dict[Path, int] = field(default_factory=dict)
    left_out: list[OpenRow] = field(default_factory=list)


@dataclass(frozen=True)
class _Target:
    folder: Path
    source_system: str

    def write(self, feed_no: int, feed: Feed, rows: Sequence[OpenRow]) -> Path:
        """Complete or not at all, and never over another file: somebody may be at work on it."""
        path = self._reserve(feed_no, feed)
        unfinished = path.with_name(f"{path.name}.part")
        try:
            write_workbook(unfinished, self.source_system, feed, rows)
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise
        return path

    def _reserve(self, feed_no: int, feed: Feed) -> Path:
        now = datetime.now(BEIJING)
        for part in count(1):
            path = self.folder / file_name(self.source_system, feed.family, feed_no, now, part)
            with suppress(FileExistsError):
                path.touch(exist_ok=False)
                return path
        raise AssertionError("there is always another number")


def export(
    connection: Connection, settings: Settings, source_system: str, region: str | None, folder: Path
) -> Exported:
    """Write every open row of a source (of one region, when given), a workbook a feed and ROWS_MAX rows.

    Raises FileRejected (`E-FILE-PROFILE`) when the source's profile can't be read.
    """
    profile = profile_of(source_system, settings.sources_dir)
    folder.mkdir(parents=True, exist_ok=True)
    target, exported = _Target(folder, source_system), Exported()
    held: dict[tuple[int, str], tuple[Feed, list[OpenRow]]] = {}
    for row, feed_no, feed in open_rows(connection, profile, source_system, region):
        if feed is None:
            exported.left_out.append(row)
            continue
        rows = held.setdefault((feed_no, feed.family), (feed, []))[1]
        rows.append(row)
        if len(rows) == ROWS_MAX:
            exported.files[target.write(feed_no, feed, rows)] = len(rows)
            del held[feed_no, feed.family]
    for (feed_no, _), (feed, rows) in sorted(held.items()):
        exported.files[target.write(feed_no, feed, rows)] = len(rows)
    return exported
