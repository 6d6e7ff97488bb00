"""Scripts, styles and fonts that pages use: kept in this folder as their packages ship them, never fetched by a page.

`package.json` names packages and files, `package-lock.json` pins the packages, `vendor/` holds the files at
`<package>/<path in the package>`, and `vendor/manifest.json` says of each what it is. Nothing else lies in `vendor/`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from reporting.files import replace_file

__all__ = ["FOLDER", "MANIFEST", "VENDOR", "Asset", "AssetError", "check", "install", "manifest"]

FOLDER = Path(__file__).resolve().parent
VENDOR = FOLDER / "vendor"
MANIFEST = VENDOR / "manifest.json"

# Where pages find the files, seen from the folder of reports.
PUBLISHED = "assets/vendor"


class AssetError(RuntimeError):
    """The vendored files are not those of the manifest, or a file is asked for that is not among them."""


@dataclass(frozen=True, order=True)
class Asset:
    """One vendored file. `integrity` is npm's, of the whole package; `sha256` and `bytes` are of the file."""

    package: str
    file: str
    version: str
    license: str
    integrity: str
    sha256: str
    bytes: int

    @property
    def path(self) -> str:
        """Path below `vendor/`, with slashes."""
        return f"{self.package}/{self.file}"


def manifest() -> list[Asset]:
    """What the manifest lists, in its order: by package and file."""
    return [Asset(**entry) for entry in json.loads(MANIFEST.read_text(encoding="utf-8"))]


def write_manifest(assets: Iterable[Asset]) -> None:
    """Replace the manifest; the same assets give the same bytes."""
    MANIFEST.write_text(json.dumps([asdict(asset) for asset in sorted(assets)], indent=2) + "\n", encoding="utf-8")


def check() -> list[str]:
    """Everything in which `vendor/` differs from its manifest, a line each; empty when it is as listed."""
    listed = {asset.path: asset for asset in manifest()}
    found = {path.relative_to(VENDOR).as_posix(): path for path in VENDOR.rglob("*") if path.is_file()}
    del found[MANIFEST.name]
    missing = [f"{name}: 清单所列文件不存在 / listed and not there" for name in sorted(listed.keys() - found.keys())]
    unlisted = [f"{name}: 清单未列 / there and not listed" for name in sorted(found.keys() - listed.keys())]
    changed = [
        f"{name}: 内容与清单不符 / its content is not the listed one"
        for name in sorted(listed.keys() & found.keys())
        if sha256(found[name].read_bytes()) != listed[name].sha256
    ]
    return missing + unlisted + changed


def install(folder: Path, packages: Iterable[str]) -> list[Path]:
    """Put the files of `packages` under `folder`/assets/vendor, where pages link to them; returns their paths.

    A file that is there with the right content is left alone. What other packages have there stays.
    Raises AssetError for a package that is not vendored, or a file that is not as listed.
    """
    wanted = set(packages)
    assets = [asset for asset in manifest() if asset.package in wanted]
    if unknown := wanted - {asset.package for asset in assets}:
        raise AssetError(f"未收入的前端包 / not vendored: {', '.join(sorted(unknown))}")
    return [_installed(asset, folder / PUBLISHED / asset.path) for asset in assets]


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()


def _installed(asset: Asset, target: Path) -> Path:
    if target.is_file() and sha256(target.read_bytes()) == asset.sha256:
        return target
    content = (VENDOR / asset.path).read_bytes()
    if sha256(content) != asset.sha256:
        raise AssetError(f"{asset.path}: 内容与清单不符 / its content is not the listed one")
    return replace_file(target, content)
