"""Books that several test files start from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import WarehouseFactory, isolate


@pytest.fixture(scope="session")
def small_books_template(
    warehouse_factory: WarehouseFactory, deployed_template: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """Name of a database with the small books, and the local directory with what dbt has parsed, replays included."""
    from tests.integration.replay_support import small_books

    template, parsed = deployed_template
    url, local = warehouse_factory(template=template), tmp_path_factory.mktemp("small_books")
    shutil.copytree(parsed / "dbt" / "target", local / "dbt" / "target")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, local)
        patch.setenv("FUND_DATABASE_URL", url)
        small_books()
    return url.rpartition("/")[2], local


@pytest.fixture
def small_books_copy(
    small_books_template: tuple[str, Path],
    warehouse_factory: WarehouseFactory,
    fund_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """A copy of the small books of this test alone, also set as FUND_DATABASE_URL."""
    template, local = small_books_template
    shutil.copytree(local / "dbt", fund_environment / "dbt")
    url = warehouse_factory(template=template)
    monkeypatch.setenv("FUND_DATABASE_URL", url)
    return url
