"""The books refuse every change, lines in closed months and gaps in voucher numbers, whoever tries."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from posting_log import PostingLog

from ingestion.database import connect
from ingestion.verification import _BOOK_GUARDS, verify
from runtime import dbt
from tests.conftest import WarehouseFactory, isolate, on_database

REGION = "340400"
BOOKS = ("journal_line", "account_turnover", "voucher", "built_head")
ROLES = (
    "fund_ingest",
    "fund_transform",
    "fund_quality",
    "fund_publisher",
    "finance_reader",
    "supervisor_reader",
    "auditor",
)
PREMIUM = {
    "event_type": "contribution.collected",
    "insurance_type": "310",
    "enrollment_category": "employee",
    "deposit_account": "treasury",
    "person_no": "P1",
    "employer_amount": 650,
    "personal_amount": 200,
    "personal_account_credit": 80,
}
FORGED_LINE = (
    "insert into ledger.journal_line select region_code, {seq}, entry_no, 90 + line_no, entry_id, entry_kind,"
    " fund_code, date '{month}', posting_date, account_code, sub_fund, debit_amount, credit_amount, original_month,"
    " reverses_entry_id, person_no, employer_no, institution_code, benefit_item, payment_method, claim_no, receipt_no,"
    " event_type, business_type, batch_id, rule_ids from ledger.journal_line where event_seq = 1"
)
FORGED_TURNOVER = (
    "insert into ledger.account_turnover select region_code, fund_code, date '{month}', account_code, sub_fund,"
    " entry_kind, 90, {seq}, debit_amount, credit_amount, line_count from ledger.account_turnover where last_seq = 1"
)
FORGED_VOUCHER = (
    "insert into ledger.voucher select region_code, fund_code, date '{month}', {number}, 90, posting_date,"
    " business_type, entry_count, debit_amount, credit_amount, attachment_count, {seq} from ledger.voucher"
    " where last_seq = 1"
)


@pytest.fixture(scope="module")
def guarded_template(
    warehouse_factory: WarehouseFactory, deployed_template: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """January closed at seq 2; seq 3, dated in January, is booked in February. Database, and its local directory."""
    template, parsed = deployed_template
    url, local = warehouse_factory(template=template), tmp_path_factory.mktemp("guarded")
    shutil.copytree(parsed / "dbt" / "target", local / "dbt" / "target")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, local)
        patch.setenv("FUND_DATABASE_URL", url)
        log = PostingLog(REGION)
        log.add(
            PREMIUM | {"occurred_on": "2020-01-08"},
            {"event_type": "period.closed", "occurred_on": "2020-01-31", "accounting_month": "2020-01-01"},
        )
        log.add(PREMIUM | {"occurred_on": "2020-01-20"}, PREMIUM | {"occurred_on": "2020-02-05"})
        dbt.build("guarded")
    return url.rpartition("/")[2], local


@pytest.fixture(autouse=True)
def books(
    guarded_template: tuple[str, Path],
    warehouse_factory: WarehouseFactory,
    fund_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """A copy of those books for each test."""
    template, local = guarded_template
    shutil.copytree(local / "dbt", fund_environment / "dbt")
    url = warehouse_factory(template=template)
    monkeypatch.setenv("FUND_DATABASE_URL", url)
    return url


@pytest.fixture
def superuser(postgres_url: str, books: str) -> Iterator[psycopg2.extensions.cursor]:
    with closing(psycopg2.connect(on_database(postgres_url, books))) as connection, connection.cursor() as cursor:
        yield cursor
        connection.rollback()


def refused(statement: str, role: str | None = None) -> str:
    """What the database says to a statement."""
    with closing(connect(role=role)) as connection, connection.cursor() as cursor:
        with pytest.raises(psycopg2.Error) as caught:
            cursor.execute(statement)
        connection.rollback()
    return str(caught.value)


def test_nobody_changes_or_removes_what_is_booked(superuser: psycopg2.extensions.cursor) -> None:
    for table in BOOKS:
        for statement in (
            f"update ledger.{table} set region_code = region_code",
            f"delete from ledger.{table}",
            f"truncate ledger.{table}",
        ):
            for role in ROLES:
                told = refused(statement, role)
                owner = role == "fund_transform"
                assert ("E-LEDGER-APPEND-ONLY" if owner else "permission denied") in told, (role, statement)
            superuser.execute("set session_replication_role = replica")
            with pytest.raises(psycopg2.Error, match="E-LEDGER-APPEND-ONLY"):
                superuser.execute(statement)
            superuser.connection.rollback()
    told = refused("delete from ledger.voucher", "fund_transform")
    assert "账簿只增不改" in told
    assert "append-only" in told
    assert "Correct by a new event" in told
    assert "重放" in told


def test_a_closed_month_takes_no_line(superuser: psycopg2.extensions.cursor) -> None:
    """Nor does an older one that nobody closed by itself: months close in order."""
    for month in ("2020-01-01", "2019-12-01"):
        for statement in (FORGED_LINE, FORGED_TURNOVER, FORGED_VOUCHER):
            forged = statement.format(seq=3, month=month, number=2 if month == "2020-01-01" else 1)
            told = refused(forged, "fund_transform")
            assert "E-PERIOD-CLOSED" in told
            assert "closed at seq 2" in told
            assert "已在序号 2 月结" in told
            superuser.execute("set session_replication_role = replica")
            with pytest.raises(psycopg2.Error, match="E-PERIOD-CLOSED"):
                superuser.execute(forged)
            superuser.connection.rollback()


def test_what_came_before_the_closing_or_lies_after_it_is_taken() -> None:
    with closing(connect(role="fund_transform")) as connection, connection.cursor() as cursor:
        for seq, month in ((1, "2020-01-01"), (3, "2020-02-01")):
            cursor.execute(FORGED_LINE.format(seq=seq, month=month))
            assert cursor.rowcount == 4
            connection.rollback()
        cursor.execute("select event_seq, accounting_month::text from ledger.journal_line group by 1, 2 order by 1")
        assert cursor.fetchall() == [(1, "2020-01-01"), (3, "2020-02-01"), (4, "2020-02-01")]


@pytest.mark.parametrize(("month", "number"), [("2020-02-01", 5), ("2020-02-01", 0), ("2020-03-01", 2)])
def test_voucher_numbers_have_no_gap(month: str, number: int) -> None:
    told = refused(FORGED_VOUCHER.format(seq=4, month=month, number=number), "fund_transform")
    assert "E-VOUCHER-NUMBER" in told
    assert "凭证号须从1起连续" in told


@pytest.mark.parametrize(("month", "number"), [("2020-02-01", 3), ("2020-03-01", 1)])
def test_the_next_voucher_number_is_taken(month: str, number: int) -> None:
    with closing(connect(role="fund_transform")) as connection, connection.cursor() as cursor:
        cursor.execute(FORGED_VOUCHER.format(seq=4, month=month, number=number))
        assert cursor.rowcount == 1
        connection.rollback()


def test_verification_tells_a_guard_that_is_off() -> None:
    def told() -> set[str]:
        general = [report for report in verify() if report.region_code == "-"]
        return {finding.detail for report in general for finding in report.findings if finding.kind.code == "guard"}

    assert told() == set()
    for table, guard in _BOOK_GUARDS:
        owner = None if table.startswith("signoff.") else "fund_transform"
        with closing(connect(role=owner)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(f"alter table {table} disable trigger {guard}")
        assert told() == {f"{table}: {guard}"}
        with closing(connect(role=owner)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(f"alter table {table} enable trigger {guard}")
        assert told() == {f"{table}: {guard}"}, "enabled, yet not for every session"
        with closing(connect(role=owner)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(f"alter table {table} enable always trigger {guard}")
    assert told() == set()


def test_guards_come_back_with_the_next_build_and_tables_may_be_dropped() -> None:
    with closing(connect(role="fund_transform")) as connection, connection, connection.cursor() as cursor:
        cursor.execute("drop trigger append_only on ledger.journal_line")
    PostingLog(REGION).add(PREMIUM | {"occurred_on": "2020-02-06"})
    dbt.build("again")
    assert "E-LEDGER-APPEND-ONLY" in refused("delete from ledger.journal_line", "fund_transform")
    with closing(connect(role="fund_transform")) as connection, connection.cursor() as cursor:
        cursor.execute("drop table ledger.journal_line cascade")
        connection.rollback()
