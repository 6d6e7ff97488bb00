"""Books of Huainan from November 2020 on, small enough to work out by hand, taken in by files and published.

Opened with 100,000.00, of which 30,000.00 personal. November: income 736.00, expenditure 3,640.50. December: income
786.00, expenditure 1,000.00. January: one premium. The wage base is 8,000.00, the credit to the personal account 80.00.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from closing import close as closes
from closing.prepare import Prepared, prepare
from ingestion import heads
from ingestion.settings import Settings
from tests.conftest import WarehouseFactory, isolate
from tests.integration.ingestion_support import land_rows, payment, person, premium, run
from tests.unit.ingestion.valid_rows import Row, sound_row

REGION = "340400"
NOVEMBER, DECEMBER, JANUARY = date(2020, 11, 1), date(2020, 12, 1), date(2021, 1, 1)
TODAY = "2021-02-05"
PREPARER, APPROVER = "基金会计", "财务科长"


def facts() -> dict[str, list[Row]]:
    """The rows by file."""
    return {
        "1.registration.1.csv": [person("P1", REGION)],
        "2.treasury.1.csv": [
            _treasury("balance.opened", "O1", "2020-11-01", "100000.00", account="special_demand"),
            _treasury("balance.opened", "O2", "2020-11-01", "30000.00", account="personal_balance"),
            _transfer("T1", "2020-11-20", "736.00", "treasury", "special_demand"),
            _transfer("T2", "2020-11-21", "5000.00", "special_demand", "expenditure"),
        ],
        "3.contribution.1.csv": [_premium("2020-11"), _premium("2020-12"), _premium("2021-01")],
        "4.claim.1.csv": [
            paid("K1", "2020-11-22", "3000.00", "delivery_normal"),
            paid("K2", "2020-11-23", "640.50", "maternity_allowance"),
            paid("K3", "2020-12-15", "1000.00"),
        ],
        "5.treasury.1.csv": [
            _treasury("interest.credited", "I1", "2020-12-21", "50.00", account="special_demand", sub_fund="pooled")
        ],
    }


def paid(key: str, day: str, amount: str, item: str = "inpatient") -> Row:
    """A payment from the pool."""
    named = {"claim_no": f"S{key}", "payment_no": f"Z{key}", "benefit_item": item, "pooled_amount": amount}
    return payment(key, region_code=REGION, occurred_on=day, **named)


def recovered(key: str, day: str, amount: str, original: str) -> Row:
    """A payment that comes back."""
    named = {"claim_no": f"S{original}", "original_event_key": original, "pooled_amount": amount}
    return sound_row("claim.recovered", source_event_key=key, region_code=REGION, occurred_on=day, **named)


def _premium(month: str) -> Row:
    amounts = {"employer_amount": "576.00", "personal_amount": "160.00", "personal_account_credit": "80.00"}
    named = {"contribution_month": month, "receipt_no": f"T{month}", "occurred_on": f"{month}-10", **amounts}
    return premium(f"C{month}", region_code=REGION, **named)


def _treasury(event_type: str, key: str, day: str, amount: str, **changes: str) -> Row:
    return sound_row(event_type, source_event_key=key, region_code=REGION, occurred_on=day, amount=amount, **changes)


def _transfer(key: str, day: str, amount: str, source: str, target: str) -> Row:
    return _treasury("cash.transferred", key, day, amount, from_account=source, to_account=target)


def take_in(files: dict[str, list[Row]]) -> None:
    """Land files and take them into the log."""
    for name, rows in files.items():
        land_rows(name, *rows)
    assert {result.get("quarantined", 0) for result in run()} <= {0}
    heads.record()


def publish(run_id: str) -> None:
    """Post, check and publish everything in the log."""
    from expectations.gate import check
    from expectations.gate import publish as publish_checked
    from runtime import dbt

    dbt.build(run_id)
    red = {verdict.region_code: verdict.failed_checks for verdict in check(run_id)}
    assert red == {REGION: ()}
    publish_checked(run_id)


@contextmanager
def surroundings(local: Path, url: str) -> Iterator[None]:
    """FUND_* variables for a database and a local directory."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, local)
        patch.setenv("FUND_DATABASE_URL", url)
        patch.setenv("FUND_BUSINESS_DATE", TODAY)
        yield


def made(warehouse_factory: WarehouseFactory, deployed: tuple[str, Path], local: Path) -> str:
    """A database with these books published; what else belongs to it lies below `local`."""
    template, parsed = deployed
    url = warehouse_factory(template=template, kept=True)
    with surroundings(local, url):
        shutil.copytree(parsed / "dbt" / "target", local / "dbt" / "target")
        take_in(facts())
        publish("books")
    return url


def copied(source: Path, target: Path) -> None:
    """The local directory of another database, for a copy of it."""
    shutil.copytree(source, target, dirs_exist_ok=True, symlinks=True)


def ask(query: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of a query, as the warehouse's own user."""
    with closing(psycopg2.connect(os.environ["FUND_DATABASE_URL"])) as connection, connection.cursor() as cursor:
        cursor.execute(query, values or None)
        return list(cursor.fetchall())


def statement(month: date, sub_fund: str = "total") -> dict[str, tuple[str, str]]:
    """Line -> amounts of the month and of the year to date; lines of zero left out."""
    found = ask(
        "SELECT line_code, amount_month::text, amount_year_to_date::text FROM marts.income_expenditure_statement"
        " WHERE region_code = %s AND fund_code = 'EMI' AND accounting_month = %s AND sub_fund = %s"
        " AND (amount_month <> 0 OR amount_year_to_date <> 0)",
        *(REGION, month, sub_fund),
    )
    return {line: (month_, year) for line, month_, year in found}


def trial_balance(month: date) -> dict[tuple[str, str], tuple[str, str, str, str]]:
    """Account and sub-fund -> opening, debit, credit, closing; rows of zero left out."""
    found = ask(
        "SELECT account_code, sub_fund, opening_balance::text, debit_amount::text, credit_amount::text,"
        " closing_balance::text FROM marts.trial_balance"
        " WHERE region_code = %s AND fund_code = 'EMI' AND accounting_month = %s"
        " AND (opening_balance, debit_amount, credit_amount) IS DISTINCT FROM (0.00, 0.00, 0.00)",
        *(REGION, month),
    )
    return {(account, sub_fund): tuple(figures) for account, sub_fund, *figures in found}


def newest_head() -> dict[str, Any]:
    """The last line of the heads that lie outside the database."""
    (path,) = Settings.from_env().heads_dir.glob(f"*/{REGION}.jsonl")
    return dict(json.loads(path.read_text(encoding="utf-8").splitlines()[-1]))


def asked(month: date = NOVEMBER, by: str = PREPARER) -> Prepared:
    """A request of the preparer, who uses the same name on the machine."""
    return prepare(REGION, month, by, f"os:{by}")


def closed(made_: Prepared, reason: str | None = None) -> closes.Signed:
    """Approve a request, and take the close to its end."""
    closes.approve(made_.request.request_id, APPROVER, reason, f"os:{APPROVER}")
    closes.close(made_.request.request_id, "close")
    return closes.finish(REGION, made_.request.accounting_month, "close")


def decisions() -> list[tuple[object, ...]]:
    """Request, decision and who decided, in order."""
    return ask("SELECT request_id, decision, decided_by FROM signoff.decision ORDER BY request_id, decision_no")


def closings() -> list[tuple[object, ...]]:
    """The pipeline's own events with their month, in order."""
    month = "to_char(accounting_month, 'YYYY-MM')"
    return ask(f"SELECT event_type, {month} FROM events.event WHERE family = 'control' ORDER BY seq")
