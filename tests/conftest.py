"""Shared fixtures: one embedded PostgreSQL for the whole test session, fresh databases from it on demand."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from psycopg2 import sql

from runtime.layout import Layout
from runtime.postgres import EmbeddedPostgres

ROLE = "merged_fund"
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "256MB"}

WarehouseFactory = Callable[..., str]


def pytest_itemcollected(item: pytest.Item) -> None:
    """The first of the tests with samples waits for them."""
    if "published_template" in getattr(item, "fixturenames", ()) and item.get_closest_marker("timeout") is None:
        item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def embedded_postgres() -> Iterator[EmbeddedPostgres]:
    """A running server of its own in a temporary local directory."""
    local = Path(tempfile.mkdtemp(prefix="merged-fund-tests-"))
    local.chmod(0o755)
    server = EmbeddedPostgres(Layout(local), UNSAFE_BUT_FAST)
    server.start()
    try:
        server.ensure_database(ROLE, may_create_roles=True)
        yield server
    finally:
        server.remove()
        shutil.rmtree(local)


@pytest.fixture(scope="session")
def postgres_url(embedded_postgres: EmbeddedPostgres) -> str:
    """URL of the superuser on the administration database."""
    return embedded_postgres.superuser_url()


@pytest.fixture(scope="session")
def warehouse_factory(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> WarehouseFactory:
    """`warehouse_factory(migrated=False)` -> URL of a fresh database, as the ordinary role that production uses.

    They go with their server: to drop hundreds of them one by one took minutes.
    """
    numbers = itertools.count(1)
    templates: list[str] = []

    def create(*, migrated: bool = False, template: str = "") -> str:
        wanted = template or ("test_template" if migrated else "template0")
        if wanted == "test_template" and wanted not in templates:
            templates.append(_migrated_template(postgres_url, tmp_path_factory.mktemp("template")))
        return _create_database(postgres_url, f"test_{next(numbers)}", template=wanted)

    return create


@pytest.fixture(scope="session")
def deployed_template(
    warehouse_factory: WarehouseFactory, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A database with seeds, views and empty tables, to be copied, and its local directory with what dbt has parsed."""
    from runtime.dbt import deploy

    url, local = warehouse_factory(migrated=True), tmp_path_factory.mktemp("deployed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", url)
        patch.setenv("FUND_LOCAL_DIR", str(local))
        deploy("template")
    return url.rpartition("/")[2], local


@pytest.fixture(scope="session")
def published_template(
    warehouse_factory: WarehouseFactory,
    deployed_template: tuple[str, Path],
    postgres_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, Path]:
    """A database with the default samples taken in, posted, checked and published, to be copied, and its heads."""
    from expectations.gate import check, publish
    from ingestion.heads import record
    from ingestion.runs import run_all
    from runtime.dbt import build
    from runtime.demonstration import expect_samples
    from runtime.samples import write_samples

    template, parsed = deployed_template
    url, local = warehouse_factory(template=template), tmp_path_factory.mktemp("published")
    shutil.copytree(parsed / "dbt" / "target", local / "dbt" / "target")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, local)
        patch.setenv("FUND_DATABASE_URL", url)
        write_samples(local / "landing")
        expect_samples()
        run_all()
        record()
        build("samples")
        check("samples")
        assert {decision.decision for decision in publish("samples")} == {"published"}
    name = url.rpartition("/")[2]
    _seal(postgres_url, name)
    return name, local / "heads"


@pytest.fixture(scope="session")
def published_samples(warehouse_factory: WarehouseFactory, published_template: tuple[str, Path]) -> str:
    """URL of a database with the default samples published, shared by all tests: to be read only."""
    return warehouse_factory(template=published_template[0])


@pytest.fixture
def published_copy(
    warehouse_factory: WarehouseFactory,
    published_template: tuple[str, Path],
    fund_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """A database of this test alone with the default samples published, also set as FUND_DATABASE_URL."""
    template, heads = published_template
    shutil.copytree(heads, fund_environment / "heads")
    url = warehouse_factory(template=template)
    monkeypatch.setenv("FUND_DATABASE_URL", url)
    return url


@pytest.fixture
def fund_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """FUND_* variables of this test alone: its own local, landing and heads directories; returns the local one."""
    local = tmp_path / "local"
    isolate(monkeypatch, local)
    return local


@pytest.fixture
def warehouse_url(warehouse_factory: WarehouseFactory, fund_environment: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh, empty database, also set as FUND_DATABASE_URL."""
    assert fund_environment.is_dir()
    url = warehouse_factory()
    monkeypatch.setenv("FUND_DATABASE_URL", url)
    return url


@pytest.fixture
def migrated_warehouse(
    warehouse_factory: WarehouseFactory, fund_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A fresh database with all migrations applied, also set as FUND_DATABASE_URL."""
    assert fund_environment.is_dir()
    url = warehouse_factory(migrated=True)
    monkeypatch.setenv("FUND_DATABASE_URL", url)
    return url


@pytest.fixture
def deployed_warehouse(
    warehouse_factory: WarehouseFactory,
    deployed_template: tuple[str, Path],
    fund_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """A fresh database with all of dbt's relations, also set as FUND_DATABASE_URL; dbt finds its project parsed."""
    template, local = deployed_template
    shutil.copytree(local / "dbt" / "target", fund_environment / "dbt" / "target")
    url = warehouse_factory(template=template)
    monkeypatch.setenv("FUND_DATABASE_URL", url)
    return url


def _seal(admin_url: str, database: str) -> None:
    """End all sessions of a database and allow no new ones, as copying it demands."""
    name = sql.Identifier(database)
    ends = sql.SQL("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = {}")
    _administer(
        admin_url, sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name), ends.format(sql.Literal(database))
    )


def isolate(patch: pytest.MonkeyPatch, local: Path) -> None:
    """FUND_* variables with directories below `local` alone, and a key for tests."""
    for name in [name for name in os.environ if name.startswith("FUND_")]:
        patch.delenv(name)
    (local / "landing").mkdir(parents=True)
    patch.setenv("FUND_LOCAL_DIR", str(local))
    for folder in ("landing", "heads", "reports"):
        patch.setenv(f"FUND_{folder.upper()}_DIR", str(local / folder))
    patch.setenv("FUND_PSEUDONYM_KEY", "0" * 64)


def _create_database(admin_url: str, name: str, template: str = "template0") -> str:
    database, role = sql.Identifier(name), sql.Identifier(ROLE)
    _administer(
        admin_url,
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(database, sql.Identifier(template)),
        sql.SQL("GRANT CREATE, CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, role),
    )
    return _url_of(admin_url, name)


def _migrated_template(admin_url: str, local: Path) -> str:
    from ingestion.schema import migrate
    from ingestion.settings import Settings

    url = _create_database(admin_url, "test_template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", url)
        patch.setenv("FUND_LOCAL_DIR", str(local))
        migrate(Settings.from_env())
    return "test_template"


def _url_of(admin_url: str, database: str) -> str:
    """The ordinary role's URL of a database of the same server."""
    with closing(psycopg2.connect(admin_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD 'for-tests-only'").format(sql.Identifier(ROLE)))
    parts = urlsplit(admin_url)
    location = f"{ROLE}:for-tests-only@{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=location, path=f"/{database}"))


def _administer(admin_url: str, *statements: sql.Composable) -> None:
    with closing(psycopg2.connect(admin_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
