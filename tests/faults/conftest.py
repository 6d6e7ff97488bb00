"""Landing areas, what an undisturbed run makes of them, and fresh warehouses for disturbed ones."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.faults.ingesting import Ingestion
from tests.faults.landing_area import write_area
from tests.faults.log_state import LogState, audit

MakeIngestion = Callable[[Path], Ingestion]


@dataclass(frozen=True)
class Undisturbed:
    """A landing area, what one run of one process makes of it, and how long that took."""

    landing: Path
    state: LogState
    seconds: float


@pytest.fixture(scope="session")
def ingestion_on(warehouse_factory: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> MakeIngestion:
    """`ingestion_on(landing)` -> the ingestion of this area into a fresh warehouse."""
    numbers = itertools.count(1)
    return lambda landing: Ingestion(
        warehouse_factory(migrated=True), landing, tmp_path_factory.mktemp(f"local-{next(numbers)}")
    )


@pytest.fixture(scope="session")
def small(ingestion_on: MakeIngestion, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Some twenty files of all kinds, a second's work."""
    return _undisturbed(ingestion_on, write_area(tmp_path_factory.mktemp("small"), rows=60))


@pytest.fixture(scope="session")
def big(ingestion_on: MakeIngestion, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The same kinds, and a file of several chunks."""
    return _undisturbed(ingestion_on, write_area(tmp_path_factory.mktemp("big"), rows=30, big_rows=120_000))


@pytest.fixture
def superuser(postgres_url: str) -> Callable[[Ingestion], str]:
    """`superuser(ingestion)` -> URL of the server's superuser on its warehouse."""
    return lambda ingestion: urlunsplit(urlsplit(postgres_url)._replace(path=urlsplit(ingestion.url).path))


def _undisturbed(ingestion_on: MakeIngestion, landing: Path) -> Undisturbed:
    ingestion = ingestion_on(landing)
    began = time.monotonic()
    ingestion.finish("run")
    seconds = time.monotonic() - began
    assert audit(ingestion.url, contents=True) == []
    return Undisturbed(landing, ingestion.complete(), seconds)
