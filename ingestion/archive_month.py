"""Files of one archived month of a region, and its manifest.

`<region>/<YYYY-MM>.events.parquet`, `.batches.parquet`, `.manifest.json`: whole batches that were recorded in the month
(Beijing time), so that each month continues the chain where the one before it ended.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

ROWS_AT_ONCE = 20_000  # of events, read or written; also the size of a row group
_FORMAT = 1
_NO_HASH = "0" * 64


class ArchiveError(RuntimeError):
    """Months can't be archived, or an archive can't be read; the message says what to do."""


@dataclass(frozen=True)
class Span:
    """Which batches and events of a region's log one month holds, and the chain's heads around them (hex).

    Derived heads are null where all batches up to there are from before the derived hash was kept.
    """

    region_code: str
    month: str
    first_batch: int
    last_batch: int
    first_seq: int
    last_seq: int
    head_before: str
    head_after: str
    derived_before: str | None
    derived_after: str | None


@dataclass(frozen=True)
class MonthFiles:
    """Where a month's files lie."""

    folder: Path
    month: str

    @property
    def events(self) -> Path:
        """One row an event, all columns of `events.event`."""
        return self.folder / f"{self.month}.events.parquet"

    @property
    def batches(self) -> Path:
        """One row a batch, all columns of `events.batch`, with the name of the file it came from."""
        return self.folder / f"{self.month}.batches.parquet"

    @property
    def manifest(self) -> Path:
        """Span and checksums; written last."""
        return self.folder / f"{self.month}.manifest.json"

    def seal(self, log_id: str, span: Span) -> None:
        """Write the manifest: only now the month counts as archived."""
        files = {path.name: sha256(path) for path in (self.events, self.batches)}
        told = {"format": _FORMAT, "log_id": log_id, **asdict(span), "files": files}
        draft = self.manifest.with_suffix(".draft")
        with draft.open("w", encoding="utf-8") as handle:
            json.dump({**told, "manifest_sha256": _sha256_of(told)}, handle, ensure_ascii=False, indent=1)
            handle.write("\n")
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(self.manifest)

    def read(self) -> tuple[str, Span, dict[str, str]]:
        """log_id, span and name -> sha256 out of the manifest; ArchiveError when it is not as it was written."""
        try:
            told = json.loads(self.manifest.read_text("utf-8"))
            digest = told.pop("manifest_sha256")
            sound = digest == _sha256_of(told) and told["format"] == _FORMAT
            span = Span(**{field.name: told[field.name] for field in fields(Span)})
            _check_types(span)
            log_id, files = str(told["log_id"]), dict(told["files"])
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise ArchiveError(f"{self.manifest} 无法读取 / can't be read: {error}") from None
        if not sound:
            raise ArchiveError(f"{self.manifest} 已被改动 / has been changed since it was written")
        return log_id, span, files


def _check_types(span: Span) -> None:
    """TypeError when a value of a span is none that could have been written."""
    numbers = (span.first_batch, span.last_batch, span.first_seq, span.last_seq)
    hashes = (span.head_before, span.head_after, span.derived_before or _NO_HASH, span.derived_after or _NO_HASH)
    if not all(type(number) is int and number > 0 for number in numbers):
        raise TypeError("numbers of batches and events must be positive integers")
    if not all(re.fullmatch("[0-9a-f]{64}", digest) for digest in hashes):
        raise TypeError("hashes must be 64 hexadecimal digits")


def months(folder: Path) -> list[MonthFiles]:
    """The archived months of a region's folder, in order: whatever has a manifest or events."""
    names = {
        path.name.split(".")[0] for kind in ("manifest.json", "*.parquet") for path in folder.glob(f"????-??.{kind}")
    }
    return [MonthFiles(folder, month) for month in sorted(names)]


def sha256(path: Path) -> str:
    """Hash of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _sha256_of(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
