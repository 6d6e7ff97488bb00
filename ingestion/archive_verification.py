"""Verifying archived months from their files alone: every content hash, every batch hash, month after month."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from polars.exceptions import PolarsError

from ingestion import heads
from ingestion.archive_month import ROWS_AT_ONCE, ArchiveError, MonthFiles, Span, months, sha256
from ingestion.canonical import GENESIS, BatchHead, all_columns, batch_hash, event_hexes

Row = dict[str, Any]


class _Event(NamedTuple):
    """What the chain says of an event, and its hash as its columns give it."""

    seq: int
    line_no: int
    region_code: str
    batch_id: int
    recorded_at: datetime
    content_hash: bytes
    recomputed: bytes


class _Broken(Exception):
    """The first thing that is wrong with a month."""


def verify(folder: Path, heads_dir: Path | None = None) -> dict[str, Any]:
    """Verify an archive; returns `regions` (region -> from and to which seq) and `problems`, empty when all is well.

    `heads_dir`: heads of the log kept elsewhere (`<region>.jsonl`), with which the batches are compared. Without them
    the archive is known to be whole in itself; with them that it is the log that was recorded.
    """
    regions = sorted(path for path in folder.iterdir() if path.is_dir() and months(path)) if folder.is_dir() else []
    if not regions:
        raise ArchiveError(f"{folder} 中没有归档 / holds no archived months")
    told: dict[str, Any] = {"regions": {}, "problems": []}
    for region in regions:
        spans, problems = _verify_region(region, heads_dir)
        told["problems"] += problems
        if spans:
            told["regions"][region.name] = {"from_seq": spans[0].first_seq, "to_seq": spans[-1].last_seq}
    return told


def verify_month(files: MonthFiles, span: Span) -> str | None:
    """The first thing wrong with a month's files, by its seq; None when they recompute from head to head."""
    try:
        batches = pl.read_parquet(files.batches).iter_rows(named=True)
        events = _events(files.events)
        previous, seq, number = bytes.fromhex(span.head_before), span.first_seq, span.first_batch
        for batch in batches:
            previous = _batch(batch, islice(events, batch["last_seq"] - batch["first_seq"] + 1), previous, seq, number)
            seq, number = batch["last_seq"] + 1, number + 1
        if (seq - 1, number - 1, previous.hex()) != (span.last_seq, span.last_batch, span.head_after):
            raise _Broken(f"seq {seq}: 批次不完整 / batches are missing")
        if (extra := next(events, None)) is not None:
            raise _Broken(f"seq {extra.seq}: 不属于任何批次 / belongs to no batch")
    except _Broken as broken:
        return str(broken)
    except (PolarsError, OSError, KeyError) as error:
        return f"无法读取 / can't be read: {type(error).__name__}: {error}"
    return None


def _verify_region(folder: Path, heads_dir: Path | None) -> tuple[list[Span], list[str]]:
    spans: list[Span] = []
    problems = []
    for files in months(folder):
        where = f"{folder.name} {files.month}"
        try:
            _, span, digests = files.read()
        except ArchiveError as error:
            problems.append(str(error))
            continue
        problems += [f"{where}: {told}" for told in _files_changed(files, digests)]
        if problem := verify_month(files, span) or _does_not_follow(span, spans[-1] if spans else None):
            problems.append(f"{where}: {problem}")
        spans.append(span)
        if heads_dir is not None:
            problems += [f"{where}: {told}" for told in _against_heads(files, span, heads_dir)]
    return spans, problems


def _files_changed(files: MonthFiles, digests: dict[str, str]) -> Iterator[str]:
    for path in (files.events, files.batches):
        if not path.exists():
            yield f"{path.name} 缺失 / is missing"
        elif sha256(path) != digests.get(path.name):
            yield f"{path.name} 已被改动 / differs from its sha256"


def _does_not_follow(span: Span, before: Span | None) -> str | None:
    if before is None:
        begins = span.first_seq == 1 and span.head_before == GENESIS.hex()
        return None if begins or span.first_seq > 1 else f"seq {span.first_seq}: 不是链的开端 / is no beginning"
    follows = (before.last_seq + 1, before.last_batch + 1, before.head_after)
    if (span.first_seq, span.first_batch, span.head_before) == follows:
        return None
    return f"seq {before.last_seq + 1}: 与前一归档月份不衔接 / does not follow the archived month before it"


