"""Signed figures come out byte for byte: later, under any settings, from books made anew; and only to whom they may."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from cut_log import publish_built
from posting_log import PostingLog
from test_posting import HUAINAN, NANJING, PREMIUM, batches

from closing.__main__ import main
from closing.figures import PARTS, Figures, FiguresError, figures, seq_at
from ingestion.database import connect
from runtime import dbt
from runtime.reader_accounts import add, remove
from tests.conftest import isolate

WarehouseFactory = Callable[..., str]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first test waits for two builds
PASSWORD = "a password for tests"
RECORDED = ("2019-11-03 09:00:00+08", "2019-12-05 09:00:00+08", "2020-01-08 09:00:00+08")
NOVEMBER = date(2019, 11, 1)
SIGNED_SEQ = 10  # the end of the second batch

# By hand: MAT October 71 premium, 3,200 benefit, 9,000 opening; EMI 50,000 opening and 100 paid from personal accounts.
# November pays 400 of October, 1,000 in advance (600 of it used) and 500, all from MAT, not merged before December.
TRIAL_BALANCE = """\
region_code,fund_code,accounting_month,account_code,sub_fund,opening_balance,debit_amount,credit_amount,closing_balance
340400,EMI,2019-11-01,100301,shared,50000.00,0.00,0.00,50000.00
340400,EMI,2019-11-01,1004,shared,-100.00,0.00,0.00,-100.00
340400,EMI,2019-11-01,3001,pooled,-50000.00,0.00,0.00,-50000.00
340400,EMI,2019-11-01,50010201,personal,100.00,0.00,0.00,100.00
340400,MAT,2019-11-01,100301,shared,9000.00,0.00,0.00,9000.00
340400,MAT,2019-11-01,1004,shared,-3200.00,0.00,1900.00,-5100.00
340400,MAT,2019-11-01,1005,shared,71.00,0.00,0.00,71.00
340400,MAT,2019-11-01,1101,shared,0.00,1000.00,600.00,400.00
340400,MAT,2019-11-01,3001,pooled,-9000.00,0.00,0.00,-9000.00
340400,MAT,2019-11-01,400110,pooled,-70.00,0.00,0.00,-70.00
340400,MAT,2019-11-01,490101,pooled,-1.00,0.00,0.00,-1.00
340400,MAT,2019-11-01,50011001,pooled,3200.00,1500.00,0.00,4700.00
"""
OTHER_SESSION = """
SET timezone = 'America/St_Johns'; SET datestyle = 'German, DMY'; SET intervalstyle = 'iso_8601'; SET search_path = '';
SET extra_float_digits = -15; SET bytea_output = 'escape'; SET client_encoding = 'GB18030';
SET lc_monetary = 'C.UTF-8'; SET lc_numeric = 'C.UTF-8'; SET lc_time = 'C.UTF-8'; SET jit = off; SET work_mem = '64kB';
SET enable_sort = off; SET enable_hashagg = off; SET enable_hashjoin = off; SET plan_cache_mode = force_generic_plan
"""
ODD_NUMBERS = (None, "E0", 'E"1', "E 2\\", "E,3", "E\n4", "E\r\n5", "单位，6 / é")
EVERY_CALL = (
    "SELECT * FROM marts.{}_as_of('{}', 'EMI', '2019-11-01', 3)".format,
    "SELECT * FROM marts.{}_csv('{}', '2019-11-01', 3) WHERE place > 0".format,
)


@pytest.fixture(scope="module")
def warehouse(
    warehouse_factory: WarehouseFactory, deployed_template: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Huainan published up to its second batch, a third one built; Nanjing published; a reader of each."""
    url, local = warehouse_factory(template=deployed_template[0]), tmp_path_factory.mktemp("signed")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, local)
        patch.setenv("FUND_DATABASE_URL", url)
        fill(2)
        PostingLog(NANJING).add(
            *(
                PREMIUM | {"occurred_on": f"2019-11-{day:02d}", "employer_amount": day, "employer_no": number}
                for day, number in enumerate(ODD_NUMBERS, start=1)
            ),
            recorded_at=RECORDED[1],
        )
        dbt.build("two batches")
        publish_built("signed")
        fill(3, after=2)
        dbt.build("the third")
        add(url, "sig_nanjing", [NANJING], "finance_reader", PASSWORD)
        add(url, "sig_huainan", [HUAINAN], "supervisor_reader", PASSWORD)
        yield url
        remove(url, "sig_nanjing")
        remove(url, "sig_huainan")


def fill(until: int, *, after: int = 0) -> None:
    log = PostingLog(HUAINAN)
    for facts, recorded_at in list(zip(batches(), RECORDED, strict=True))[after:until]:
        log.add(*facts, recorded_at=recorded_at)


def ask(url: str, *statements: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())


