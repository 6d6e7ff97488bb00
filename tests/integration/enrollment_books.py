"""Enrolments straight into the log, books made of them by the models' own queries, all taken back by a rollback.

The queries are those that an audit compiles: filled in for some batches they say what the tables must hold of them,
given what they hold of those before. So a test makes books in milliseconds, as increments of any size would make them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from runtime.dbt import Appended, compiled_for_audit
from tests.conftest import WarehouseFactory, isolate

Fact = Mapping[str, Any]

# In the order in which they read one another.
MODELS = ("assessed_contribution", "enrollment_spell", "enrollment_coverage", "insured_turnover")


class EnrollmentBooks:
    """Books of any regions within one transaction of the superuser, without triggers."""

    def __init__(self, connection: Connection, models: Mapping[str, Appended]) -> None:
        self.connection = connection
        self._models = {name: models[name] for name in MODELS}
        self._seqs: dict[str, list[int]] = {}
        self._built: dict[str, int] = {}

    def begin(self) -> None:
        """Forget everything that was written."""
        self.connection.rollback()
        self._seqs, self._built = {}, {}
        with self.connection.cursor() as cursor:
            cursor.execute("set local session_replication_role = replica")

    def add(self, region: str, *facts: Fact, recorded_at: str = "2026-11-20 12:00:00+08") -> int:
        """Append one batch; returns the seq of its last event."""
        known = self._seqs.setdefault(region, [])
        first = (known[-1] if known else 0) + 1
        last, batch_id = first + len(facts) - 1, len(known) + 1
        with self.connection.cursor() as cursor:
            cursor.execute(
                "insert into events.batch values (%s, %s, null, repeat('0', 64), %s, %s, %s,"
                " decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'))",
                (region, batch_id, first, last, recorded_at),
            )
        for seq, fact in enumerate(facts, start=first):
            self._insert({"region_code": region, "seq": seq, "batch_id": batch_id, "recorded_at": recorded_at} | fact)
        known.append(last)
        return last

    def _insert(self, fact: dict[str, Any]) -> None:
        family = "contribution" if fact["event_type"].startswith("contribution") else "registration"
        row = {
            "family": family, "schema_version": 1, "source_system": "by_hand",
            "source_event_key": f"K{fact['seq']}", "line_no": fact["seq"] + 1, "content_hash": b"\0" * 32,
        } | fact  # fmt: skip
        statement = sql.SQL("insert into events.event ({}) values ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join([sql.Placeholder()] * len(row))
        )
        with self.connection.cursor() as cursor:
            cursor.execute(statement, list(row.values()))

    def build(self, region: str) -> None:
        """One build: the batches since the last one into every table."""
        after, up_to = self._built.get(region, 0), self._seqs[region][-1]
        for name, model in self._models.items():
            query = model.query
            tokens = {"region": region, "after": str(after), "up_to": str(up_to), "closings": "false"}
            for token, value in tokens.items():
                query = query.replace(f"__audit_{token}__", value)
            columns = ", ".join(model.columns)
            self.run(f"insert into ledger.{name} ({columns}) select {columns} from ({query}\n) as made")
        self._built[region] = up_to

    def reach(self, region: str, month: str) -> None:
        """A turnover of nothing in a month, so that the books have reached it."""
        self.run(
            "insert into ledger.account_turnover (region_code, fund_code, accounting_month, account_code, sub_fund,"
            " entry_kind, batch_id, last_seq, debit_amount, credit_amount, line_count)"
            f" values ('{region}', 'EMI', '{month}', '1005', 'shared', 'normal', 1, 1, 0, 0, 1)"
        )

    def publish(self, region: str, seq: int) -> None:
        """Move the region's published head, and the built one."""
        batch_id = self._seqs[region].index(seq) + 1
        at = f"'{region}', {seq}, {batch_id}, '\\x00', '-', clock_timestamp(), 'by hand'"
        self.run(f"insert into ledger.publication values ({at})")
        self.run(
            f"insert into ledger.built_head values ('{region}', {batch_id}, {seq}, '\\x00', 'by hand', now())"
            " on conflict do nothing"
        )

    def run(self, statements: str) -> None:
        """Statements without a result."""
        with self.connection.cursor() as cursor:
            cursor.execute(statements)

    def rows(self, query: str, role: str = "") -> list[dict[str, Any]]:
        """Rows of a query by column name, asked as a role."""
        with self.connection.cursor() as cursor:
            if role:
                cursor.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
            cursor.execute(query)
            names = [column.name for column in cursor.description or ()]
            found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            if role:
                cursor.execute("reset role")
        return found


@pytest.fixture(scope="module")
def enrollment_books(
    warehouse_factory: WarehouseFactory,
    deployed_template: tuple[str, Path],
    postgres_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[EnrollmentBooks]:
    """Empty books; each test begins by `begin`."""
    template, parsed = deployed_template
    url, local = warehouse_factory(template=template), tmp_path_factory.mktemp("enrollment")
    shutil.copytree(parsed / "dbt" / "target", local / "dbt" / "target_audit")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, local)
        patch.setenv("FUND_DATABASE_URL", url)
        models = compiled_for_audit("books")
    admin_url = urlunsplit(urlsplit(postgres_url)._replace(path=urlsplit(url).path))
    with closing(psycopg2.connect(admin_url)) as connection:
        yield EnrollmentBooks(connection, models)