def _against_heads(files: MonthFiles, span: Span, heads_dir: Path) -> Iterator[str]:
    known = {
        head["batch_id"]: (head["seq"], head["batch_hash"])
        for head in heads.lines(heads_dir / f"{span.region_code}.jsonl")
        if span.first_batch <= head["batch_id"] <= span.last_batch
    }
    try:
        batches = pl.read_parquet(files.batches, columns=["batch_id", "last_seq", "batch_hash"])
    except (PolarsError, OSError):
        return  # told already
    for batch_id, last_seq, digest in batches.iter_rows():
        if batch_id in known and known[batch_id] != (last_seq, digest.hex()):
            yield f"seq {last_seq}: 与库外链头不符 / differs from the head kept outside"


def _events(path: Path) -> Iterator[_Event]:
    """Events in the file's order, few at a time, each with its hash recomputed."""
    scanned = pl.scan_parquet(path)
    start = 0
    while (frame := scanned.slice(start, ROWS_AT_ONCE).collect()).height:
        start += frame.height
        hashes = pl.Series("recomputed", _recomputed(frame), dtype=pl.Binary)
        yield from map(_Event._make, frame.with_columns(hashes).select(_Event._fields).iter_rows())


def _recomputed(frame: pl.DataFrame) -> list[bytes]:
    """Content hash of every row, from its columns; of an unknown version, none that could be right."""
    numbered = frame.with_row_index("place")
    found = [b""] * frame.height
    for family in frame["family"].unique().to_list():
        rows = numbered.filter(pl.col("family") == family)
        texts = rows.select(_canonical_text(frame.schema, name).alias(name) for name in all_columns(family))
        for place, digest in zip(rows["place"], event_hexes(texts, family), strict=True):
            found[place] = bytes.fromhex(digest or "")
    return found


def _canonical_text(schema: pl.Schema, name: str) -> pl.Expr:
    """A stored column as the hash knows it: what was computed at acceptance counts as null."""
    if name not in schema:
        return pl.lit(None, pl.String)  # added by a later version than the archive's
    value, kind = pl.col(name), schema[name]
    if kind == pl.Date:
        text = value.dt.strftime("%Y-%m" if name.endswith("_month") else "%Y-%m-%d")
    elif isinstance(kind, pl.Datetime):
        text = value.dt.strftime("%Y-%m-%dT%H:%M:%S.%6fZ")
    else:
        text = value.cast(pl.String)
    derived = pl.col("derived_columns").list.contains(name).fill_null(False)
    return pl.when(~derived).then(text)


def _batch(batch: Row, events: Iterable[_Event], previous: bytes, first_seq: int, number: int) -> bytes:
    """Check one batch and its events; returns its hash."""
    if (batch["batch_id"], batch["first_seq"], batch["prev_batch_hash"]) != (number, first_seq, previous):
        raise _Broken(f"seq {first_seq}: 批次不衔接 / the batch does not continue the chain")
    head = BatchHead(
        batch["region_code"], number, first_seq, batch["last_seq"], batch["recorded_at"], batch["file_sha256"]
    )
    digest = batch_hash(previous, head, _checked(head, events))
    if digest != batch["batch_hash"]:
        raise _Broken(f"seq {first_seq}: 批次哈希重算不符 / the hash of its batch does not recompute")
    return digest


def _checked(head: BatchHead, events: Iterable[_Event]) -> Iterator[tuple[bytes, int]]:
    """What the hash of a batch is made of, each event checked against its own columns and its batch."""
    seq = head.first_seq
    for event in events:
        if event.seq != seq:
            raise _Broken(f"seq {seq}: 缺失 / is missing")
        if (event.region_code, event.batch_id, event.recorded_at) != (
            head.region_code,
            head.batch_id,
            head.recorded_at,
        ):
            raise _Broken(f"seq {seq}: 与所属批次不符 / differs from its batch")
        if event.recomputed != event.content_hash:
            raise _Broken(f"seq {seq}: 内容被改动 / is not what was recorded")
        yield event.content_hash, event.line_no
        seq += 1
    if seq != head.last_seq + 1:
        raise _Broken(f"seq {seq}: 缺失 / is missing")
