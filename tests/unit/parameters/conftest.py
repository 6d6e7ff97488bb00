"""A copy of the seeds' CSV files that a test may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from parameters.tables import PROJECT


@pytest.fixture
def seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The copy, also set as FUND_SEEDS_DIR."""
    folder = tmp_path / "seeds"
    shutil.copytree(PROJECT / "seeds", folder, ignore=shutil.ignore_patterns("*.yml"))
    monkeypatch.setenv("FUND_SEEDS_DIR", str(folder))
    return folder
