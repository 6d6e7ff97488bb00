"""Fetches the packages of `package.json` with npm and copies the files named there into `vendor/`."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from reporting.assets import FOLDER, VENDOR, Asset, AssetError, sha256, write_manifest

_PACKAGE, _LOCK = "package.json", "package-lock.json"
_QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def lock() -> None:
    """Pin the packages anew: version and integrity, no address, so that any registry that has them will do."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copy(FOLDER / _PACKAGE, folder)
        _npm(folder, "install", "--package-lock-only", "--omit-lockfile-registry-resolved", *_QUIET)
        shutil.copyfile(folder / _LOCK, FOLDER / _LOCK)


def vendor() -> list[Asset]:
    """Replace `vendor/` by the listed files of the locked packages; npm refuses a package whose integrity differs."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in (_PACKAGE, _LOCK):
            shutil.copy(FOLDER / name, folder)
        _npm(folder, "ci", *_QUIET)
        shutil.rmtree(VENDOR, ignore_errors=True)
        VENDOR.mkdir()
        assets = [_copied(folder / "node_modules", *entry) for entry in _wanted()]
    write_manifest(assets)
    return assets


def _npm(folder: Path, *arguments: str) -> None:
    program = shutil.which("npm")
    if program is None:
        raise AssetError("更新前端文件需要 npm / npm is needed to update the vendored files")
    result = subprocess.run([program, *arguments], cwd=folder, check=False)
    if result.returncode:
        raise AssetError(f"npm {arguments[0]} 退出码 / exit code {result.returncode}")


def _wanted() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Package, file and entry of the lock."""
    listed = json.loads((FOLDER / _PACKAGE).read_text(encoding="utf-8"))["vendor"]
    locked = json.loads((FOLDER / _LOCK).read_text(encoding="utf-8"))["packages"]
    for package, files in listed.items():
        for file in files:
            yield package, file, locked[f"node_modules/{package}"]


def _copied(modules: Path, package: str, file: str, locked: dict[str, Any]) -> Asset:
    content = (modules / package / file).read_bytes()
    target = VENDOR / package / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return Asset(
        package=package,
        file=file,
        version=locked["version"],
        license=locked["license"],
        integrity=locked["integrity"],
        sha256=sha256(content),
        bytes=len(content),
    )
