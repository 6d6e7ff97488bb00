"""The policy of this installation: the seeds that ship with the code, or those of a folder that FUND_SEEDS_DIR names.

A city whose accountant keeps the parameters points FUND_SEEDS_DIR at a copy of `dbt_project/seeds`. Of that folder the
CSV files are read, all of them; what a column means and of which type it is (the YAML) always comes with the code. dbt
knows one project folder only, so one of links is made: models and macros of the code, seeds of the installation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ingestion.settings import SettingsError


class SeedFolderError(SettingsError):
    """The folder of FUND_SEEDS_DIR is not a set of this version's seeds; the message names the files."""


def seeds_of(project: Path) -> Path:
    """The folder whose CSV files count: that of FUND_SEEDS_DIR, or the project's own."""
    given = os.environ.get("FUND_SEEDS_DIR")
    return Path(given).expanduser().absolute() if given else project / "seeds"


def seed_files(project: Path) -> list[Path]:
    """Every seed's CSV file in the folder that counts, in a fixed order. SeedFolderError when it is not complete."""
    folder = seeds_of(project)
    found = {path.relative_to(folder) for path in folder.rglob("*.csv")}
    if folder != project / "seeds":
        wanted = {path.relative_to(project / "seeds") for path in (project / "seeds").rglob("*.csv")}
        _require(folder, lacking=wanted - found, unknown=found - wanted)
    return [folder / name for name in sorted(found)]


def described(project: Path) -> Iterator[Path]:
    """The files that describe the seeds; they come with the code."""
    yield from sorted(path for path in (project / "seeds").rglob("*") if path.is_file() and path.suffix != ".csv")


def project_with_seeds(project: Path, place: Path) -> Path:
    """The folder that dbt reads: `project` itself, or `place` filled with links when the seeds lie elsewhere."""
    folder = seeds_of(project)
    if folder == project / "seeds":
        return project
    wanted = {path.name: path for path in project.iterdir() if path.name != "seeds" and not path.name.startswith(".")}
    wanted |= {f"seeds/{path.relative_to(project / 'seeds')}": path for path in described(project)}
    wanted |= {f"seeds/{path.relative_to(folder)}": path for path in seed_files(project)}
    for name, target in wanted.items():
        _link(place / name, target)
    for link in [path for path in place.rglob("*") if path.is_symlink() and str(path.relative_to(place)) not in wanted]:
        link.unlink()
    return place


def _require(folder: Path, lacking: set[Path], unknown: set[Path]) -> None:
    if not lacking and not unknown:
        return
    lines = [f"FUND_SEEDS_DIR={folder}: 与本版本的参数表不符 / not this version's set of seeds"]
    if lacking:
        names = ", ".join(sorted(map(str, lacking)))
        lines.append(f"缺少，请从 dbt_project/seeds 复制 / missing, copy from dbt_project/seeds: {names}")
    if unknown:
        names = ", ".join(sorted(map(str, unknown)))
        lines.append(f"本版本没有，请移走 / unknown to this version, move away: {names}")
    raise SeedFolderError("\n".join(lines))


def _link(link: Path, target: Path) -> None:
    """Make or renew a link so that whoever looks at the same time finds the old or the new one."""
    if link.is_symlink() and link.readlink() == target:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    unfinished = link.with_name(f"{link.name}.{os.getpid()}.part")
    unfinished.symlink_to(target)
    unfinished.replace(link)
