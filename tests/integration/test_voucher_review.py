"""Reviewing vouchers as named people, by SQL and by the command: who may, what is recorded, who sees it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import errors
from test_roles_accounts import PASSWORD, as_login, reader

from closing.review import VoucherNumber, review
from ingestion.errors import PeriodRefused
from ingestion.settings import REPOSITORY, Settings
from tests.conftest import WarehouseFactory

MONTH = date(2020, 6, 1)
INSERT = (
    "INSERT INTO signoff.voucher_review (region_code, fund_code, accounting_month, voucher_no, outcome, reason)"
    " VALUES (%s, 'EMI', '2020-06-01', %s, %s, %s) RETURNING review_no, reviewed_by, debit_amount"
)
SHOWN = (
    "SELECT reviewed_by FROM marts.voucher WHERE region_code = %s AND fund_code = 'EMI'"
    " AND accounting_month = '2020-06-01' AND voucher_no = %s"
)


@pytest.fixture(scope="module")
def warehouse(warehouse_factory: WarehouseFactory, published_template: tuple[str, Path]) -> Iterator[str]:
    """Published samples; two people review Huainan, a third reads it."""
    url = warehouse_factory(template=published_template[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", url)
        for name, role in (("rev_li", "reviewer"), ("rev_wang", "reviewer"), ("fin_zhao", "finance")):
            made = reader("add", name, "--regions", "340400", "--role", role, password=f"{PASSWORD}\n")
            assert made.returncode == 0, made.stderr
        assert "reviewer" in reader("list").stdout
        yield url
        for name in ("rev_li", "rev_wang", "fin_zhao"):
            reader("remove", name)


def as_person(url: str, name: str, query: str, *values: object) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(as_login(url, name, PASSWORD))) as connection, connection, connection.cursor() as it:
        it.execute(query, values)
        return list(it.fetchall())


def test_a_review_is_who_is_logged_in_and_shows_beside_the_voucher(warehouse: str) -> None:
    (voucher,) = as_person(
        warehouse,
        "rev_li",
        "SELECT debit_amount, prepared_by FROM marts.voucher WHERE region_code = '340400'"
        " AND fund_code = 'EMI' AND accounting_month = '2020-06-01' AND voucher_no = 1",
    )
    assert as_person(warehouse, "rev_li", INSERT, "340400", 1, "passed", None) == [(1, "rev_li", voucher[0])]
    assert "merged-fund pipeline" in str(voucher[1])
    assert as_person(warehouse, "fin_zhao", SHOWN, "340400", 1) == [("rev_li",)]
    with pytest.raises(errors.CheckViolation, match="E-REVIEW-REASON"):
        as_person(warehouse, "rev_wang", INSERT, "340400", 1, "passed", None)
    assert as_person(warehouse, "rev_wang", INSERT, "340400", 1, "objected", "附件不符")[0][:2] == (2, "rev_wang")
    assert as_person(warehouse, "fin_zhao", SHOWN, "340400", 1) == [(None,)]
    assert as_person(
        warehouse, "fin_zhao", "SELECT reviewed_by, outcome, reason FROM marts.voucher_review ORDER BY review_no"
    ) == [("rev_li", "passed", None), ("rev_wang", "objected", "附件不符")]


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO signoff.voucher_review (region_code, fund_code, accounting_month, voucher_no, reviewed_by)"
        " VALUES ('340400', 'EMI', '2020-06-01', 3, 'rev_wang')",
        "UPDATE signoff.voucher_review SET reason = 'x'",
        "DELETE FROM signoff.voucher_review",
        "SELECT content FROM signoff.signed_file",
        "INSERT INTO signoff.decision SELECT * FROM signoff.decision",
    ],
)
def test_nobody_reviews_under_another_name_or_changes_a_review(warehouse: str, query: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        as_person(warehouse, "rev_li", query)


def test_who_may_not_review_is_told_why(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    number = VoucherNumber("340400", "EMI", MONTH, 2)
    elsewhere = VoucherNumber("320100", "EMI", MONTH, 2)
    cases = [
        ("fin_zhao", number, "E-REVIEW-ROLE"),
        ("rev_li", elsewhere, "E-REVIEW-VOUCHER"),
        ("rev_li", VoucherNumber("340400", "EMI", MONTH, 999_999), "E-REVIEW-VOUCHER"),
        (None, number, "E-REVIEW-PREPARER"),
    ]
    for name, wanted, code in cases:
        monkeypatch.setenv("FUND_DATABASE_URL", as_login(warehouse, name, PASSWORD) if name else warehouse)
        with pytest.raises(PeriodRefused, match=code):
            review(wanted, settings=Settings.from_env())
    with pytest.raises(errors.InsufficientPrivilege):  # a view of the region is not enough
        as_person(warehouse, "fin_zhao", INSERT, "340400", 2, "passed", None)


def test_the_command_reviews_as_the_account_of_the_url(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUND_DATABASE_URL", as_login(warehouse, "rev_wang", PASSWORD))
    command = [sys.executable, "-m", "closing", "review", "--voucher"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)

    done = run("340400/EMI/2020-06/4")
    assert done.returncode == 0, done.stderr
    assert '"reviewed_by": "rev_wang"' in done.stdout
    again = run("340400/EMI/2020-06/4")
    assert again.returncode == 1
    assert again.stderr.startswith("E-REVIEW-REASON 再次复核")
    assert run("340400-EMI-4").returncode == 2


def test_a_voucher_leads_to_its_lines_and_each_line_to_file_and_line(warehouse: str) -> None:
    found = as_person(
        warehouse,
        "fin_zhao",
        "SELECT sum(l.debit_amount) - v.debit_amount, count(*) FILTER (WHERE l.source_file IS NULL), count(*) > 1"
        " FROM marts.voucher AS v INNER JOIN marts.general_ledger AS l"
        " USING (region_code, fund_code, accounting_month, voucher_no)"
        " WHERE v.region_code = '340400' AND v.accounting_month = '2020-06-01' AND v.fund_code = 'EMI'"
        " GROUP BY v.voucher_no, v.debit_amount",
    )
    assert found
    assert {row for row in found if (row[0], row[1]) != (0, 0)} == set()
