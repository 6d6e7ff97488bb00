"""Books that several test files start from: small ones, and ones with months to be closed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from closing.prepare import prepare
from ingestion.settings import Settings
from tests.conftest import WarehouseFactory, _seal, isolate, on_database
from tests.integration.closing_books import NOVEMBER, PREPARER, REGION, closed, copied, made, surroundings
from tests.integration.gate_books import switch_off_triggers, write_books, write_heads_files
from tests.integration.gate_books_copy import GateBooks, copy_of_books

State = tuple[str, Path]


@pytest.fixture(scope="session")
def small_books_template(
    warehouse_factory: WarehouseFactory, deployed_template: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """Name of a database with the small books, and the local directory with what dbt has parsed, replays included."""
    from tests.integration.replay_support import small_books

    template, parsed = deployed_template
    url, local = warehouse_factory(template=template, kept=True), tmp_path_factory.mktemp("small_books")
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
) -> Iterator[str]:
    """A copy of the small books of this test alone, also set as FUND_DATABASE_URL."""
    template, local = small_books_template
    shutil.copytree(local / "dbt", fund_environment / "dbt")
    url = warehouse_factory(template=template)
    monkeypatch.setenv("FUND_DATABASE_URL", url)
    yield url
    warehouse_factory.drop(url)


@pytest.fixture(scope="session")
def open_books(
    warehouse_factory: WarehouseFactory,
    deployed_template: State,
    postgres_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> State:
    """Published books of which no month is closed: database to be copied, and its local directory."""
    local = tmp_path_factory.mktemp("closing") / "local"
    name = made(warehouse_factory, deployed_template, local).rpartition("/")[2]
    _seal(postgres_url, name)
    return name, local


@pytest.fixture(scope="session")
def closed_november(
    warehouse_factory: WarehouseFactory,
    open_books: State,
    postgres_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> State:
    """The same with November closed as it should be."""
    local = tmp_path_factory.mktemp("closed") / "local"
    url = warehouse_factory(template=open_books[0], kept=True)
    with surroundings(local, url):
        copied(open_books[1], local)
        closed(prepare(REGION, NOVEMBER, PREPARER, f"os:{PREPARER}"))
    name = url.rpartition("/")[2]
    _seal(postgres_url, name)
    return name, local


@pytest.fixture
def opened(warehouse_factory: WarehouseFactory, open_books: State, tmp_path: Path) -> Iterator[Settings]:
    yield from _copy(warehouse_factory, open_books, tmp_path)


@pytest.fixture
def november(warehouse_factory: WarehouseFactory, closed_november: State, tmp_path: Path) -> Iterator[Settings]:
    yield from _copy(warehouse_factory, closed_november, tmp_path)


def _copy(warehouse_factory: WarehouseFactory, state: State, tmp_path: Path) -> Iterator[Settings]:
    local, url = tmp_path / "local", warehouse_factory(template=state[0])
    with surroundings(local, url):
        copied(state[1], local)
        yield Settings.from_env()
    warehouse_factory.drop(url)


@pytest.fixture(scope="session")
def gate_template(
    warehouse_factory: WarehouseFactory,
    deployed_template: State,
    postgres_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> State:
    """The hand-made books that the gate is tested on, guards off: database to be copied, and the heads files."""
    heads = tmp_path_factory.mktemp("gate") / "heads"
    url = warehouse_factory(template=deployed_template[0], kept=True)
    with closing(psycopg2.connect(on_database(postgres_url, url))) as connection:
        switch_off_triggers(connection)
        write_books(connection)
        write_heads_files(connection, heads)
    name = url.rpartition("/")[2]
    _seal(postgres_url, name)
    return name, heads


@pytest.fixture
def books(
    gate_template: State, warehouse_factory: WarehouseFactory, postgres_url: str, tmp_path: Path
) -> Iterator[GateBooks]:
    """A fresh copy of them, to be corrupted."""
    name, heads = gate_template
    url = warehouse_factory(template=name)
    with copy_of_books(url, on_database(postgres_url, url), heads, tmp_path) as copy:
        yield copy
    warehouse_factory.drop(url)
