"""Findings from check to check, and what decisions make of them, on a real log."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor

from expectations import decisions
from expectations.__main__ import main
from expectations.decisions import By, Item, Limits
from ingestion import control, heads
from ingestion.control import Closing
from ingestion.database import connect
from ingestion.errors import FindingRefused
from ingestion.finding_decisions import Decision, decide
from ingestion.settings import Settings
from ingestion.verification import verify
from reporting import findings
from reporting import history as history_of
from reporting.books import one_state
from tests.independent import verifier
from tests.integration.findings_support import (
    HUAINAN,
    INCREMENT,
    NANJING,
    Row,
    a_check,
    history,
    recorded,
    result,
    status,
    statuses,
)
from tests.integration.ingestion_support import CERTIFICATE, land_rows, person, run, select
from tests.unit.ingestion.valid_rows import sound_row

TODAY = date(2026, 11, 2)
BY = By("王会计", "已签缓缴协议 / agreed")


@pytest.fixture
def log(migrated_warehouse: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A log of both regions, one registration each, on a fixed business date."""
    monkeypatch.setenv("FUND_BUSINESS_DATE", TODAY.isoformat())
    land_rows("a.registration.1.csv", person("P1"), person("P2", HUAINAN))
    run()
    heads.record()
    return migrated_warehouse


def accept(key: str, days: int = 30, amount_max: str | None = None, rows_max: int | None = None) -> bool:
    """Accept an item of C07 in Nanjing; whether that was new."""
    limits = Limits(TODAY + timedelta(days), None if amount_max is None else Decimal(amount_max), rows_max)
    return decisions.accept(Item(NANJING, "C07", key), BY, limits).is_new


def refused(code: str, key: str = "E1", by: By = BY, limits: Limits = Limits(TODAY)) -> None:  # noqa: B008 - immutable
    with pytest.raises(FindingRefused) as refusal:
        decisions.accept(Item(NANJING, "C07", key), by, limits)
    assert refusal.value.code == code


@pytest.mark.usefixtures("log")
def test_a_finding_stands_until_a_complete_result_lacks_it() -> None:
    recorded("r1", result(Row("E1", "10.00"), Row("E2")))
    recorded("r2", result(Row("E1", "12.00")))
    assert statuses() == {"E1": "open", "E2": "resolved"}
    assert status("amount", "first_seen_run", "last_seen_run", "resolved_at IS NULL", "owner") == {
        "E1": (Decimal("12.00"), "r1", "r2", True, "levy_supervision"),
        "E2": (None, "r1", "r1", False, "levy_supervision"),
    }
    recorded("r3", result(Row("E1", "12.00"), unlisted=3))
    recorded("r4", result(Row("E3"), unlisted=3))
    assert statuses() == {"E1": "open", "E2": "resolved", "E3": "open", "cut off": "open"}, (
        "a list that was cut off resolves nothing"
    )
    with one_state() as connection:
        (total,) = (found for found in findings.totals(connection) if found.status == "open")
    assert (total.count, total.amount, total.listed_only) == (2 + 3, Decimal("12.00"), True)
    recorded("r5", result(Row("exception", severity="fail"), examined=0))
    assert statuses()["E1"] == "open", "a check that could not run resolves nothing"
    recorded("r6", result(Row("E2")))
    assert {key for key, state in statuses().items() if state == "open"} == {"E2"}
    assert history("E2") == [
        ("found", "open", "r1", None),
        ("resolved", "resolved", "r2", None),
        ("returned", "open", "r6", None),
    ]
    assert status("first_seen_run")["E2"] == ("r6",)
    assert select("SELECT count(*) FROM quality.finding_period WHERE ended_at IS NULL") == [(1,)]


@pytest.mark.usefixtures("log")
def test_what_a_check_of_the_increment_did_not_look_at_stands() -> None:
    check = a_check("M07", INCREMENT)
    recorded("r1", result(Row("old", event_seq=5), Row("new", event_seq=15), Row("month"), check=check))
    recorded("r2", result(check=check), after=10)
    assert statuses() == {"old": "open", "new": "resolved", "month": "resolved"}
    recorded("r3", result(check=check, examined=0), after=100)
    assert statuses()["old"] == "open"
    recorded("audit", result(check=check), after=0, scope="audit")
    assert statuses()["old"] == "resolved", "the audit has looked at the whole log"


