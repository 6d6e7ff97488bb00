"""Heads of the regions' chains, written outside the database, so that a rewrite of history by its owner shows.

`<heads_dir>/<log_id>/<region>.jsonl`: one line per run that moved the head, appended and fsynced, never rewritten.
Each line names the hashes of the line before it: docs/canonical-form.md.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from psycopg2.extensions import cursor as Cursor

from ingestion import disk_full
from ingestion.database import connect
from ingestion.settings import Settings

Head = dict[str, Any]
_LINES_A_TIME = 1_000
_NEEDED = {"region_code", "batch_id", "seq", "previous_batch_hash", "batch_hash", "written_at"}
_KEPT = "surrogateescape"


class Reason(Enum):
    """How a line written outside, or the lack of one, disagrees with the log. The value completes the sentence."""

    UNREADABLE = "the line can't be read"
    BROKEN = "the line does not continue the one before it"
    GONE = "batch {batch_id} is gone from the log"
    DIFFERS = "batch {batch_id} is not what it was"
    ADDED_DIFFERS = "what acceptance added up to batch {batch_id} is not what it was"
    NONE = "no head outside the database"


@dataclass(frozen=True)
class Disagreement:
    """A disagreement of a region; `line` is null where there is no line, batch and seq where they can't be read.

    `agreed`: the newest batch named by a line before it that the log agrees with; 0 when there is none.
    """

    region_code: str
    reason: Reason
    line: int | None = None
    batch_id: int | None = None
    seq: int | None = None
    agreed: int = 0
    hashes: tuple[str, str | None] = ("", None)  # of the batch, and of what acceptance added, by the line

    def __str__(self) -> str:
        place = f"region {self.region_code}" if self.line is None else f"{self.region_code}.jsonl line {self.line}"
        return f"{place}: {self.reason.value.format(batch_id=self.batch_id)}"


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
                return [head for current in current(cursor) if (head := _record_region(folder, *current))]
        except OSError as error:
            if disk_full.explanation(error) is not None:
                raise
            raise HeadsError(f"the heads can't be written to {folder}: {error.strerror}") from error


def verify(settings: Settings | None = None) -> list[str]:
    """Compare every line written outside with the database; returns what disagrees, nothing when all is well."""
    settings = settings or Settings.from_env()
    with closing(connect("fund_ingest", settings=settings)) as connection, connection.cursor() as cursor:
        problems = [str(disagreement) for disagreement in disagreements(cursor, settings)]
        return problems + foreign_heads(cursor, settings)


def disagreements(cursor: Cursor, settings: Settings) -> list[Disagreement]:
    """Every disagreement of the lines written outside, by region and line, and regions of the log without a line."""
    folder = _folder(cursor, settings)
    paths = sorted(folder.glob("*.jsonl"))
    known = {path.stem for path in paths if whole_lines(path)}
    missing = [Disagreement(region, Reason.NONE) for region, *_ in current(cursor) if region not in known]
    return missing + [found for path in paths for found in _in_lines(cursor, path.stem, whole_lines(path))]


def contradictions(cursor: Cursor, told: Mapping[str, Sequence[str]]) -> list[str]:
    """What is wrong with these lines, which are given by region, in themselves and against the database."""
    return [str(found) for region, texts in told.items() for found in _in_lines(cursor, region, texts)]


def foreign_heads(cursor: Cursor, settings: Settings) -> list[str]:
    """For a log without any head outside: whether only another log has some."""
    others = sorted(path.name for path in settings.heads_dir.glob("*-*") if any(path.glob("*.jsonl")))
    if not others or any(_folder(cursor, settings).glob("*.jsonl")):
        return []
    return [f"{settings.heads_dir} holds heads of other logs only ({', '.join(others)}): another database?"]


def current(cursor: Cursor) -> list[tuple[str, int, int, str, str | None]]:
    """The head of every region in the log: region, batch_id, seq, batch hash and derived hash in hex."""
    cursor.execute(
        "SELECT DISTINCT ON (region_code) region_code, batch_id, last_seq, encode(batch_hash, 'hex'),"
        " encode(derived_hash, 'hex') FROM events.batch ORDER BY region_code, batch_id DESC"
    )
    return list(cursor.fetchall())


def copy(folder: Path, target: Path) -> list[Path]:
    """Copy the whole lines of a log's heads into a new folder, safely on disk; returns the files there."""
    target.mkdir()
    return [write(target / path.name, whole_lines(path)) for path in sorted(folder.glob("*.jsonl"))]


def write(path: Path, whole: Sequence[str]) -> Path:
    """Put these lines in place of a file, all or none of them; returns its path."""
    draft = path.with_suffix(".draft")
    with draft.open("wb") as handle:
        handle.writelines(_bytes(line) + b"\n" for line in whole)
        handle.flush()
        os.fsync(handle.fileno())
    draft.replace(path)
    return path


def whole_lines(path: Path) -> list[str]:
    """The texts of a region's file that were written to their end; a last one cut off by a crash never counted.

    Bytes that are no UTF-8 are kept as lone surrogates, so that the line can be named and copied as it is.
    """
    text = path.read_bytes().decode("utf-8", _KEPT) if path.exists() else ""
    return text.split("\n")[:-1]


