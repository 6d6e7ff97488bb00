"""Shared fixtures: one embedded PostgreSQL for the whole test session, fresh databases from it on demand."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import hypothesis
import psycopg2
import pytest
from psycopg2 import sql

from runtime.layout import Layout
from runtime.postgres import EmbeddedPostgres

PREFIX = "merged-fund-tests-"
ROLE = "merged_fund"
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "256MB"}

# A run that turns red means that something changed; what was never tried is for --hypothesis-profile=searching.
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.register_profile("searching", derandomize=False)
hypothesis.settings.load_profile("repeatable")


class WarehouseFactory:
    """`factory(migrated=False, template="", kept=False)` -> URL of a fresh database, as production's ordinary role.

    A database goes with the test or the file of tests that made it, for hundreds of them would fill a disk; one that is
    `kept` goes with its server.
    """

    def __init__(self, admin_url: str, local: Path) -> None:
        self._admin_url, self._local = admin_url, local
        self._numbers = itertools.count(1)
        self._template = ""
        self._to_drop: list[str] = []

    def __call__(self, *, migrated: bool = False, template: str = "", kept: bool = False) -> str:
        if migrated and not template:
            template = self._template = self._template or _migrated_template(self._admin_url, self._local)
        name = f"test_{next(self._numbers)}"
        url = _create_database(self._admin_url, name, template=template or "template0")
        if not kept:
            self._to_drop.append(name)
        return url

    def drop(self, url: str = "") -> None:
        """Drop the database of a URL, or all that are not kept."""
        names = [url.rpartition("/")[2]] if url else list(self._to_drop)
        for name in names:
            gone = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            _administer(self._admin_url, gone)
            self._to_drop.remove(name)


FACTORY = pytest.StashKey[WarehouseFactory]()


def pytest_itemcollected(item: pytest.Item) -> None:
    """The first of the tests with samples waits for them."""
    if "published_template" in getattr(item, "fixturenames", ()) and item.get_closest_marker("timeout") is None:
        item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def embedded_postgres() -> Iterator[EmbeddedPostgres]:
    """A running server of its own in a temporary local directory."""
    _remove_abandoned()
    local = Path(tempfile.mkdtemp(prefix=PREFIX))
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """After the last test of a file its databases go."""
    yield
    factory = item.session.stash.get(FACTORY, None)
    if factory is not None and nextitem is not None and nextitem.path != item.path:
        factory.drop()


@pytest.fixture(scope="session")
def warehouse_factory(
    request: pytest.FixtureRequest, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> WarehouseFactory:
    """Maker of fresh databases."""
    factory = WarehouseFactory(postgres_url, tmp_path_factory.mktemp("template"))
    request.session.stash[FACTORY] = factory
    return factory


@pytest.fixture(scope="session")
def deployed_template(
    warehouse_factory: WarehouseFactory, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A database with seeds, views and empty tables, to be copied, and its local directory with what dbt has parsed."""
    from runtime.dbt import deploy

    url, local = warehouse_factory(migrated=True, kept=True), tmp_path_factory.mktemp("deployed")
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
    url, local = warehouse_factory(template=template, kept=True), tmp_path_factory.mktemp("published")
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
    return warehouse_factory(template=published_template[0], kept=True)


@pytest.fixture
def published_copy(
    warehouse_factory: WarehouseFactory,
    published_template: tuple[str, Path],
    fund_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """A database of this test alone with the default samples published, also set as FUND_DATABASE_URL."""
    template, heads = published_template
    shutil.copytree(heads, fund_environment / "heads")
    url = warehouse_factory(template=template)
    monkeypatch.setenv("FUND_DATABASE_URL", url)
    yield url
    warehouse_factory.drop(url)


@pytest.fixture
def fund_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """FUND_* variables of this test alone: its own local, landing and heads directories; returns the local one."""
    local = tmp_path / "local"
    isolate(monkeypatch, local)
    return local


@pytest.fixture
def warehouse_url(
    warehouse_factory: WarehouseFactory, fund_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A fresh, empty database, also set as FUND_DATABASE_URL."""
    assert fund_environment.is_dir()
    url = warehouse_factory()
    monkeypatch.setenv("FUND_DATABASE_URL", url)
    yield url
    warehouse_factory.drop(url)


@pytest.fixture
def migrated_warehouse(
    warehouse_factory: WarehouseFactory, fund_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A fresh database with all migrations applied, also set as FUND_DATABASE_URL."""
    assert fund_environment.is_dir()
    url = warehouse_factory(migrated=True)
    monkeypatch.setenv("FUND_DATABASE_URL", url)
    yield url
    warehouse_factory.drop(url)


@pytest.fixture
def deployed_warehouse(
    warehouse_factory: WarehouseFactory,
    deployed_template: tuple[str, Path],
    fund_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """A fresh database with all of dbt's relations, also set as FUND_DATABASE_URL; dbt finds its project parsed."""
    template, local = deployed_template
    shutil.copytree(local / "dbt" / "target", fund_environment / "dbt" / "target")
    url = warehouse_factory(template=template)
    monkeypatch.setenv("FUND_DATABASE_URL", url)
    yield url
    warehouse_factory.drop(url)


def _remove_abandoned() -> None:
    """Delete what killed runs left behind: gigabytes each. A directory without a server may still be starting one.

    Another worker may be at the same one, and another user's is not ours to read.
    """
    for local in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            is_old = local.stat().st_mtime < time.time() - 3600
            if is_old and EmbeddedPostgres(Layout(local)).running_port() is None:
                shutil.rmtree(local, ignore_errors=True)


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
        # five times as fast as through the log
        sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(database, sql.Identifier(template)),
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


def on_database(admin_url: str, url: str) -> str:
    """The superuser's URL of a database that another role's URL names."""
    return urlunsplit(urlsplit(admin_url)._replace(path=urlsplit(url).path))


def _administer(admin_url: str, *statements: sql.Composable) -> None:
    with closing(psycopg2.connect(admin_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