@pytest.mark.usefixtures("log")
def test_an_older_result_changes_nothing_that_a_newer_one_has_said() -> None:
    old = result()
    recorded("r1", result(Row("E1")))
    recorded("late", old)
    assert statuses() == {"E1": "open"}


@pytest.mark.usefixtures("log")
def test_an_accepted_warning_is_counted_apart_and_shown_with_who_and_until_when() -> None:
    recorded("r1", result(Row("E1", "100.00"), Row("E2", "1.00")))
    assert accept("E1", amount_max="120.00")
    assert statuses() == {"E1": "accepted", "E2": "open"}, "at once, not only after the next check"
    (judged,) = recorded("r2", result(Row("E1", "110.00"), Row("E2", "1.00")))
    assert (judged.accepted_count, judged.accepted_amount, judged.is_accepted) == (1, Decimal("110.00"), False)
    assert status("status", "accepted_by", "accepted_reason", "accepted_until", "accepted_amount_max")["E1"] == (
        "accepted", BY.name, BY.reason, TODAY + timedelta(30), Decimal("120.00"),
    )  # fmt: skip
    assert select(
        "SELECT accepted_count, accepted_amount, success, severity FROM quality.check_result WHERE run_id = 'r2'"
    ) == [(1, Decimal("110.00"), False, "warn")]
    assert select(
        "SELECT run_id, checks, warned, accepted, open_rows, open_amount FROM quality.check_trend ORDER BY runs_ago"
    ) == [
        ("r2", 1, 1, 0, 1, Decimal("1.00")),
        ("r1", 1, 1, 0, 2, Decimal("101.00")),
    ]
    accept("E2")
    (judged,) = recorded("r3", result(Row("E1", "110.00"), Row("E2", "1.00")))
    assert judged.is_accepted
    assert select("SELECT warned, accepted FROM quality.check_trend WHERE run_id = 'r3'") == [(0, 1)]
    with one_state() as connection:
        listed = {found.finding.key: found for found in findings.current(connection, 10)}
        assert {key: found.status for key, found in listed.items()} == {"E1": "accepted", "E2": "accepted"}
        assert (listed["E1"].accepted_by, listed["E1"].accepted_reason) == (BY.name, BY.reason)
        assert [(total.status, total.count, total.amount) for total in findings.totals(connection)] == [
            ("accepted", 2, Decimal("111.00"))
        ]
        assert not findings.totals(connection)[0].listed_only
        (_, before, last) = history_of.runs(connection, [NANJING])
        assert (before.warned, before.found, last.warned, last.passed) == (1, 2, 0, 1)


@pytest.mark.usefixtures("log")
def test_an_acceptance_ends_with_its_date_and_beyond_its_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded("r1", result(Row("E1", "100.00"), Row("E2", "100.00")))
    accept("E1", days=5)
    accept("E2", days=60, amount_max="100.00")
    (judged,) = recorded("r2", result(Row("E1", "100.00"), Row("E2", "100.00")))
    assert judged.accepted_count == 2
    (judged,) = recorded("r3", result(Row("E1", "100.00"), Row("E2", "100.01")), day=TODAY + timedelta(5))
    assert judged.accepted_count == 1, "the last day counts"
    assert status("status", "lapse", "accepted_by")["E2"] == ("open", "over_budget", BY.name)
    (judged,) = recorded("r4", result(Row("E1", "100.00"), Row("E2", "99.00")), day=TODAY + timedelta(6))
    assert judged.accepted_count == 1, "expired, and within the limit again"
    assert [change[:3] for change in history("E1")] == [
        ("found", "open", "r1"),
        ("decided", None, None),
        ("accepted", "accepted", "r2"),
        ("expired", "open", "r4"),
    ]
    assert [change[:3] for change in history("E2")][3:] == [
        ("over_budget", "open", "r3"),
        ("accepted", "accepted", "r4"),
    ]
    monkeypatch.setenv("FUND_BUSINESS_DATE", (TODAY + timedelta(6)).isoformat())
    assert {found.key: (found.status, found.lapse) for found in decisions.listed()} == {
        "E1": ("open", "expired"),
        "E2": ("accepted", None),
    }


