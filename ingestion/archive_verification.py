"""Verifying archived months from their files alone: everything is recomputed, month after month, as in the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from polars.exceptions import PanicException, PolarsError

from ingestion import heads
from ingestion.archive_month import ArchiveError, MonthFiles, Span, months, sha256
from ingestion.archive_reading import Damaged, batches, chunks
from ingestion.canonical import GENESIS
from ingestion.verification.chain import Start
from ingestion.verification.region import RegionCheck

# What files that hold anything at all may raise when they are read as what they should hold.
_UNREADABLE = (PolarsError, PanicException, OSError, KeyError, ValueError, TypeError, AttributeError, OverflowError)


def verify(folder: Path, heads_dir: Path | None = None, from_month: str | None = None) -> dict[str, Any]:
    """Verify an archive; returns `regions` (region -> from and to which seq) and `problems`, empty when all is well.

    `heads_dir`: heads of the log kept elsewhere (`<region>.jsonl`), with which the batches are compared. Without them
    the archive is known to be whole in itself; with them that it is the log that was recorded. `from_month` (YYYY-MM):
    the first month to verify; without it an archive that does not begin with the log is a problem.
    """
    if from_month is not None and not re.fullmatch(r"\d{4}-\d{2}", from_month):
        raise ArchiveError(f"--from-month 应为 YYYY-MM / --from-month must be a month YYYY-MM, not {from_month!r}")
    regions = sorted(path for path in folder.iterdir() if path.is_dir() and months(path)) if folder.is_dir() else []
    if not regions:
        raise ArchiveError(f"{folder} 中没有归档 / holds no archived months")
    told: dict[str, Any] = {"regions": {}, "problems": []}
    for region in regions:
        spans, problems = _verify_region(region, heads_dir, from_month)
        told["problems"] += problems
        if spans:
            told["regions"][region.name] = {"from_seq": spans[0].first_seq, "to_seq": spans[-1].last_seq}
    return told


def verify_month(files: MonthFiles, span: Span) -> str | None:
    """The first thing wrong with a month's files, by its seq; None when they recompute from head to head."""
    check = RegionCheck(span.region_code, _start(span))
    try:
        for chunk in chunks(files, span.region_code):
            check.take(chunk)
        told = _ends_otherwise(check, span)
    except Damaged as damaged:
        told = str(damaged)
    except _UNREADABLE as error:
        told = f"无法读取 / can't be read: {type(error).__name__}: {error}"
    first = next(iter(check.findings.first()), None)
    return told if first is None else f"seq {first.seq}: {first.kind.value[1]} / {first.kind.value[2]}"


def _start(span: Span) -> Start:
    derived = None if span.derived_before is None else bytes.fromhex(span.derived_before)
    return Start(span.first_batch - 1, span.first_seq - 1, bytes.fromhex(span.head_before), derived)


def _ends_otherwise(check: RegionCheck, span: Span) -> str | None:
    last = check.chain.last
    seq = span.first_seq if last is None else last.last_seq + 1
    if last is None or (last.batch_id, last.last_seq, _hex(last.batch_hash)) != (
        span.last_batch,
        span.last_seq,
        span.head_after,
    ):
        return f"seq {seq}: 批次不完整 / batches are missing"
    if (_hex(last.derived_hash) or span.derived_before) != span.derived_after:
        return f"seq {seq - 1}: 派生哈希与清单不符 / the derived hash is not that of the manifest"
    return None


def _hex(digest: bytes | None) -> str | None:
    return None if digest is None else digest.hex()


def _verify_region(folder: Path, heads_dir: Path | None, from_month: str | None) -> tuple[list[Span], list[str]]:
    spans: list[Span] = []
    problems = []
    for files in months(folder):
        if from_month is not None and files.month < from_month:
            continue
        where = f"{folder.name} {files.month}"
        try:
            _, span, digests = files.read()
            if (span.region_code, span.month) != (folder.name, files.month):
                raise ArchiveError(f"{files.manifest} 属于别处 / belongs elsewhere: {span.region_code} {span.month}")
        except ArchiveError as error:
            problems.append(str(error))
            continue
        problems += [f"{where}: {told}" for told in _files_changed(files, digests)]
        follows = _does_not_follow(span, spans[-1]) if spans else _does_not_begin(span, from_month)
        if problem := verify_month(files, span) or follows:
            problems.append(f"{where}: {problem}")
        spans.append(span)
    if from_month is not None and not spans and not problems:
        problems.append(f"{folder.name}: 没有自 {from_month} 起的月份 / has no month from {from_month} on")
    if heads_dir is not None:
        problems += [f"{folder.name} {told}" for told in _against_heads(folder, spans, heads_dir)]
    return spans, problems


def _files_changed(files: MonthFiles, digests: dict[str, str]) -> Iterator[str]:
    for path in (files.events, files.batches):
        if not path.exists():
            yield f"{path.name} 缺失 / is missing"
        elif sha256(path) != digests.get(path.name):
            yield f"{path.name} 已被改动 / differs from its sha256"


def _does_not_begin(span: Span, from_month: str | None) -> str | None:
    """Whether an archive's first month is not the one it should begin with."""
    if span.month == from_month and span.first_seq > 1:
        return None
    if (span.first_seq, span.first_batch, span.head_before, span.derived_before) == (1, 1, GENESIS.hex(), None):
        return None
    return (
        f"seq {span.first_seq}: 不是日志的开端，之前的月份缺失；只验证其后的月份时请用 --from-month"
        " / is not where the log begins, months before it are missing; --from-month verifies the later ones only"
    )


def _does_not_follow(span: Span, before: Span) -> str | None:
    follows = (before.last_seq + 1, before.last_batch + 1, before.head_after, before.derived_after)
    if (span.first_seq, span.first_batch, span.head_before, span.derived_before) == follows:
        return None
    return f"seq {before.last_seq + 1}: 与前一归档月份不衔接 / does not follow the archived month before it"


def _against_heads(folder: Path, spans: list[Span], heads_dir: Path) -> Iterator[str]:
    """What lines of heads kept outside say otherwise, and what is wrong with those lines."""
    path = heads_dir / f"{folder.name}.jsonl"
    try:
        readable, wrong = heads.in_themselves(folder.name, heads.whole_lines(path))
    except OSError as error:
        raise ArchiveError(f"{path} 无法读取 / can't be read: {error.strerror}") from None
    for found in wrong:
        yield f"库外链头被改动 / the heads kept outside were altered: {found}"
    if not readable:
        yield f"没有可比较的库外链头 / there are no heads to compare with: {path}"
    for span in spans:
        try:
            stored = {
                batch.batch_id: (batch.last_seq, _hex(batch.batch_hash), _hex(batch.derived_hash))
                for batch in batches(MonthFiles(folder, span.month).batches, span.region_code)
            }
        except (Damaged, *_UNREADABLE):
            continue  # told already
        for _, head in readable:
            if span.first_batch <= head["batch_id"] <= span.last_batch and heads.disagreement(
                head, stored.get(head["batch_id"])
            ):
                yield f"{span.month}: seq {head['seq']}: 与库外链头不符 / differs from the head kept outside"
