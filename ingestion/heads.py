"""Heads of the regions' chains, written outside the database, so that a rewrite of history by its owner shows.

`<heads_dir>/<log_id>/<region>.jsonl`: one line per run that moved the head, appended and fsynced, never rewritten.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg2.extensions import cursor as Cursor

from ingestion.database import connect
from ingestion.settings import Settings

Head = dict[str, Any]


class HeadsError(RuntimeError):
    """The heads could not be written; the message says where and why."""


def record(settings: Settings | None = None) -> list[Head]:
    """Write the head of every region whose head has moved since its last line; returns the lines written.

    `HeadsError` when one can't be written. The log is complete all the same, and the next call makes up for it.
    """
    settings = settings or Settings.from_env()
    with closing(connect("fund_ingest", settings=settings)) as connection, connection.cursor() as cursor:
        folder = _folder(cursor, settings)
        try:
            with _alone(folder):
                return [head for current in _current(cursor) if (head := _record_region(folder, *current))]
        except OSError as error:
            raise HeadsError(f"the heads can't be written to {folder}: {error.strerror}") from error


def verify(settings: Settings | None = None) -> list[str]:
    """Compare every line written outside with the database; returns what disagrees, nothing when all is well."""
    settings = settings or Settings.from_env()
    with closing(connect("fund_ingest", settings=settings)) as connection, connection.cursor() as cursor:
        folder = _folder(cursor, settings)
        paths = sorted(folder.glob("*.jsonl"))
        problems = _without_heads(cursor, settings, paths)
        for path in paths:
            for number, head in enumerate(lines(path), start=1):
                problem = _disagreement(cursor, head)
                if problem:
                    problems.append(f"{path.name} line {number}: {problem}")
    return problems


def whole_lines(path: Path) -> list[str]:
    """The texts of a region's file that were written to their end; a last one cut off by a crash never counted."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return text[: text.rfind("\n") + 1].splitlines()


def lines(path: Path) -> list[Head]:
    """All lines of a region's file."""
    return [json.loads(line) for line in whole_lines(path)]


def last_line(path: Path) -> Head | None:
    """The newest line of a region's file."""
    found = lines(path)
    return found[-1] if found else None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One recorder at a time, so that each line follows the one before it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _record_region(folder: Path, region: str, batch_id: int, seq: int, digest: str) -> Head | None:
    path = folder / f"{region}.jsonl"
    last = last_line(path)
    if last is not None and (last["batch_id"], last["batch_hash"]) == (batch_id, digest):
        return None
    head = _line(region, batch_id, seq, digest) | {"previous_batch_hash": last and last["batch_hash"]}
    _append(path, head)
    return head


def _without_heads(cursor: Cursor, settings: Settings, paths: Sequence[Path]) -> list[str]:
    """Regions of the log without a line outside; and, for a log without any, whether only another log has some."""
    problems = [
        f"region {region}: no head outside the database"
        for region, *_ in _current(cursor)
        if region not in {path.stem for path in paths}
    ]
    others = sorted(path.name for path in settings.heads_dir.glob("*-*") if any(path.glob("*.jsonl")))
    if not paths and others:
        problems.append(f"{settings.heads_dir} holds heads of other logs only ({', '.join(others)}): another database?")
    return problems


def _disagreement(cursor: Cursor, head: Head) -> str | None:
    cursor.execute(
        "SELECT last_seq, encode(batch_hash, 'hex') FROM events.batch WHERE region_code = %s AND batch_id = %s",
        (head["region_code"], head["batch_id"]),
    )
    found = cursor.fetchone()
    if found is None:
        return f"batch {head['batch_id']} is gone from the log"
    return None if found == (head["seq"], head["batch_hash"]) else f"batch {head['batch_id']} is not what it was"


def _folder(cursor: Cursor, settings: Settings) -> Path:
    cursor.execute("SELECT log_id::text FROM events.log_identity")
    (log_id,) = cursor.fetchone()
    return settings.heads_dir / str(log_id)


def _current(cursor: Cursor) -> list[tuple[str, int, int, str]]:
    cursor.execute(
        "SELECT DISTINCT ON (region_code) region_code, batch_id, last_seq, encode(batch_hash, 'hex')"
        " FROM events.batch ORDER BY region_code, batch_id DESC"
    )
    return list(cursor.fetchall())


def _line(region: str, batch_id: int, seq: int, digest: str) -> Head:
    written_at = datetime.now(UTC).isoformat()
    return {"region_code": region, "batch_id": batch_id, "seq": seq, "batch_hash": digest, "written_at": written_at}


def _append(path: Path, head: Head) -> None:
    """Append one line in place of a cut-off one, and make sure that it is on disk, the folder's entry included."""
    whole = "".join(f"{line}\n" for line in whole_lines(path)).encode()
    with path.open("ab") as handle:
        handle.truncate(len(whole))
        handle.write(json.dumps(head, ensure_ascii=False).encode() + b"\n")
        handle.flush()
        os.fsync(handle.fileno())
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
