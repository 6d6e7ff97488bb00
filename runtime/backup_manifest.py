"""The manifest of a backup: what it holds, of which log, up to which heads. Written last; without it there is none."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

NAME = "manifest.json"
DUMP = "warehouse.dump"
HEADS = "heads"
_FORMAT = 1


class BackupError(RuntimeError):
    """A backup can't be made, is damaged, or can't be restored here; the message says what to do."""


@dataclass(frozen=True)
class Manifest:
    """Facts of a backup; all of JSON's own types."""

    created_at: str
    log_id: str
    owner: str  # role that owns the warehouse's objects: the user of FUND_DATABASE_URL
    heads: dict[str, dict[str, Any]]  # of the dump's snapshot: region -> batch_id, seq, batch_hash
    readers: dict[str, list[str]]  # role named in access.region_grant -> groups of this project that it is a member of
    pseudonym_keys: dict[str, Any]  # configured: id of the key in use; in_log: ids of all keys that events know
    figures: dict[str, list[Any]]  # published statement -> rows, hash over its rows
    deployed_code: str | None  # hash of the models' code behind these figures
    migrations: list[str]
    versions: dict[str, str]
    files: dict[str, dict[str, Any]]  # path in the backup -> sha256, size_bytes

    def write(self, folder: Path) -> str:
        """Write it into a backup's folder, safely on disk; returns its hash."""
        told = {"format": _FORMAT, **asdict(self)}
        digest = _sha256_of(told)
        with (folder / NAME).open("w", encoding="utf-8") as handle:
            json.dump({**told, "manifest_sha256": digest}, handle, ensure_ascii=False, indent=1, sort_keys=True)
            handle.flush()
            os.fsync(handle.fileno())
        return digest


def read(folder: Path) -> Manifest:
    """The manifest of a backup; BackupError when it is absent, of another format, or not as it was written."""
    told = _parsed(folder)
    digest = told.pop("manifest_sha256", None)
    if digest != _sha256_of(told):
        raise BackupError(
            f"{folder / NAME} 已被改动，不可使用 / has been changed since it was written: do not use this backup"
        )
    if told.pop("format", None) != _FORMAT or told.keys() != {field.name for field in fields(Manifest)}:
        raise BackupError(
            f"{folder / NAME} 由其他版本的程序写成，请用该版本恢复后再升级"
            " / was written by another version of this program: restore with that one, then upgrade"
        )
    return Manifest(**told)


def manifest_sha256(folder: Path) -> str:
    """The hash that identifies a backup; kept by whoever answers for it, it shows that nothing was exchanged."""
    return str(_parsed(folder).get("manifest_sha256"))


def check(folder: Path) -> Manifest:
    """Compare every file of a backup with its manifest; BackupError that names each one that differs."""
    manifest = read(folder)
    problems = [problem for name, told in manifest.files.items() if (problem := _problem(folder, name, told))]
    if problems:
        raise BackupError(f"备份已损坏，不可使用 / the backup {folder} is damaged: {'; '.join(problems)}")
    return manifest


def files_of(folder: Path) -> dict[str, dict[str, Any]]:
    """path -> sha256 and size_bytes of everything below a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {"sha256": _sha256(path), "size_bytes": path.stat().st_size}
        for path in paths
    }


def _parsed(folder: Path) -> dict[str, Any]:
    path = folder / NAME
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BackupError(
            f"{folder} 中没有 {NAME}：不是备份，或备份没有完成"
            f" / holds no {NAME}: no backup, or one that was not finished"
        ) from None
    except (OSError, ValueError) as error:
        raise BackupError(f"{path} 无法读取 / can't be read: {error}") from None
    if not isinstance(told, dict):
        raise BackupError(f"{path} 无法读取 / can't be read: not an object")
    return told


def _problem(folder: Path, name: str, told: Mapping[str, Any]) -> str | None:
    path = folder / name
    if not path.is_file():
        return f"{name} 缺失 / is missing"
    if path.stat().st_size != told["size_bytes"]:
        return f"{name} 长度不符 / has {path.stat().st_size} bytes instead of {told['size_bytes']}"
    return None if _sha256(path) == told["sha256"] else f"{name} 内容不符 / differs from its sha256"


def _sha256_of(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