@pytest.mark.usefixtures("log")
def test_a_warning_that_turns_into_a_failure_is_no_longer_accepted() -> None:
    recorded("r1", result(Row("F1")))
    accept("F1")
    recorded("r2", result(Row("F1")))
    (judged,) = recorded("r3", result(Row("F1", severity="fail")))
    assert (judged.severity, judged.accepted_count) == ("fail", 0)
    assert history("F1")[-1][:3] == ("failing", "open", "r3")
    refused("E-FINDING-FAIL", "F1")


@pytest.mark.usefixtures("log")
def test_all_warnings_of_a_check_are_accepted_within_a_number_of_rows() -> None:
    recorded("r1", result(Row("E1", "5.00"), Row("E2", "5.00"), unlisted=3))
    refused("E-FINDING-LIMIT", "*")
    refused("E-FINDING-LIMIT", "E1", limits=Limits(TODAY, rows_max=5))
    accept("*", rows_max=5, amount_max="13.00")
    (judged,) = recorded("r2", result(Row("E1", "5.00"), Row("E2", "5.00"), unlisted=3))
    assert (judged.accepted_count, judged.accepted_amount, judged.is_accepted) == (5, Decimal("13.00"), True)
    (judged,) = recorded("r3", result(Row("E1", "5.00"), Row("E2", "5.00"), unlisted=4))
    assert judged.accepted_count == 0, "one row more than was accepted"
    assert set(statuses().values()) == {"open"}
    decisions.reject(Item(NANJING, "C07", "E2"), By("李主任", "须追缴 / to be collected"))
    (judged,) = recorded("r4", result(Row("E1", "5.00"), Row("E2", "5.00"), unlisted=1))
    assert (judged.accepted_count, judged.accepted_amount) == (2, Decimal("6.00")), "all but the one rejected"
    assert statuses() == {"E1": "accepted", "E2": "open", "cut off": "accepted"}
    refused("E-FINDING-UNKNOWN", "cut off")


@pytest.mark.usefixtures("log")
def test_a_withdrawn_acceptance_counts_no_more() -> None:
    recorded("r1", result(Row("E1")))
    item = Item(NANJING, "C07", "E1")
    with pytest.raises(FindingRefused, match="E-FINDING-UNKNOWN"):
        decisions.withdraw(item, BY)
    accept("E1")
    recorded("r2", result(Row("E1")))
    assert decisions.withdraw(item, BY).is_new
    assert statuses() == {"E1": "open"}
    recorded("r3", result(Row("E1")))
    assert history("E1")[-1][:3] == ("withdrawn", "open", "r3")
    assert accept("E1"), "and may be accepted again"


@pytest.mark.usefixtures("log")
def test_what_can_not_be_accepted_says_why() -> None:
    recorded("r1", result(Row("E1"), Row("bad", severity="fail")))
    refused("E-FINDING-UNKNOWN", "nobody")
    refused("E-FINDING-FAIL", "bad")
    refused("E-FINDING-LIMIT", limits=Limits(TODAY - timedelta(1)))
    refused("E-FINDING-LIMIT", limits=Limits(TODAY + timedelta(367)))
    refused("E-FINDING-LIMIT", limits=Limits(TODAY, Decimal("-1")))
    refused("E-FINDING-REASON", by=By("王会计", " "))
    refused("E-FINDING-REASON", by=By("王会计", f"本人{CERTIFICATE}"))
    with pytest.raises(FindingRefused, match="no log of this region"):
        decide(Decision("999999", "C07", "E1", "dismissed", "a", "b"))
    assert select("SELECT count(*) FROM events.event WHERE family = 'control'") == [(0,)]


