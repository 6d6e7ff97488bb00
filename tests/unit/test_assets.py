from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from reporting import assets
from reporting.assets import __main__ as command

# Bytes that a page may make a reader load, all packages together and each alone.
BUDGET = {"bootstrap": 180_000, "echarts": 760_000}
BUDGET_OF_ALL = 1_000_000


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the vendored files that a test may spoil."""
    vendor = tmp_path / "vendor"
    shutil.copytree(assets.VENDOR, vendor)
    monkeypatch.setattr(assets, "VENDOR", vendor)
    monkeypatch.setattr(assets, "MANIFEST", vendor / "manifest.json")
    return vendor


def test_every_file_is_as_listed_and_nothing_else_is_there() -> None:
    assert assets.check() == []
    assert [asset.path for asset in assets.manifest()] == sorted(asset.path for asset in assets.manifest())


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda file: file.write_bytes(file.read_bytes() + b" "), "its content is not the listed one"),
        (lambda file: file.unlink(), "listed and not there"),
        (lambda file: file.with_name("more.js").write_text("1"), "there and not listed"),
    ],
)
def test_what_differs_from_the_manifest_is_named(
    copied: Path, spoil: object, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(spoil)
    spoil(copied / "echarts/dist/echarts.common.min.js")
    (problem,) = assets.check()
    assert problem.startswith("echarts/dist/")
    assert problem.endswith(said)
    assert command.main(["check"]) == 1
    assert problem in capsys.readouterr().out


def test_the_manifest_is_of_the_locked_packages() -> None:
    package = json.loads((assets.FOLDER / "package.json").read_text())
    locked = json.loads((assets.FOLDER / "package-lock.json").read_text())["packages"]
    listed = [(asset.package, asset.file) for asset in assets.manifest()]
    assert sorted((name, file) for name, files in package["vendor"].items() for file in files) == listed
    for asset in assets.manifest():
        entry = locked[f"node_modules/{asset.package}"]
        assert (asset.version, asset.integrity) == (entry["version"], entry["integrity"])
        assert package["dependencies"].get(asset.package, asset.version) == asset.version
    assert not [name for name, entry in locked.items() if "resolved" in entry]


def test_every_package_comes_with_its_licence_and_within_its_budget() -> None:
    by_package: dict[str, list[assets.Asset]] = {}
    for asset in assets.manifest():
        by_package.setdefault(asset.package, []).append(asset)
    for package, files in by_package.items():
        assert any("LICENSE" in file.file for file in files), package
        assert sum(file.bytes for file in files) <= BUDGET.get(package, 20_000), package
    assert sum(file.bytes for files in by_package.values() for file in files) <= BUDGET_OF_ALL


def test_no_style_loads_what_is_not_here() -> None:
    for style in assets.VENDOR.rglob("*.css"):
        loaded = re.findall(r"url\(\s*['\"]?([^'\")]+)", style.read_text())
        assert [url for url in loaded if not url.startswith("data:") and not (style.parent / url).is_file()] == [], (
            style
        )
        assert "@import" not in style.read_text()


def test_installing_copies_once_and_mends(tmp_path: Path) -> None:
    written = assets.install(tmp_path, ["echarts"])
    script = tmp_path / "assets/vendor/echarts/dist/echarts.common.min.js"
    assert script in written
    assert not (tmp_path / "assets/vendor/bootstrap").exists()
    before = script.stat().st_ino
    assets.install(tmp_path, ["echarts"])
    assert script.stat().st_ino == before, "left alone"
    script.write_text("spoilt")
    assets.install(tmp_path, ["echarts"])
    assert script.stat().st_size == 715_020


def test_what_is_not_vendored_is_not_installed(tmp_path: Path, copied: Path) -> None:
    with pytest.raises(assets.AssetError, match="not vendored: leftpad"):
        assets.install(tmp_path, ["echarts", "leftpad"])
    (copied / "bootstrap/dist/css/bootstrap.min.css").write_text("spoilt")
    with pytest.raises(assets.AssetError, match="not the listed one"):
        assets.install(tmp_path, ["bootstrap"])
