"""The ingestion as the operating system sees it: processes with an environment, that can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg2

from runtime.layout import REPOSITORY
from tests.faults.log_state import LogState, audit, left_over, log_state

PATIENCE_S = 120  # after which a test gives up waiting for what must come


@dataclass(frozen=True)
class Ingestion:
    """`python -m ingestion` on a warehouse, a landing area and a folder of heads."""

    url: str
    landing: Path
    local: Path
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def heads(self) -> Path:
        """Where the heads are written."""
        return self.local / "heads"

    def with_variables(self, **variables: str) -> Ingestion:
        """The same with more in the environment."""
        return replace(self, variables=(*self.variables, *variables.items()))

    def environment(self) -> dict[str, str]:
        """Variables of its processes."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FUND_", "PG"))}
        return kept | {
            "FUND_DATABASE_URL": self.url,
            "FUND_LANDING_DIR": str(self.landing),
            "FUND_LOCAL_DIR": str(self.local),
            "FUND_HEADS_DIR": str(self.heads),
            "FUND_PSEUDONYM_KEY": "0" * 64,
            **dict(self.variables),
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A running process."""
        return subprocess.Popen(
            [sys.executable, "-m", "ingestion", *arguments],
            env=self.environment(),
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, *arguments: str) -> list[Any]:
        """Run a command to its good end; returns what it printed."""
        with ended(self.start(*arguments)) as process:
            out, err = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0, f"{arguments}: {err[-2000:]} {out[-2000:]}"
            return [json.loads(line) for line in out.splitlines()]

    def complete(self) -> LogState:
        """Run again to the end after whatever has happened; the audited state."""
        self.finish("run")
        until(lambda: left_over(self.url) == [], lambda: left_over(self.url))
        assert audit(self.url) == []
        assert self.heads_written() == self.heads_in_log()
        return log_state(self.url)

    def heads_written(self) -> list[tuple[str, int, str]]:
        """Region, seq and hash of the last line of each region's file; each line follows the one before."""
        found = []
        for path in sorted(self.heads.glob("*/*.jsonl")):
            lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            assert [line["previous_batch_hash"] for line in lines] == [
                None,
                *(line["batch_hash"] for line in lines[:-1]),
            ]
            found.append((path.stem, lines[-1]["seq"], lines[-1]["batch_hash"]))
        return found

    def heads_in_log(self) -> list[tuple[str, int, str]]:
        """The same as the database tells it."""
        return ask(
            self.url,
            "SELECT DISTINCT ON (region_code) region_code, last_seq, encode(batch_hash, 'hex') FROM events.batch"
            " ORDER BY region_code, batch_id DESC",
        )


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that does not outlive the test."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def failure(process: subprocess.Popen[str]) -> str:
    """What a process that must fail says on its way out: one message for people, and exit code 1."""
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1, (process.returncode, err)
    assert "Traceback" not in err, err
    return err


def until(condition: Callable[[], object], told: Callable[[], object] = lambda: "") -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, told()
        time.sleep(0.02)


def ask(url: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of a query."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query, values or None)
        return list(cursor.fetchall())


def command(url: str, *statements: str) -> None:
    """Statements, each committed."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