@pytest.mark.usefixtures("log")
def test_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    recorded("r1", result(Row("E1", "100.00"), Row("bad", severity="fail")))
    where = ["--region", NANJING, "--code", "C07", "--item", "E1", "--by", BY.name, "--reason", BY.reason]
    accepting = ["accept", *where, "--until", "2026-12-31", "--amount-max", "150"]
    assert main(accepting) == 0
    assert "已记入日志 / recorded, seq 2" in capsys.readouterr().out
    assert main(accepting) == 0
    assert "此前已记入" in capsys.readouterr().out, "said twice, recorded once"
    assert main(["list", "--region", NANJING]) == 0
    told = capsys.readouterr().out
    assert "! 320100 C07 E1 · 已接受 / accepted · 100.00 元" in told
    assert "王会计 → 2026-12-31, ≤ 150.00" in told
    assert "✗ 320100 C07 bad · 待处理" in told
    assert main(["withdraw", *where]) == 0
    assert main(["reject", *where]) == 0
    assert main(["withdraw", *where[:4], "--item", "bad", *where[6:]]) == 2
    assert "E-FINDING-UNKNOWN" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*accepting[:-1], "1.005"])
    assert main(["list", "--code", "none"]) == 0
    assert "没有问题" in capsys.readouterr().out


def test_a_decision_is_an_event_like_any_other(log: str) -> None:
    recorded("r1", result(Row("E1", "100.00")))
    accept("E1", amount_max="150.00")
    assert select(
        "SELECT event_type, family, schema_version, source_system, source_event_key, occurred_on, prepared_by,"
        " decision, finding_code, finding_key, valid_until, amount_max, rows_max FROM events.event_current"
        " WHERE family = 'control'"
    ) == [
        ("finding.decided", "control", 2, "merged_fund", "C07/E1/1", TODAY, BY.name, "accepted", "C07", "E1",
         TODAY + timedelta(30), Decimal("150.00"), None),
    ]  # fmt: skip
    assert select("SELECT seq FROM events.event AS e WHERE content_hash IS DISTINCT FROM events.content_hash(e)") == []
    assert select("SELECT file_id FROM events.batch WHERE region_code = %s ORDER BY batch_id", NANJING)[-1] == (None,)
    assert not any(report.found for report in verify())
    with closing(psycopg2.connect(log)) as connection, connection.cursor() as cursor:
        assert verifier.first_bad_seqs(cursor, next(Settings.from_env().heads_dir.iterdir())) == {}
    for change in ("reason = 'another'", "amount_max = 999", "valid_until = '2030-01-01'", "schema_version = 1"):
        with closing(psycopg2.connect(log)) as connection, connection.cursor() as cursor:
            cursor.execute("ALTER TABLE events.event DISABLE TRIGGER append_only")
            cursor.execute("ALTER TABLE events.event DROP CONSTRAINT event_columns_of_decision")
            cursor.execute(f"UPDATE events.event SET {change} WHERE family = 'control'")
            cursor.execute("SELECT count(*) FROM events.event AS e WHERE content_hash <> events.content_hash(e)")
            assert cursor.fetchone() == (1,), change
            connection.rollback()


@pytest.mark.usefixtures("log")
def test_a_decision_neither_needs_an_open_month_nor_voids_the_approval_of_one() -> None:
    land_rows("a.treasury.1.csv", sound_row("interest.credited", occurred_on="2026-08-15"))
    run()
    (checked,) = select("SELECT max(seq) FROM events.event WHERE region_code = %s", NANJING)[0]
    august = Closing(
        NANJING, date(2026, 8, 1), "preparer", "approver", datetime(2026, 10, 5, tzinfo=UTC), None, "r1", checked,
        "ab" * 32, "cd" * 32, "ef" * 32,
    )  # fmt: skip
    assert control.close_period(august).is_new
    recorded("r1", result(Row("E1")))
    assert accept("E1")
    assert control.close_period(replace(august, month=date(2026, 9, 1))).is_new, "nothing that posts has come since"
    assert decisions.withdraw(Item(NANJING, "C07", "E1"), BY).is_new
    with closing_connection() as cursor:
        assert control.money_events_after(cursor, NANJING, checked) == 0


