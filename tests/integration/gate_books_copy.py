"""A copy of the gate's hand-made books (`gate_books`): to be corrupted, and looked at by some checks or by all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from expectations.candidate import read_candidates
from expectations.check import Candidate, Check
from expectations.validation import CheckResult, Run, Target, open_context, run_suite
from ingestion.database import connect
from ingestion.settings import Settings

BUSINESS_DATE = "2020-04-05"


@dataclass(frozen=True)
class GateBooks:
    """A copy of the hand-made books in a database of its own."""

    settings: Settings
    admin_url: str

    def corrupt(self, statements: str) -> None:
        """Run SQL as superuser with triggers off."""
        with closing(psycopg2.connect(self.admin_url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statements)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query, as superuser."""
        with closing(psycopg2.connect(self.admin_url)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def candidate(self, region: str = "320100") -> Candidate:
        """The candidate of a region as the gate reads it."""
        with closing(connect("fund_quality", settings=self.settings)) as connection:
            return next(c for c in read_candidates(connection, self.settings) if c.region_code == region)

    def run(self, checks: dict[str, tuple[Check, ...]], region: str = "320100") -> dict[str, CheckResult]:
        """Results by code of some suites on one region."""
        context = open_context(self.settings.database_url)
        with closing(connect("fund_quality", settings=self.settings)) as connection:
            candidate = self.candidate(region)
            run = Run("books", datetime.now(UTC))
            runs = [run_suite(context, connection, s, Target(run, candidate, c)) for s, c in checks.items()]
            results = [result for each in runs for result in each.results]
        return {result.check.code: result for result in results}


@contextmanager
def copy_of_books(url: str, admin_url: str, heads: Path, local: Path) -> Iterator[GateBooks]:
    """The books of database `url`, with a copy of its heads files in `local`; the gate connects as production does."""
    recorded = shutil.copytree(heads, local / "heads")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", url)
        patch.setenv("FUND_LOCAL_DIR", str(local))
        patch.setenv("FUND_HEADS_DIR", str(recorded))
        patch.setenv("FUND_BUSINESS_DATE", BUSINESS_DATE)
        yield GateBooks(Settings.from_env(), admin_url)
