"""Closing a month on a real warehouse: who may, in which order, on which figures, and what an interruption leaves."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import openpyxl
import psycopg2
import pytest
from closing_books import (
    APPROVER,
    DECEMBER,
    NOVEMBER,
    PREPARER,
    REGION,
    ask,
    asked,
    closed,
    closings,
    decisions,
    newest_head,
    paid,
    publish,
    take_in,
)

from closing import close as closes
from closing import pack
from closing.figures import figures
from closing.prepare import prepare
from ingestion import verification
from ingestion.database import connect
from ingestion.errors import PeriodRefused
from ingestion.settings import REPOSITORY, Settings
from tests.independent import verifier
from tests.unit.ingestion.valid_rows import sound_row

pytestmark = pytest.mark.timeout(900)
State = tuple[str, Path]


def test_a_closed_month_says_who_closed_it_on_what_and_keeps_what_was_signed(november: Settings) -> None:
    (event,) = ask(
        "SELECT prepared_by, approved_by, checked_seq, report_sha256, ledger_sha256, rules_sha256, checks_run_id, seq"
        " FROM events.event WHERE event_type = 'period.closed'"
    )
    assert event[:2] == (PREPARER, APPROVER)
    assert event[6] == "books"
    assert ask("SELECT file_id, file_sha256 FROM events.batch ORDER BY batch_id DESC LIMIT 1") == [
        (None, hashlib.sha256(b"").hexdigest())
    ]
    (shown,) = ask("SELECT closed_seq, ledger_sha256, request_id, signed_at IS NOT NULL FROM marts.closed_period")
    assert shown == (event[7], event[4], "340400-2020-11-1", True)
    with closing(connect("auditor")) as connection:
        assert figures(connection, REGION, NOVEMBER, event[2]).ledger_sha256 == event[4]
    folder = november.reports_dir / "signed" / REGION / "2020-11"
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(files) == {"SHA256SUMS", "close.html", "merged_fund_340400_2020-11.xlsx"}
    assert hashlib.sha256(files["SHA256SUMS"]).hexdigest() == event[3]
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count(": OK")) == (0, 2)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o444}
    stored = ask("SELECT file_name, content FROM signoff.signed_file")
    assert {name: bytes(content) for name, content in stored} == files
    book = openpyxl.load_workbook(folder / "merged_fund_340400_2020-11.xlsx", data_only=True)
    assert "2020年11月" in str(book["封面"]["A3"].value)


def test_the_log_verifies_with_the_pipelines_own_batches(november: Settings) -> None:
    assert not any(report.found for report in verification.verify())
    (folder,) = november.heads_dir.iterdir()
    with closing(connect()) as connection, connection.cursor() as cursor:
        assert verifier.first_bad_seqs(cursor, folder) == {}
    assert newest_head()["seq"] == ask("SELECT max(seq) FROM events.event")[0][0]


@pytest.mark.usefixtures("november")
def test_the_checklist_compares_and_tells_what_needs_a_look() -> None:
    items = ask(
        "SELECT code, outcome, amount::text, amount_last_month FROM marts.close_checklist WHERE kind = 'comparison'"
    )
    assert {code: amount for code, _, amount, _ in items} == {
        "I90": "736.00", "E90": "3640.50", "E113": "3640.50", "E1131": "3000.00", "E1132": "640.50",
        "S10": "-2904.50", "S30": "97095.50",
    }  # fmt: skip
    required = dict(ask("SELECT code, outcome FROM marts.close_checklist WHERE kind = 'requirement'"))
    assert required == dict.fromkeys(("ORDER", "HEAD", "GATE", "FREEZE", "B09", "B10", "FIGURES"), "ok")
    december = asked(DECEMBER)
    compared = {item.code: item for item in december.items if item.kind == "comparison"}
    assert (compared["E90"].amount, compared["E90"].amount_last_month) == (Decimal("1000.00"), Decimal("3640.50"))
    (percent,) = ask(
        "SELECT percent_last_month::text FROM marts.close_checklist WHERE request_id = %s AND code = 'E90'",
        december.request.request_id,
    )
    assert percent == ("-72.53",)
    assert "-72.53%" in december.form
    assert {item.code for item in december.items if item.code == "YEAR"} == {"YEAR"}


@pytest.mark.usefixtures("opened")
def test_only_the_earliest_open_month_that_is_over_can_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PeriodRefused, match=r"E-PERIOD-ORDER.*2020-11"):
        asked(DECEMBER)
    monkeypatch.setenv("FUND_BUSINESS_DATE", "2020-11-30")
    with pytest.raises(PeriodRefused, match=r"E-PERIOD-ORDER.*尚未结束"):
        asked()
    assert ask("SELECT count(*) FROM signoff.close_request") == [(0,)]


@pytest.mark.usefixtures("november")
def test_a_month_is_closed_once() -> None:
    with pytest.raises(PeriodRefused, match="E-PERIOD-ORDER"):
        asked()
    before = ask("SELECT max(seq) FROM events.event")
    assert closes.close("340400-2020-11-1", "again") == before[0][0]
    assert closes.finish(REGION, NOVEMBER, "again").request_id == "340400-2020-11-1"
    assert ask("SELECT max(seq) FROM events.event") == before
    assert closings() == [("period.closed", "2020-11")]


def test_the_same_question_is_one_request_and_another_preparer_makes_another(opened: Settings) -> None:
    first = asked().request
    assert asked().request == first
    folder = opened.reports_dir / "draft" / REGION / "2020-11" / "1"
    assert pack.sha256((folder / "SHA256SUMS").read_bytes()) == first.report_sha256
    assert asked(by="赵会计").request.request_id == "340400-2020-11-2"


@pytest.mark.parametrize("approver", [PREPARER, f" {PREPARER} ", "基金 会计"])
@pytest.mark.usefixtures("opened")
def test_the_preparer_can_not_approve(approver: str) -> None:
    request = asked().request
    with pytest.raises(PeriodRefused, match="E-PERIOD-APPROVER"):
        closes.approve(request.request_id, approver, None, "os:x")
    assert decisions() == [("340400-2020-11-1", "void", approver)]
    with pytest.raises(PeriodRefused, match="E-PERIOD-DECIDED"):
        closes.close(request.request_id, "close")
    assert closings() == []


@pytest.mark.usefixtures("opened")
def test_the_account_that_asked_can_not_approve_under_another_name_for_the_preparer() -> None:
    request = prepare(REGION, NOVEMBER, "somebody else", "airflow:admin").request
    with pytest.raises(PeriodRefused, match="E-PERIOD-APPROVER"):
        closes.approve(request.request_id, "Admin", None, "airflow:admin")


@pytest.mark.usefixtures("opened")
def test_rejected_and_overdue_requests_leave_the_month_open_and_are_kept() -> None:
    first = asked().request.request_id
    closes.reject(first, APPROVER, "金额待核", "os:x")
    with pytest.raises(PeriodRefused, match=r"E-PERIOD-DECIDED.*rejected.*金额待核"):
        closes.approve(first, APPROVER, None, "os:x")
    second = asked().request.request_id
    closes.reject(second, None, None, "airflow:timeout")
    with pytest.raises(PeriodRefused, match=r"E-PERIOD-DECIDED.*timed_out"):
        closes.close(second, "close")
    assert decisions() == [(first, "rejected", APPROVER), (second, "timed_out", None)]
    assert closings() == []


@pytest.mark.usefixtures("opened")
def test_facts_that_arrive_between_check_and_approval_make_it_void() -> None:
    request = asked().request.request_id
    take_in({"6.claim.1.csv": [paid("K4", "2020-12-30", "10.00")]})  # of a later month: does not matter
    take_in({"7.claim.1.csv": [paid("K5", "2020-11-30", "20.00")]})
    closes.approve(request, APPROVER, None, "os:x")
    with pytest.raises(PeriodRefused, match="E-PERIOD-MOVED") as refused:
        closes.close(request, "close")
    assert "demo/K5" in str(refused.value)
    assert "K4" not in str(refused.value)
    assert [row[1] for row in decisions()] == ["approved", "void"]
    assert closings() == []
    with pytest.raises(PeriodRefused, match="E-PERIOD-BEHIND"):
        asked()
    publish("later")
    assert closed(asked()).request_id == "340400-2020-11-2"


@pytest.mark.exhaustive
@pytest.mark.usefixtures("opened")
def test_facts_of_a_later_month_do_not_hinder() -> None:
    made_ = asked()
    take_in({"6.claim.1.csv": [paid("K4", "2020-12-30", "10.00")]})
    assert closed(made_).closed_seq > made_.request.checked_seq + 1


@pytest.mark.exhaustive
@pytest.mark.usefixtures("opened")
def test_an_income_account_that_is_not_empty_is_waived_with_a_reason_only() -> None:
    take_in({"6.treasury.1.csv": [_received("R1", "2020-11-28", "15.00")]})
    publish("later")
    first = asked().request.request_id
    with pytest.raises(PeriodRefused, match=r"E-PERIOD-REASON.*B09"):
        closes.approve(first, APPROVER, "  ", "os:x")
    assert closed(asked(), "次月3日划转，见银行回单").request_id == "340400-2020-11-2"
    assert ask("SELECT reason FROM marts.closed_period") == [("次月3日划转，见银行回单",)]


@pytest.mark.exhaustive
@pytest.mark.usefixtures("opened")
def test_a_balance_on_the_wrong_side_stands_against_closing() -> None:
    take_in({"6.claim.1.csv": [paid("K6", "2020-11-29", "9000.00")]})
    publish("later")
    with pytest.raises(PeriodRefused, match=r"E-PERIOD-CHECKS.*B10"):
        asked()
    items = ask("SELECT code, detail, amount::text FROM marts.close_checklist WHERE outcome = 'blocked'")
    assert [(code, amount) for code, _, amount in items] == [("B10", "-7640.50")]
    with pytest.raises(PeriodRefused, match="E-PERIOD-CHECKS"):
        closes.approve("340400-2020-11-1", APPROVER, "never mind", "os:x")


@pytest.mark.usefixtures("opened")
def test_of_two_closes_at_once_one_closes_and_the_other_is_void() -> None:
    requests = [asked(by=name).request.request_id for name in ("基金会计", "赵会计")]
    for request in requests:
        closes.approve(request, APPROVER, None, "os:x")
    told: list[object] = []

    def close(request: str) -> None:
        try:
            told.append(closes.close(request, "close"))
        except PeriodRefused as refused:
            told.append(refused.code)

    threads = [threading.Thread(target=close, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, told))[1] == "E-PERIOD-ORDER"
    assert closings() == [("period.closed", "2020-11")]
    assert sorted(row[1] for row in decisions()) == ["approved", "approved", "void"]


def test_a_close_that_was_killed_behind_its_event_is_finished_and_not_repeated(opened: Settings) -> None:
    request = asked().request.request_id
    command = [sys.executable, "-m", "closing", "approve", "--request", request, "--by", APPROVER]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        deadline = time.monotonic() + 120
        while not closings() and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    assert closings() == [("period.closed", "2020-11")]
    assert ask("SELECT count(*) FROM signoff.signed_report") == [(0,)]
    assert not (opened.reports_dir / "signed").exists()
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert closings() == [("period.closed", "2020-11")]
    assert decisions() == [(request, "approved", APPROVER)]
    assert len(list((opened.reports_dir / "signed" / REGION / "2020-11").iterdir())) == 3


@pytest.mark.usefixtures("opened")
def test_figures_changed_behind_the_logs_back_are_not_closed(postgres_url: str) -> None:
    request = asked().request.request_id
    closes.approve(request, APPROVER, None, "os:x")
    database = os.environ["FUND_DATABASE_URL"].rpartition("/")[2]
    with closing(psycopg2.connect(f"{postgres_url.rpartition('/')[0]}/{database}")) as connection, connection:
        connection.cursor().execute(
            "ALTER TABLE ledger.account_turnover DISABLE TRIGGER USER;"
            "UPDATE ledger.account_turnover SET debit_amount = debit_amount + 1"
            " WHERE account_code = '1004' AND accounting_month = '2020-11-01' AND debit_amount > 0"
        )
    with pytest.raises(PeriodRefused, match="E-PERIOD-DIFFERS"):
        closes.close(request, "close")
    assert [row[1] for row in decisions()] == ["approved", "void"]
    assert closings() == []


@pytest.mark.usefixtures("opened")
def test_what_is_not_there_can_be_neither_decided_nor_signed() -> None:
    for step in (
        lambda: closes.approve("340400-2020-11-9", APPROVER, None, "os:x"),
        lambda: closes.sign(REGION, NOVEMBER),
        lambda: closes.finish(REGION, NOVEMBER, "close"),
        lambda: prepare("110000", NOVEMBER, PREPARER, "os:x"),
    ):
        with pytest.raises(PeriodRefused, match="E-PERIOD-UNKNOWN"):
            step()


def test_records_of_decisions_can_not_be_changed(november: Settings) -> None:
    with closing(psycopg2.connect(november.database_url)) as connection, connection.cursor() as cursor:
        for table in ("close_request", "checklist_item", "draft_report", "decision", "closing_figures", "signed_file"):
            with pytest.raises(psycopg2.errors.RestrictViolation):
                cursor.execute(f"DELETE FROM signoff.{table}")
            connection.rollback()


def _received(key: str, day: str, amount: str) -> dict[str, str]:
    named = {"account": "income", "sub_fund": "pooled", "amount": amount}
    return sound_row("other.received", source_event_key=key, region_code=REGION, occurred_on=day, **named)
