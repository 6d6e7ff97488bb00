"""The rules of monitoring are those of the seeds that the installation deploys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from expectations.suites.monitoring import rules
from runtime.dbt import PROJECT

SEED = "policy/monitoring_rule.csv"


@pytest.fixture(autouse=True)
def unremembered() -> Iterator[None]:
    """What is read here is not kept for other tests."""
    rules.cache_clear()
    yield
    rules.cache_clear()


def test_rules_are_read_where_dbt_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = (PROJECT / "seeds" / SEED).read_text("utf-8")
    own = tmp_path / SEED
    own.parent.mkdir()
    own.write_text(shipped.replace("机构剖宫产率显著高于本统筹区", "本市：剖宫产率过高", 1), "utf-8")
    monkeypatch.setenv("FUND_SEEDS_DIR", str(tmp_path))
    assert rules()[0].title_zh == "本市：剖宫产率过高"
    assert len(rules()) == len(shipped.splitlines()) - 1


def test_a_folder_without_the_file_does_not_stop_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUND_SEEDS_DIR", str(tmp_path))
    assert rules()[0].code == "S01"