def as_login(url: str, login: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{login}:{PASSWORD.replace(' ', '%20')}@{parts.hostname}:{parts.port}"))


def signed(url: str, *settings: str) -> Figures:
    """The figures of November as the auditor gets them, after these settings."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SET ROLE auditor")
        for statement in settings:
            cursor.execute(statement)
        return figures(connection, HUAINAN, NOVEMBER, SIGNED_SEQ)


def contents(found: Figures) -> dict[str, bytes]:
    return {part.name: part.read() for part in found.parts}


def test_the_bytes_are_these(warehouse: str) -> None:
    found = signed(warehouse)
    assert found.trial_balance.read().decode() == TRIAL_BALANCE
    statement = found.statement.read().decode().splitlines()
    assert statement[0] == "region_code,fund_code,accounting_month,line_code,sub_fund,amount_month,amount_year_to_date"
    assert [line for line in statement if line.startswith("340400,MAT,2019-11-01,E113,")] == [
        "340400,MAT,2019-11-01,E113,personal,0.00,0.00",
        "340400,MAT,2019-11-01,E113,pooled,1500.00,4700.00",
        "340400,MAT,2019-11-01,E113,total,1500.00,4700.00",
    ]
    journal = found.journal.read().decode().splitlines()
    assert journal[1] == (
        "340400,MAT,2019-11-01,340400-6-1,1,normal,1,2019-11-01,50011001,pooled,400.00,0.00,6,claim.paid,2019-10-25,"
        "2019-12-05T01:00:00.000000Z,2019-10-01,,P1,,H1,delivery_normal,C2,,by_hand,,7"
    )
    assert found.journal.rows == len(journal) - 1 == 8
    assert all(part.read().endswith(b"\n") and b"\r" not in part.read() for part in found.parts)


def test_a_field_may_hold_what_separates_fields(warehouse: str) -> None:
    with closing(psycopg2.connect(warehouse)) as connection:
        journal = figures(connection, NANJING, NOVEMBER, len(ODD_NUMBERS)).journal.read().decode()
    found = {row["employer_no"] for row in csv.DictReader(io.StringIO(journal, newline=""))}
    assert found == {number or "" for number in ODD_NUMBERS}
    assert ',"E""1",' in journal
    assert ",E 2\\," in journal


def test_every_function_is_described_and_runs_with_its_callers_rights(warehouse: str) -> None:
    found = ask(
        warehouse,
        "SELECT proname, prosecdef, provolatile, obj_description(oid) ~ '[一-龥].* / .*[a-z]'"
        " FROM pg_proc WHERE pronamespace = 'marts'::regnamespace",
    )
    assert len(found) >= 9
    assert {(secdef, volatile, described) for _, secdef, volatile, described in found} == {(False, "s", True)}


def test_sql_and_python_give_the_same_hashes(warehouse: str) -> None:
    found = signed(warehouse)
    hashes = [hashlib.sha256(part.read()).hexdigest() for part in found.parts]
    assert [part.sha256 for part in found.parts] == hashes
    assert found.ledger_sha256 == hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    query = f"SELECT * FROM marts.figures_sha256('{HUAINAN}', '2019-11-01', {SIGNED_SEQ})"
    assert ask(warehouse, query) == [(*hashes, found.ledger_sha256)]


def test_no_setting_of_a_session_changes_a_byte(warehouse: str) -> None:
    assert contents(signed(warehouse, OTHER_SESSION)) == contents(signed(warehouse))
    query = f"SELECT ledger_sha256 FROM marts.figures_sha256('{HUAINAN}', '2019-11-01', {SIGNED_SEQ})"
    assert ask(warehouse, OTHER_SESSION, query) == [(signed(warehouse).ledger_sha256,)]


def test_nothing_is_known_beyond_the_published_head(warehouse: str) -> None:
    head = ask(warehouse, f"SELECT seq FROM marts.published_head WHERE region_code = '{HUAINAN}'")
    assert head == [(SIGNED_SEQ,)]
    for seq, rows in ((0, 0), (SIGNED_SEQ, 96), (SIGNED_SEQ + 1, 0)):
        query = f"SELECT count(*) FROM marts.statement_as_of('{HUAINAN}', 'MAT', '2019-11-30', {seq})"
        assert ask(warehouse, query) == [(rows,)], seq
    with closing(connect("auditor")) as connection:
        for seq, month, code in ((11, NOVEMBER, "E-PERIOD-SEQ"), (10, date(2020, 1, 1), "E-PERIOD-EMPTY")):
            with pytest.raises(FiguresError, match=code):
                figures(connection, HUAINAN, month, seq)


def test_seq_at_ends_with_what_was_recorded_and_published(warehouse: str) -> None:
    for instant, seq in (
        ("2019-11-03 08:59:59.999999+08", 0),
        ("2019-11-03 01:00:00+00", 5),
        ("2019-12-05 08:59:59+08", 5),
        ("2019-12-05 09:00:00+08", 10),
        ("2030-01-01 00:00:00+08", 10),
    ):
        assert ask(warehouse, f"SELECT marts.seq_at('{HUAINAN}', '{instant}')") == [(seq,)], instant
    with closing(connect("auditor")) as connection:
        assert seq_at(connection, HUAINAN, datetime(2019, 11, 3, 9, 0)) == 5  # noqa: DTZ001 - Beijing time is meant
        assert seq_at(connection, HUAINAN, datetime(2019, 11, 3, 1, 0, tzinfo=UTC)) == 5
        with pytest.raises(FiguresError, match="E-PERIOD-SEQ"):
            seq_at(connection, HUAINAN, datetime(2019, 11, 3, 0, 59, tzinfo=UTC))


def test_a_reader_of_one_region_gets_nothing_of_another(warehouse: str) -> None:
    for own, other, login in ((NANJING, HUAINAN, "sig_nanjing"), (HUAINAN, NANJING, "sig_huainan")):
        reader = as_login(warehouse, login)
        statements = ("trial_balance", "statement", "balance_sheet")
        for part in statements:
            for call in EVERY_CALL:
                assert ask(reader, call(part, other)) == [], (login, part)
        assert ask(reader, EVERY_CALL[1]("journal", other)) == []
        assert ask(reader, f"SELECT marts.seq_at('{other}', now())") == [(0,)]
        assert ask(reader, f"SELECT marts.seq_at('{own}', now())") != [(0,)]
        assert len(ask(reader, EVERY_CALL[1]("journal", own))) > 0 or own == HUAINAN
        if own == NANJING:
            assert all(ask(reader, call(part, own)) for part in statements for call in EVERY_CALL)
        plan = ask(reader, f"EXPLAIN (ANALYZE) {EVERY_CALL[0]('statement', other)}")
        scans = [line for (line,) in plan if " on journal_line " in line or " on account_turnover " in line]
        assert scans
        assert all("never executed" in line or "rows=0.00" in line for line in scans), scans


def test_the_gate_sees_the_hashes_of_a_closed_month(warehouse: str, postgres_url: str) -> None:
    """October was closed at seq 5; the books go on to seq 15, and a changed figure of October shows."""
    administrator = urlunsplit(urlsplit(postgres_url)._replace(path=urlsplit(warehouse).path))
    closed = "SELECT * FROM ledger.candidate_closed_month"
    hashes = "trial_balance_sha256, statement_sha256, balance_sheet_sha256"
    of_close = ask(warehouse, f"SELECT {hashes} FROM marts.figures_sha256('{HUAINAN}', '2019-10-01', 5)")
    assert ask(warehouse, "SET ROLE fund_quality", closed) == [(HUAINAN, date(2019, 10, 1), 5, *of_close[0])]
    unguarded = "ALTER TABLE ledger.account_turnover DISABLE TRIGGER ALL"
    damage = (
        "UPDATE ledger.account_turnover SET debit_amount = debit_amount + 1 WHERE last_seq <= 5 AND debit_amount > 0"
    )
    ((*_, trial_balance, _, balance_sheet),) = ask(administrator, unguarded, damage, closed)
    assert trial_balance != of_close[0][0]
    assert balance_sheet != of_close[0][2]


def test_the_command_writes_the_files_it_tells_of(
    warehouse: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["figures", "--region", HUAINAN, "--month", "2019-11"]
    assert main([*asked, "--at", "2019-12-05T09:00", "--to", str(tmp_path / "new")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["seq"] == SIGNED_SEQ
    assert told["ledger_sha256"] == signed(warehouse).ledger_sha256
    for path, part in zip(told["written"], PARTS, strict=True):
        assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == told["parts"][part]["sha256"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(Path(p).name for p in told["written"])
    assert main([*asked, "--seq", "11"]) == 1
    assert capsys.readouterr().err.startswith("E-PERIOD-SEQ: 统筹区 340400 已发布到序号 10")


def test_later_events_and_books_made_anew_give_the_same_bytes(
    warehouse: str,
    warehouse_factory: WarehouseFactory,
    deployed_template: tuple[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = contents(signed(warehouse))
    publish_built("later")
    assert ask(warehouse, f"SELECT seq FROM marts.published_head WHERE region_code = '{HUAINAN}'") == [(15,)]
    assert contents(signed(warehouse)) == before

    url = warehouse_factory(template=deployed_template[0])
    monkeypatch.setenv("FUND_DATABASE_URL", url)
    fill(3)
    dbt.build("at once")
    publish_built("at once")
    assert contents(signed(url)) == before
