"""An installation's own seeds: which files count, what dbt reads, and what is said when they are not a whole set."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ingestion.settings import Settings
from runtime import dbt
from runtime.seed_folder import SeedFolderError, project_with_seeds, seed_files, seeds_of


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the seeds' CSV files alone, set as FUND_SEEDS_DIR."""
    folder = tmp_path / "seeds"
    shutil.copytree(dbt.PROJECT / "seeds", folder, ignore=shutil.ignore_patterns("*.yml"))
    monkeypatch.setenv("FUND_SEEDS_DIR", str(folder))
    return folder


def test_without_a_folder_of_its_own_the_project_is_read_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FUND_SEEDS_DIR", raising=False)
    assert seeds_of(dbt.PROJECT) == dbt.PROJECT / "seeds"
    assert project_with_seeds(dbt.PROJECT, tmp_path / "project") == dbt.PROJECT
    assert not (tmp_path / "project").exists()


def test_dbt_reads_models_of_the_code_and_seeds_of_the_installation(own: Path, tmp_path: Path) -> None:
    seed = own / "policy" / "policy_base.csv"
    seed.write_text(seed.read_text("utf-8") + "320200,2016-01-01,,1.00,2.00,2018-01-01,assumed,示例\n", "utf-8")
    project = project_with_seeds(dbt.PROJECT, tmp_path / "project")
    assert (project / "seeds" / "policy" / "policy_base.csv").read_bytes() == seed.read_bytes()
    for name in ("seeds/policy/policy.yml", "models/ledger/journal_line.sql", "dbt_project.yml"):
        assert (project / name).read_bytes() == (dbt.PROJECT / name).read_bytes()


def test_links_follow_a_folder_that_moves(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project_with_seeds(dbt.PROJECT, tmp_path / "project")
    moved = own.rename(tmp_path / "moved")
    monkeypatch.setenv("FUND_SEEDS_DIR", str(moved))
    project = project_with_seeds(dbt.PROJECT, tmp_path / "project")
    links = [path for path in project.rglob("*") if path.is_symlink()]
    assert links
    assert all(link.exists() for link in links)


def test_a_changed_parameter_is_other_code_to_deploy(own: Path) -> None:
    same = dbt.code_sha256()
    seed = own / "policy" / "policy_base.csv"
    seed.write_text(seed.read_text("utf-8").replace("3368.00", "3369.00"), "utf-8")
    assert dbt.code_sha256() != same


def test_a_copy_deploys_as_the_same_code(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert own.is_dir()
    copied = dbt.code_sha256()
    monkeypatch.delenv("FUND_SEEDS_DIR")
    assert dbt.code_sha256() == copied


def test_missing_and_unknown_seeds_are_named(own: Path) -> None:
    (own / "policy" / "policy_rate.csv").rename(own / "policy" / "rates.csv")
    with pytest.raises(SeedFolderError, match=r"(?s)缺少.*policy/policy_rate\.csv.*本版本没有.*policy/rates\.csv"):
        seed_files(dbt.PROJECT)


def test_ingestion_reads_the_same_folder(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUND_DATABASE_URL", "postgresql://host/database")
    assert Settings.from_env().seeds_dir == own