def last_line(path: Path) -> Head | None:
    """The newest line of a region's file; None when there is none or it can't be read."""
    whole = whole_lines(path)
    return parsed(whole[-1], path.stem) if whole else None


def parsed(text: str, region: str) -> Head | None:
    """A line with all that is needed, of this region; None for any other."""
    try:
        text.encode()  # raises where bytes were no UTF-8, if only inside a value
        head = json.loads(text)
        whole = head.keys() >= _NEEDED and head["region_code"] == region
        return head if whole and type(head["batch_id"]) is int and type(head["seq"]) is int else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def in_themselves(region: str, texts: Sequence[str]) -> tuple[list[tuple[int, Head]], list[Disagreement]]:
    """The lines that can be read, with their numbers, and what is wrong with lines as such: each follows another."""
    previous: tuple[str | None, str | None] | None = (None, None)
    readable: list[tuple[int, Head]] = []
    wrong: list[Disagreement] = []
    for number, text in enumerate(texts, start=1):
        head = parsed(text, region)
        if head is None:
            wrong.append(Disagreement(region, Reason.UNREADABLE, number))
            previous = None
            continue
        if (
            previous is not None
            and (head["previous_batch_hash"], head.get("previous_line_sha256", previous[1])) != previous
        ):
            wrong.append(Disagreement(region, Reason.BROKEN, number, head["batch_id"], head["seq"]))
        previous = (head["batch_hash"], _sha256(text))
        readable.append((number, head))
    return readable, wrong


def disagreement(head: Head, batch: Sequence[Any] | None) -> Reason | None:
    """How a line and its batch (last seq, hash and derived hash in hex) disagree."""
    if batch is None:
        return Reason.GONE
    seq, digest, added = batch
    if (seq, digest) != (head["seq"], head["batch_hash"]):
        return Reason.DIFFERS
    return None if head.get("derived_hash") in (None, added) else Reason.ADDED_DIFFERS


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One recorder at a time, so that each line follows the one before it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _record_region(folder: Path, region: str, batch_id: int, seq: int, digest: str, added: str | None) -> Head | None:
    path = folder / f"{region}.jsonl"
    whole, last = whole_lines(path), last_line(path)
    if last is not None and (last["batch_id"], last["batch_hash"]) == (batch_id, digest):
        return None
    # After a line that can't be read the log goes on being recorded; verification names that line.
    head = _line(region, batch_id, seq, digest, added) | {
        "previous_batch_hash": last and last["batch_hash"],
        "previous_line_sha256": _sha256(whole[-1]) if whole else None,
    }
    _append(path, head)
    return head


def _in_lines(cursor: Cursor, region: str, texts: Sequence[str]) -> Iterator[Disagreement]:
    """What is wrong with the lines of a region's file, each against the one before and against the log."""
    readable, wrong = in_themselves(region, texts)
    yield from wrong
    yield from _against_log(cursor, region, readable)


def _against_log(cursor: Cursor, region: str, heads: Sequence[tuple[int, Head]]) -> Iterator[Disagreement]:
    agreed = 0
    for start in range(0, len(heads), _LINES_A_TIME):
        some = heads[start : start + _LINES_A_TIME]
        cursor.execute(
            "SELECT batch_id, last_seq, encode(batch_hash, 'hex'), encode(derived_hash, 'hex') FROM events.batch"
            " WHERE region_code = %s AND batch_id = ANY(%s)",
            (region, [head["batch_id"] for _, head in some]),
        )
        batches = {batch_id: rest for batch_id, *rest in cursor.fetchall()}
        for number, head in some:
            reason = disagreement(head, batches.get(head["batch_id"]))
            if reason is not None:
                hashes = (head["batch_hash"], head.get("derived_hash"))
                yield Disagreement(region, reason, number, head["batch_id"], head["seq"], agreed, hashes)
            else:
                agreed = head["batch_id"]


def _folder(cursor: Cursor, settings: Settings) -> Path:
    cursor.execute("SELECT log_id::text FROM events.log_identity")
    (log_id,) = cursor.fetchone()
    return settings.heads_dir / str(log_id)


def _line(region: str, batch_id: int, seq: int, digest: str, added: str | None) -> Head:
    hashes = {"batch_hash": digest, "derived_hash": added}
    return {
        "region_code": region,
        "batch_id": batch_id,
        "seq": seq,
        **hashes,
        "written_at": datetime.now(UTC).isoformat(),
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(_bytes(text)).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", _KEPT)


def _append(path: Path, head: Head) -> None:
    """Append one line in place of a cut-off one, and make sure that it is on disk, the folder's entry included."""
    whole = sum(len(_bytes(line)) + 1 for line in whole_lines(path))
    with disk_full.naming(path), path.open("ab") as handle:
        handle.truncate(whole)
        handle.write(json.dumps(head, ensure_ascii=False).encode() + b"\n")
        handle.flush()
        os.fsync(handle.fileno())
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
