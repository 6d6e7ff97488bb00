"""Three accounting programs read the exported journal and come to this project's balances, by account and by month."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from posting_log import PostingLog
from test_marts_hand_worked import publish_everything
from test_posting import HUAINAN, NANJING, batches

from ingestion.database import Connection
from reporting import books
from reporting.__main__ import main
from reporting.journal_export import FORMATS, export
from reporting.journal_export.reading import Account, Head, Line
from runtime import dbt
from tests.oracle.generator import Shape, generate
from tests.oracle.system import System

pytestmark = pytest.mark.slow

Balances = dict[tuple[str, date], Decimal]
ZERO = Decimal(0)
REQUIRED = os.environ.get("FUND_REQUIRE_PLAINTEXT")  # read before each test clears FUND_*
PROGRAMS = {"beancount": ("bean-check", "bean-query"), "ledger": ("ledger",), "hledger": ("hledger",)}
CLOSING = """
    select account.account_class, moved.fund_code, moved.sub_fund, moved.account_code, moved.accounting_month,
        moved.closing_balance
    from marts.trial_balance as moved
    join marts.account as account using (account_code)
    where region_code = %s
"""
ROOTS = {
    "asset": "Assets",
    "liability": "Liabilities",
    "net_assets": "Equity",
    "income": "Income",
    "expenditure": "Expenses",
}


def needs(format_name: str) -> None:
    """Skip, or fail where the programs must be there."""
    missing = [program for program in PROGRAMS[format_name] if shutil.which(program) is None]
    if missing and REQUIRED == "1":
        pytest.fail(f"FUND_REQUIRE_PLAINTEXT=1, and not installed: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (.ci/system-packages installs them)")


def output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)
    assert (done.returncode, done.stderr.strip()) == (0, ""), f"{command}: {done.stderr[-2000:]}"
    return done.stdout


def amount(text: str) -> Decimal:
    return Decimal(text.replace("CNY", "").replace(",", "").strip() or "0")


def month_after(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def of_ledger(path: Path, months: list[date]) -> Balances:
    """One `bal -e` a month; --pedantic: an account or tag that was not declared is an error."""
    found: Balances = {}
    form = "%(account)\t%(display_total)\n"
    for month in months:
        end = str(month_after(month))
        arguments = ("bal", "-e", end, "--flat", "--no-total", "--empty", "--balance-format", form)
        for row in output("ledger", "--args-only", "-f", str(path), "--pedantic", *arguments).splitlines():
            account, _, value = row.partition("\t")
            found[account.strip(), month] = amount(value)
    return found


def of_hledger(path: Path, months: list[date]) -> Balances:
    """One `bal -M --historical`; `check --strict`: an account or commodity that was not declared is an error."""
    output("hledger", "-f", str(path), "check", "--strict")
    arguments = ("bal", "-M", "--historical", "--empty", "--no-total", "--flat", "-O", "csv")
    period = ("-b", str(months[0]), "-e", str(month_after(months[-1])))
    head, *rows = csv.reader(io.StringIO(output("hledger", "-f", str(path), *arguments, *period)))
    ends = [date.fromisoformat(f"{text[:7]}-01") for text in head[1:]]
    return {(row[0], end): amount(value) for row in rows for end, value in zip(ends, row[1:], strict=True)}


def of_beancount(path: Path, months: list[date]) -> Balances:
    """Movements by month out of bean-query, added up here; bean-check says nothing when all is well."""
    assert output("bean-check", str(path)) == ""
    query = "SELECT account, year, month, sum(number) GROUP BY account, year, month ORDER BY account, year, month"
    moved: Balances = defaultdict(lambda: ZERO)
    for account, year, month, value in list(
        csv.reader(io.StringIO(output("bean-query", "-q", "-f", "csv", str(path), query)))
    )[1:]:
        moved[account.strip(), date(int(year), int(month), 1)] = amount(value)
    found: Balances = {}
    for account in {account for account, _ in moved}:
        balance = ZERO
        for month in months:
            balance += moved.get((account, month), ZERO)
            found[account, month] = balance
    return found


READERS: dict[str, Callable[[Path, list[date]], Balances]] = {
    "beancount": of_beancount,
    "ledger": of_ledger,
    "hledger": of_hledger,
}


@contextmanager
def published(url: str | None = None) -> Iterator[Connection]:
    with pytest.MonkeyPatch.context() as patch:
        if url is not None:
            patch.setenv("FUND_DATABASE_URL", url)
        with books.one_state() as connection:
            yield connection


def closing_balances(connection: Connection, region: str) -> Balances:
    """What this project says: debit positive, by the path the account has in the other programs."""
    with connection.cursor() as cursor:
        cursor.execute(CLOSING, (region,))
        return {
            (f"{ROOTS[kind]}:{fund}:{sub_fund.capitalize()}:{account}", month): balance
            for kind, fund, sub_fund, account, month, balance in cursor.fetchall()
        }


def check_agreement(connection: Connection, region: str, format_name: str, path: Path) -> Balances:
    ours = closing_balances(connection, region)
    months = sorted({month for _, month in ours})
    assert export(connection, region, format_name, path) > 0
    theirs = READERS[format_name](path, months)
    wrong = [
        f"{account} {month}: ours {balance}, theirs {theirs.get((account, month), ZERO)}"
        for (account, month), balance in sorted(ours.items())
        if balance != theirs.get((account, month), ZERO)
    ]
    assert wrong == []
    unknown = {key for key, balance in theirs.items() if balance != 0 and key not in ours}
    assert unknown == set(), "a balance that the trial balance does not have"
    assert sum(1 for balance in ours.values() if balance != 0) > len(months), "hardly a balance to compare"
    return ours


@pytest.mark.parametrize("region", [NANJING, HUAINAN])
@pytest.mark.parametrize("format_name", sorted(FORMATS))
def test_the_samples_balance_alike_in_other_programs(
    published_samples: str, format_name: str, region: str, tmp_path: Path
) -> None:
    needs(format_name)
    with published(published_samples) as connection:
        check_agreement(connection, region, format_name, tmp_path / "journal")


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("deployed_warehouse")
def test_books_with_red_entries_a_merger_and_a_year_end_balance_alike(tmp_path: Path) -> None:
    for format_name in FORMATS:
        needs(format_name)
    log = PostingLog(HUAINAN)
    for facts in batches():
        log.add(*facts)
    dbt.build("red and closed")
    publish_everything("red and closed")
    with published() as connection:
        for format_name in FORMATS:
            ours = check_agreement(connection, HUAINAN, format_name, tmp_path / format_name)
    # Worked out in test_posting: after the year end 3001 holds 55,218 and income is closed.
    assert ours["Equity:EMI:Pooled:3001", date(2020, 1, 1)] == Decimal("-55218.00")
    assert ours["Income:EMI:Pooled:400101", date(2020, 1, 1)] == 0
    text = (tmp_path / "ledger").read_text("utf-8")
    assert re.search(r"Expenses:EMI:Pooled:5001010301  -200\.00 CNY  ; red: debit\n", text)
    assert "; kind: merger" in text
    assert "; kind: closing" in text


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("deployed_warehouse")
def test_random_books_balance_alike(fund_environment: Path, tmp_path: Path) -> None:
    for format_name in FORMATS:
        needs(format_name)
    system = System(fund_environment / "landing")
    system.take(generate(8, Shape(size=5, runs=2, slots=1, bad_rows=5)), build_each=False)
    with published() as connection:
        for region in (NANJING, HUAINAN):
            for format_name in FORMATS:
                check_agreement(connection, region, format_name, tmp_path / f"{region}.{format_name}")


@pytest.mark.parametrize("format_name", sorted(FORMATS))
def test_equal_books_give_equal_bytes_without_personal_numbers(
    published_samples: str, format_name: str, tmp_path: Path
) -> None:
    with published(published_samples) as connection:
        first, second = tmp_path / "first", tmp_path / "second"
        entries = export(connection, NANJING, format_name, first)
        export(connection, NANJING, format_name, second)
        with connection.cursor() as cursor:
            cursor.execute(
                "select count(distinct entry_id) from marts.general_ledger where region_code = %s", (NANJING,)
            )
            assert cursor.fetchone() == (entries,)
            cursor.execute(
                "select unnest(array[person_no, claim_no, receipt_no]) from marts.general_ledger"
                " where region_code = %s",
                (NANJING,),
            )
            personal = {value for (value,) in cursor.fetchall() if value}
    assert first.read_bytes() == second.read_bytes()
    words = set(re.findall(r"[\w-]+", first.read_text("utf-8")))
    assert len(personal) > 1_000
    assert personal & words == set()


@pytest.mark.parametrize("format_name", sorted(FORMATS))
def test_names_of_files_cannot_move_or_break_an_entry(format_name: str, tmp_path: Path) -> None:
    needs(format_name)
    account, other = (
        Account("EMI", code, sub_fund, kind, 'a "quoted" ; name', "[2020-05-01] date:2020-05-01", date(2019, 12, 1))
        for code, sub_fund, kind in (("1004", "shared", "asset"), ("5901", "pooled", "expenditure"))
    )
    hostile = 'a"b\\, date:2018-01-01, [2018-01-01] ; x=1\n2019-12-31 open Assets:Other'
    lines = [
        Line("320100-1-1", "EMI", date(2019, 12, 1), 1, date(2019, 12, 5), "normal", hostile, "other.paid", None, "s",
             hostile, 2, code, sub_fund, debit, credit)
        for code, sub_fund, debit, credit in (
            ("5901", "pooled", Decimal("7.00"), ZERO),
            ("1004", "shared", ZERO, Decimal("7.00")),
        )
    ]  # fmt: skip
    written = FORMATS[format_name]
    paths = {each.key: each.path for each in (account, other)}
    path = tmp_path / "journal"
    opening = written.opening("320100", Head(1, "00", None), [account, other])  # type: ignore[arg-type]
    path.write_text(opening + written.entry(lines, paths), encoding="utf-8")
    found = {key: value for key, value in READERS[format_name](path, [date(2019, 12, 1)]).items() if value}
    assert found == {
        ("Assets:EMI:Shared:1004", date(2019, 12, 1)): Decimal("-7.00"),
        ("Expenses:EMI:Pooled:5901", date(2019, 12, 1)): Decimal("7.00"),
    }


def test_the_command_writes_a_file_or_to_standard_output(
    published_samples: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("FUND_DATABASE_URL", published_samples)
    path = tmp_path / "new folder" / "journal.ledger"
    assert main(["export-journal", "--format", "ledger", "--region", HUAINAN, "--to", str(path)]) == 0
    assert main(["export-journal", "--format", "ledger", "--region", HUAINAN]) == 0
    assert capfd.readouterr().out == path.read_text("utf-8")
    assert [file.name for file in path.parent.iterdir()] == ["journal.ledger"]
    assert main(["export-journal", "--format", "ledger", "--region", "999999"]) == 1
    assert "E-EXPORT-REGION" in capfd.readouterr().err
