"""Digests by real SMTP and HTTP, by real Airflow connections: who is told what, once, and what is tried again."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from expectations import decisions
from expectations.check import LOOK
from expectations.decisions import By, Item, Limits
from expectations.validation import CheckResult
from ingestion import heads
from ingestion.database import connect
from reporting import history, outside_gate, quality
from reporting.__main__ import main
from reporting.alerts.undelivered import undelivered
from reporting.books import one_state
from tests.integration.findings_support import NANJING, Row, a_check, recorded, result
from tests.integration.ingestion_support import land_rows, person, run, select
from tests.integration.sinks import HookSink, MailSink, hook_sink, mail_sink

TODAY = date(2026, 11, 2)
PAGE = "https://reports.example.cn/index.html"
SECRET = "a-robot-key-of-tests"

Connect = Callable[..., None]


@pytest.fixture(scope="module", autouse=True)
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Airflow reads its home when it is imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        importlib.import_module("airflow.sdk").Connection  # noqa: B018 - loads Airflow, which sets up its own logging
        yield


@pytest.fixture
def log(migrated_warehouse: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A log of one region, on a fixed business date."""
    monkeypatch.setenv("FUND_BUSINESS_DATE", TODAY.isoformat())
    land_rows("a.registration.1.csv", person("P1"))
    run()
    heads.record()
    return migrated_warehouse


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailSink]:
    """An SMTP server, and the connection that leads to it."""
    with mail_sink() as sink:
        extra = {
            "from_email": "fund@example.cn",
            "disable_ssl": True,
            "disable_tls": True,
            "retry_limit": 1,
            "page_url": PAGE,
            "to": ["all@example.cn"],
            "routes": {
                "levy_supervision": ["levy@example.cn", "both@example.cn"],
                "fund_accounting": "both@example.cn",
                "escalation": ["chief@example.cn"],
            },
        }
        given = {"conn_type": "smtp", "host": "127.0.0.1", "port": sink.port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_FUND_ALERTS_EMAIL", json.dumps(given))
        yield sink


@pytest.fixture
def hooks() -> Iterator[HookSink]:
    """An HTTP server."""
    with hook_sink() as sink:
        yield sink


@pytest.fixture
def webhook(hooks: HookSink, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """`webhook(**extra)` makes the connection that leads to the HTTP server."""

    def made(**extra: object) -> None:
        given = {
            "conn_type": "http",
            "host": f"http://127.0.0.1:{hooks.port}",
            "password": SECRET,
            "extra": {"page_url": PAGE, "secret_parameter": "key", "path": "/robot/send", **extra},
        }
        monkeypatch.setenv("AIRFLOW_CONN_FUND_ALERTS_WEBHOOK", json.dumps(given))

    made()
    return made


def of_accounting(*rows: Row) -> CheckResult:
    return result(*rows, check=replace(a_check("T06"), owner="fund_accounting"))


def gate(run_id: str, *results: CheckResult, decision: str = "published", day: date = TODAY) -> None:
    """A run of the gate that found this, and what it decided."""
    recorded(run_id, *results, day=day)
    with closing(connect("fund_publisher")) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO quality.publication_decision (run_id, region_code, head_seq, decision) VALUES (%s, %s, 1, %s)",
            (run_id, NANJING, decision),
        )


def send(run_id: str, now: datetime | None = None) -> dict[str, str]:
    """Audience -> outcome."""
    from reporting.alerts.sending import send as send_digests

    return {
        f"{sent.route.channel} {'+'.join(sent.route.audience) or 'all'}": sent.outcome
        for sent in send_digests(run_id, now=now)
    }


AUDITED = """
    INSERT INTO quality.audit_step (run_id, part, outcome, detail, started_at) VALUES (%s, 'audit', %s, 'why', now())
"""


def audited(run_id: str, outcome: str) -> None:
    """An audit that came to this end."""
    with closing(connect("fund_quality")) as connection, connection, connection.cursor() as cursor:
        cursor.execute(AUDITED, (run_id, outcome))


def notifications() -> list[tuple[Any, ...]]:
    return select(
        "SELECT run_id, channel, audience, findings, outcome FROM quality.notification ORDER BY notification_id"
    )


@pytest.mark.usefixtures("log")
def test_nothing_is_sent_without_a_connection(caplog: pytest.LogCaptureFixture) -> None:
    gate("r1", result(Row("E1")))
    with caplog.at_level("INFO"):
        assert send("r1") == {}
    assert "nothing is configured" in caplog.text
    assert notifications() == []


@pytest.mark.usefixtures("log")
def test_each_owner_gets_one_mail_a_run_with_what_is_its_own(mails: MailSink) -> None:
    gate("r1", result(Row("P330100", "100.00"), Row("E2", "20.50")), of_accounting(Row("Z1", "7.00")))
    assert send("r1") == {
        "email all": "sent",
        "email levy_supervision": "sent",
        "email fund_accounting+levy_supervision": "sent",
        "email escalation": "unchanged",
    }
    by_recipient = {mail.recipients: mail for mail in mails.mails}
    assert set(by_recipient) == {("all@example.cn",), ("levy@example.cn",), ("both@example.cn",)}
    levy, both = by_recipient["levy@example.cn",], by_recipient["both@example.cn",]
    assert "C07 欠费 / Arrears" in levy.body
    assert "2 行 / rows" in levy.body
    assert "120.50 元 / yuan" in levy.body
    assert "新增 / new 2" in levy.body
    assert PAGE in levy.body
    assert "T06" not in levy.body
    assert "T06" in both.body
    assert "提示 1 项 / Merged Fund: 0 failed, 1 warning(s)" in levy.subject
    assert not any("P330100" in mail.body or "E2" in mail.body for mail in mails.mails), "items are not named"
    assert [row[1:] for row in notifications()] == [
        ("email", [], 3, "sent"),
        ("email", ["fund_accounting", "levy_supervision"], 3, "sent"),
        ("email", ["levy_supervision"], 2, "sent"),
    ]


@pytest.mark.usefixtures("log", "webhook")
def test_the_same_is_told_once_a_day_and_what_changes_at_once(hooks: HookSink) -> None:
    gate("r1", result(Row("E1", "1.00")))
    now = datetime.now(UTC)
    assert send("r1", now) == {"webhook all": "sent"}
    gate("r2", result(Row("E1", "9.00")))
    assert send("r2", now) == {"webhook all": "unchanged"}, "another amount is no news"
    assert send("r2", now + timedelta(days=1)) == {"webhook all": "sent"}, "a reminder on the next day"
    assert "此前已告知 / told before" in hooks.requests[-1][1]["text"]
    gate("r3", result(Row("E1", "9.00"), Row("E3")))
    assert send("r3", now) == {"webhook all": "sent"}
    check = hooks.requests[-1][1]["regions"][0]["checks"][0]
    assert (check["rows"], check["amount"], check["returned"]) == (2, "9.00", 0)
    gate("r4", result())
    assert send("r4", now) == {"webhook all": "sent"}, "all is settled"
    assert "问题已全部处理" in hooks.requests[-1][1]["subject"]
    gate("r5", result())
    assert send("r5", now + timedelta(days=3)) == {"webhook all": "unchanged"}, "no news of no news"
    assert len(hooks.requests) == 4


@pytest.mark.usefixtures("log")
def test_nothing_is_told_of_clean_books(mails: MailSink) -> None:
    gate("r1", result())
    assert set(send("r1").values()) == {"unchanged"}
    assert (mails.mails, notifications()) == ([], [])


@pytest.mark.usefixtures("log", "webhook")
def test_an_accepted_finding_is_told_again_when_the_acceptance_ends(
    hooks: HookSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate("r1", result(Row("E1", "1.00")))
    send("r1")
    decisions.accept(Item(NANJING, "C07", "E1"), By("王会计", "agreed"), Limits(TODAY + timedelta(3), Decimal(5)))
    gate("r2", result(Row("E1", "1.00")))
    assert send("r2") == {"webhook all": "sent"}
    assert hooks.requests[-1][1]["regions"][0]["checks"] == []
    monkeypatch.setenv("FUND_BUSINESS_DATE", (TODAY + timedelta(4)).isoformat())
    gate("r3", result(Row("E1", "1.00")), day=TODAY + timedelta(4))
    assert send("r3") == {"webhook all": "sent"}
    (check,) = hooks.requests[-1][1]["regions"][0]["checks"]
    assert (check["code"], check["new"], check["returned"]) == ("C07", 0, 1)


@pytest.mark.usefixtures("log")
def test_what_has_stood_for_long_is_told_again_and_to_those_above(
    mails: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate("r1", result(Row("E1", "1.00")))
    assert send("r1")["email escalation"] == "unchanged"
    for days, levy, chief in ((6, "unchanged", "unchanged"), (8, "sent", "unchanged"), (31, "sent", "sent")):
        later = date.fromordinal(datetime.now(UTC).toordinal() + days)
        monkeypatch.setenv("FUND_BUSINESS_DATE", later.isoformat())
        outcomes = send("r1")
        assert (outcomes["email levy_supervision"], outcomes["email escalation"]) == (levy, chief), days
    assert ("chief@example.cn",) in {mail.recipients for mail in mails.mails}
    assert "久未处理 / aged 1" in mails.mails[-1].body + mails.mails[-2].body + mails.mails[-3].body


@pytest.mark.usefixtures("log", "webhook")
def test_a_digest_that_is_not_taken_fails_nothing_and_is_tried_again(
    mails: MailSink, hooks: HookSink, caplog: pytest.LogCaptureFixture
) -> None:
    mails.refusing, hooks.status = True, 503
    gate("r1", result(Row("E1")))
    outcomes = send("r1")
    assert (outcomes["email all"], outcomes["webhook all"]) == ("failed", "failed")
    assert "下次运行重试" in caplog.text
    errors = select("SELECT channel, error FROM quality.notification ORDER BY notification_id")
    assert errors[-1] == ("webhook", "HTTP 503")
    assert not any(secret in str(errors) + caplog.text for secret in (SECRET, "all@example.cn"))
    mails.refusing, hooks.status = False, 200
    outcomes = send("r2")
    assert (outcomes["email all"], outcomes["webhook all"]) == ("sent", "sent")
    assert hooks.requests[-1][1]["regions"][0]["checks"][0]["new"] == 1, "still new to who has not been told"


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(("form", "most"), [("wecom", 4096), ("dingtalk", 20000)])
def test_group_bots_get_markdown_that_they_take(form: str, most: int, webhook: Connect, hooks: HookSink) -> None:
    webhook(form=form)
    gate("r1", *(result(Row("E1"), check=a_check(f"X{number:02}")) for number in range(300)))
    assert send("r1") == {"webhook all": "sent"}
    path, body = hooks.requests[-1]
    assert path == f"/robot/send?key={SECRET}"
    said = body["markdown"]["content" if form == "wecom" else "text"]
    assert body["msgtype"] == "markdown"
    assert "X00 欠费" in said
    assert len(said.encode()) <= most
    assert said.endswith("…")
    hooks.answer = {"errcode": 93000, "errmsg": "invalid webhook url"}
    gate("r2", result(Row("E9")))
    assert send("r2") == {"webhook all": "failed"}
    assert select("SELECT error FROM quality.notification WHERE outcome = 'failed'") == [("errcode 93000",)]


@pytest.mark.usefixtures("log", "webhook")
def test_a_region_that_is_not_published_is_told_with_the_reason(hooks: HookSink) -> None:
    recorded("r1", result())
    with closing(connect("fund_publisher")) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO quality.publication_decision (run_id, region_code, head_seq, decision, failed_checks)"
            " VALUES ('r1', %s, 1, 'refused', ARRAY['rules-not-adopted'])",
            (NANJING,),
        )
    assert send("r1") == {"webhook all": "sent"}
    (region,) = hooks.requests[-1][1]["regions"]
    assert (region["light"], region["verdict_zh"], region["reasons"]) == ("red", "未发布", ["rules-not-adopted"])


@pytest.mark.usefixtures("log", "webhook")
def test_the_command_and_the_page_say_what_has_not_got_through(
    hooks: HookSink, capsys: pytest.CaptureFixture[str], fund_environment: Path
) -> None:
    hooks.status = 500
    gate("r1", result(Row("E1")))
    assert main(["notify"]) == 1
    told = capsys.readouterr()
    assert "webhook all: 未能送出 / not sent HTTP 500" in told.out
    assert main(["write"]) == 0
    page = (fund_environment / "reports" / "index.html").read_text(encoding="utf-8")
    assert "通知未能送出" in page
    with one_state() as connection:
        (lost,) = undelivered(connection)
        assert undelivered(connection, timedelta(0)) == ()
    assert (lost.channel, lost.error) == ("webhook", "HTTP 500")
    hooks.status = 200
    assert main(["notify", "--run", "r1"]) == 0
    assert "已发送 / sent" in capsys.readouterr().out
    assert main(["write"]) == 0
    assert "通知未能送出" not in (fund_environment / "reports" / "index.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("log", "webhook")
def test_an_audit_that_is_not_green_is_told_and_decides_nothing_on_regions(mails: MailSink, hooks: HookSink) -> None:
    gate("r1", result())
    assert send("r1")["webhook all"] == "unchanged"
    audited("night", "broken")
    outcomes = send("night")  # it left no result of a check
    assert {audience for audience, outcome in outcomes.items() if outcome == "sent"} == {
        "webhook all",
        "email all",
        "email escalation",
    }
    told = hooks.requests[-1][1]
    assert [(region["light"], region["verdict_zh"]) for region in told["regions"]] == [("green", "已发布，可信")]
    assert "夜间审计未完成" in told["audit_zh"]
    assert "夜间审计未完成" in mails.mails[-1].body
    assert send("night")["webhook all"] == "unchanged"
    audited("next night", "green")
    assert send("next night")["webhook all"] == "sent", "that it is settled is told once"
    assert hooks.requests[-1][1]["audit_zh"] is None


@pytest.mark.usefixtures("log", "webhook")
def test_results_of_an_audit_are_no_run_and_no_change(fund_environment: Path) -> None:
    gate("r1", result(Row("E1")))
    recorded("look", result(Row("E1"), Row("E2"), check=a_check("F02")), scope=LOOK)
    gate("r2", result(Row("E1")))
    with one_state() as connection:
        made = history.runs(connection, [NANJING])
        assert [run_of.run_id for run_of in made] == ["r1", "r2"]
        assert history.since(connection, "r2", made, quality.results(connection, "r2"))[0].nothing
        assert (quality.gate_run(connection, "look"), quality.gate_run(connection, "r1")) == ("r2", "r1")
        assert quality.results(connection, "look") == []
        (other,) = outside_gate.failing(connection, [NANJING])
        assert (other.code, other.rows) == ("F02", 2)
    assert main(["write"]) == 0
    page = (fund_environment / "reports" / "index.html").read_text(encoding="utf-8")
    assert "F02" in page[page.index('id="outside"') : page.index('id="lights"')]