@contextmanager
def closing_connection() -> Iterator[Cursor]:
    with closing(connect("fund_ingest")) as connection, connection.cursor() as cursor:
        yield cursor


@pytest.mark.usefixtures("log")
def test_decisions_at_the_same_time_stand_one_after_the_other() -> None:
    recorded("r1", result(Row("E1")))
    said = [By("王会计", "same"), By("王会计", "same"), By("李主任", "other")]
    places: list[tuple[int, bool]] = []

    def say(by: By) -> None:
        place = decisions.accept(Item(NANJING, "C07", "E1"), by, Limits(TODAY + timedelta(9)))
        places.append((place.seq, place.is_new))

    threads = [threading.Thread(target=say, args=(by,)) for by in said]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seqs = select("SELECT seq FROM events.event WHERE event_type = 'finding.decided' ORDER BY seq")
    assert len(places) == 3
    assert [(seq,) for seq, is_new in sorted(places) if is_new] == seqs
    assert len(seqs) in (2, 3), "the same words twice in a row are one decision"
    assert not any(report.found for report in verify())


@pytest.mark.usefixtures("log")
def test_periods_can_only_be_ended_and_decisions_not_be_changed() -> None:
    recorded("r1", result(Row("E1")))
    accept("E1")
    for statement in (
        "UPDATE quality.finding_period SET amount = 1",
        "UPDATE quality.finding_period SET began_at = now(), ended_at = now(), ended_run = 'x', outcome = 'changed'",
        "DELETE FROM quality.finding_period",
        "UPDATE events.event SET reason = 'x' WHERE family = 'control'",
    ):
        with closing(connect()) as connection, connection.cursor() as cursor, pytest.raises(psycopg2.Error):
            cursor.execute(statement)
    with closing(connect("fund_quality")) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE quality.finding_period SET ended_run = 'x', ended_at = now(), outcome = 'resolved'")
        with pytest.raises(psycopg2.errors.RestrictViolation, match="only be ended, once"):
            cursor.execute("UPDATE quality.finding_period SET ended_run = 'y', ended_at = now(), outcome = 'resolved'")


@pytest.mark.usefixtures("log")
def test_supervisors_see_findings_and_decisions_of_their_regions() -> None:
    recorded("r1", result(Row("E1")))
    recorded("r1", result(Row("E9")), region=HUAINAN)
    accept("E1")
    views = ("finding_status", "finding_history", "finding_decision", "check_trend", "finding_period")
    with closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE ROLE of_nanjing IN ROLE supervisor_reader")
        cursor.execute("INSERT INTO access.region_grant (reader, reader_role, region_code) VALUES (%s, %s, %s)",
                       ("of_nanjing", "of_nanjing", NANJING))  # fmt: skip
        cursor.execute("GRANT of_nanjing TO CURRENT_USER; SET ROLE of_nanjing")
        for view in views:
            cursor.execute(f"SELECT DISTINCT region_code FROM quality.{view}")
            assert cursor.fetchall() == [(NANJING,)], view
        cursor.execute("SELECT accepted_by, accepted_reason FROM quality.finding_status")
        assert cursor.fetchall() == [(BY.name, BY.reason)]
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT FROM quality.decision_newest")
        connection.rollback()


@pytest.mark.usefixtures("log")
def test_an_unchanged_check_writes_no_period_and_open_findings_are_found_by_index() -> None:
    rows = [Row(f"E{number}", "1.00") for number in range(50)]
    for number in range(5):
        recorded(f"r{number}", result(*rows))
    assert select("SELECT count(*) FROM quality.finding_period") == [(50,)]
    plan = "\n".join(
        line for (line,) in select("EXPLAIN SELECT * FROM quality.finding_status WHERE status IN ('open', 'accepted')")
    )
    scans = [line for line in plan.splitlines() if " on finding_period" in line]
    assert len(scans) == 1, "what is settled is not read"
    assert "finding_period_current" in scans[0]
