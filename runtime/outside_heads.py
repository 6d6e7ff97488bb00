"""The heads of a backup and those that lie outside the database today: which of them count after a restore."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingestion import heads
from runtime.backup_manifest import BackupError


@dataclass(frozen=True)
class Loss:
    """Batches of a region that the heads outside know and the backup does not hold."""

    region_code: str
    after_seq: int
    to_seq: int


@dataclass
class Plan:
    """What `folder` must hold once the backup is restored."""

    folder: Path
    lines: dict[str, list[str]] = field(default_factory=dict)
    lost: list[Loss] = field(default_factory=list)

    def loss(self) -> str:
        """What would be lost, and what to do."""
        told = ", ".join(f"{loss.region_code}: seq {loss.after_seq + 1}–{loss.to_seq}" for loss in self.lost)
        return (
            f"库外链头比备份新，备份中没有这些事件（{told}）；请用更新的备份。没有时加 --accept-loss：原链头改名保留，"
            f"重新落地来源文件 / the heads outside are newer than the backup, which lacks {told}: restore a newer"
            " backup; if there is none, --accept-loss keeps the former heads under another name, and the source files"
            " are to be landed again"
        )

    def carry_out(self) -> Path | None:
        """Write the heads; those that know more than the backup are first put aside under the folder returned."""
        kept = None
        if self.lost:
            kept = self.folder.with_name(f"{self.folder.name}.until-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
            self.folder.rename(kept)
        self.folder.mkdir(parents=True, exist_ok=True)
        for region, whole in self.lines.items():
            path = self.folder / f"{region}.jsonl"
            if heads.whole_lines(path) != whole:
                heads.write(path, whole)
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return kept


def plan(backup: Path, folder: Path, held: Mapping[str, Mapping[str, Any]]) -> Plan:
    """Join a backup's heads with those in `folder`; `held`: region -> head up to which the backup holds the log.

    BackupError when the two contradict each other: one of them is not of this log.
    """
    made = Plan(folder)
    for region in sorted({path.stem for place in (backup, folder) for path in place.glob("*.jsonl")}):
        saved, outside = (heads.whole_lines(place / f"{region}.jsonl") for place in (backup, folder))
        longer = max(saved, outside, key=len)
        if longer[: len(saved)] != saved or longer[: len(outside)] != outside:
            raise BackupError(
                f"{folder / region}.jsonl 与备份中的链头互相矛盾，请内部审计查明"
                " / contradicts the heads in the backup: internal audit must find out which is true"
            )
        _take(made, region, longer, held.get(region, {"batch_id": 0, "seq": 0}))
    return made


def _take(made: Plan, region: str, whole: list[str], held: Mapping[str, Any]) -> None:
    readable, wrong = heads.in_themselves(region, whole)
    if wrong:
        raise BackupError(
            f"{made.folder / region}.jsonl 被改动，请内部审计查明 / the heads have been altered, internal audit must"
            f" find out how: {wrong[0]}"
        )
    told = [head for _, head in readable]
    made.lines[region] = [line for line, head in zip(whole, told, strict=True) if head["batch_id"] <= held["batch_id"]]
    if len(made.lines[region]) < len(whole):
        made.lost.append(Loss(region, held["seq"], max(head["seq"] for head in told)))
