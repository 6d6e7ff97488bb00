"""What the nightly audit finds, freezes and records, on the hand-written books: the checks over all history."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

import pytest

from expectations import freeze
from expectations.audit import records
from expectations.audit.parts import AuditError, audit, check_history, conclude
from expectations.candidate import over_all_history
from expectations.check import AUDIT, Check
from expectations.gate import GateRefusedError, check, explain, publish
from expectations.look import LookError, look
from expectations.suites import suites_of
from expectations.validation import CheckResult, Run, Target, open_context, run_suite
from ingestion.database import connect
from ingestion.verification import verify_stored
from runtime.replay.comparison import Result
from runtime.replay.records import record_results
from tests.integration.gate_books_copy import GateBooks

pytestmark = pytest.mark.slow

RUN = "night"
OLD = "update ledger.journal_line set rule_ids = 'PAID-09,PAID-07' where region_code = '320100' and event_seq = 4"
# The subsidy of these books comes into the expenditure account, which no rule lets it do.
BY_HAND = (
    "insert into policy.money_account_use values ('subsidy.received', '1004', 'in', 'hand-written books', 'assumed')"
)
# What the business date of these books, 5 April 2020, makes of publication and audit: both are in time.
IN_TIME = """
    set session_replication_role = replica;
    update events.batch set recorded_at = '2020-04-05 03:00+00' where batch_id = 2;
    update events.event set recorded_at = '2020-04-05 03:00+00' where batch_id = 2;
    insert into quality.audit_step (run_id, part, outcome, started_at, ended_at)
    values ('before', 'audit', 'green', '2020-04-04 20:00+00', '2020-04-04 20:05+00')
"""


@pytest.fixture
def night(books: GateBooks) -> GateBooks:
    """The books with what the other parts of an audit have left behind: nothing found, every row compared."""
    books.corrupt(BY_HAND)
    _leave_behind(books, RUN)
    return books


def _leave_behind(of: GateBooks, run_id: str) -> None:
    began = datetime.now(UTC)
    with closing(connect("auditor", settings=of.settings)) as connection, connection.cursor() as cursor:
        records.record_log(run_id, verify_stored(cursor), of.settings)
    rows = [Result("ledger.journal_line", region, 14, began, 30, 30) for region in ("320100", "340400")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", of.settings.database_url)
        record_results(run_id, rows)
    for part in ("log", "rebuilt"):
        records.record_step(run_id, part, "green", None, began, of.settings)


def _run(
    of: GateBooks, region: str = "320100", suites: dict[str, tuple[Check, ...]] | None = None
) -> dict[str, CheckResult]:
    context = open_context(of.settings.database_url)
    candidate = over_all_history(of.candidate(region), RUN)
    with closing(connect("fund_quality", settings=of.settings)) as connection:
        run = Run(RUN, datetime.now(UTC))
        wanted = suites or suites_of(AUDIT)
        runs = [run_suite(context, connection, suite, Target(run, candidate, c)) for suite, c in wanted.items()]
    return {result.check.code: result for each in runs for result in each.results}


def _only(code: str) -> dict[str, tuple[Check, ...]]:
    return {suite: found for suite, c in suites_of(AUDIT).items() if (found := tuple(x for x in c if x.code == code))}


def test_clean_history_passes_every_check(night: GateBooks) -> None:
    results = _run(night)
    late = {code for code, result in results.items() if not result.success}
    # The payment of month M says nothing of how it was paid: a warning.
    assert late == {"F02", "M07"}, {code: results[code].rows for code in late}
    # its own age is for the look by day
    assert {row["item"] for row in results["F02"].rows} == {"publication"}
    candidate = night.candidate()
    assert candidate.published_seq > 0  # all events are examined, not those of the increment
    examined = {code: results[code].rows_examined for code in ("C02", "H02", "H03")}
    assert examined == {"C02": candidate.head_seq, "H02": candidate.head_seq, "H03": 30}


def test_what_was_altered_after_its_publication_is_found_by_night_and_not_by_day(night: GateBooks) -> None:
    night.corrupt("set session_replication_role = replica;" + OLD)
    assert {v.region_code: v.failed_checks for v in check("day", night.settings)}["320100"] == ()
    result = _run(night, suites=_only("C03"))["C03"]
    assert not result.success
    assert "rule/4" in {row["item"] for row in result.rows}


@pytest.mark.parametrize(
    ("code", "sql", "item"),
    [
        (
            "H01",
            "insert into quality.log_finding (run_id, region_code, finding_no, code, kind, reason, first_seq, last_seq,"
            " batch_id) values ('night', '320100', 1, 'H01', 'rewritten', 'x', 1, 7, 1)",
            "rewritten/1/1",
        ),
        (
            "H01",
            "insert into quality.log_finding (run_id, region_code, finding_no, code, kind, reason, detail)"
            " values ('night', '-', 1, 'H01', 'guard', 'x', 'events.event: append_only')",
            "guard/events.event: append_only",
        ),
        ("H01", "update ledger.built_head set seq = 6 where region_code = '320100' and batch_id = 1", "built/1"),
        (
            "H02",
            "insert into quality.log_finding (run_id, region_code, finding_no, code, kind, reason, first_seq, last_seq,"
            " batch_id) values ('night', '320100', 1, 'H02', 'content', 'x', 2, 2, 1)",
            "content/2/1",
        ),
        (
            "H03",
            "insert into quality.replay_difference (run_id, region_code, relation, side, difference_no, entry_id,"
            " event_seq, amount, item) values ('night', '320100', 'ledger.journal_line', 'live_only', 1, '320100-2-1',"
            """ 2, 5, '{"entry_id": "320100-2-1", "line_no": 1}')""",
            "ledger.journal_line/live_only/320100-2-1/1",
        ),
        (
            "H03",
            "insert into quality.replay_difference (run_id, region_code, relation, side, difference_no, amount, item)"
            " values ('night', '320100', 'ledger.personal_account_turnover', 'live_only', 1, 5,"
            """ '{"person_no": "P1", "batch_id": 2, "last_seq": 11}')""",
            "ledger.personal_account_turnover/live_only/2/11",
        ),
        (
            "B08",
            "insert into quality.closed_journal (run_id, region_code, accounting_month, figures_seq, journal_sha256)"
            " values ('night', '320100', '2019-12-01', 7, repeat('a', 64))",
            "2019-12/journal",
        ),
        ("F02", "select 1", "publication"),
    ],
)
def test_what_only_the_audit_judges(night: GateBooks, code: str, sql: str, item: str) -> None:
    night.corrupt("set session_replication_role = replica;" + sql)
    result = _run(night, suites=_only(code))[code]
    assert (result.success, result.severity) == (False, "fail")
    assert item in {row["item"] for row in result.rows}


def test_nothing_that_was_left_behind_is_no_pass(books: GateBooks) -> None:
    suites = {"integrity": tuple(c for c in suites_of(AUDIT)["integrity"] if c.code in ("H01", "H02", "H03"))}
    assert not any(result.success for result in _run(books, suites=suites).values())


def test_a_failure_freezes_its_region_until_somebody_lifts_it(night: GateBooks) -> None:
    settings = night.settings
    night.corrupt("set session_replication_role = replica;" + OLD)
    check_history(RUN, settings)
    with pytest.raises(AuditError, match=r"320100: .*C03.*publication frozen"):
        conclude(RUN, settings)
    with pytest.raises(AuditError):
        conclude(RUN, settings)  # again: nothing twice
    ((region, by, codes, run_id),) = night.rows(
        "select region_code, frozen_by, codes, run_id from quality.frozen_region"
    )
    assert (region, by, run_id) == ("320100", "nightly audit", RUN)
    assert "C03" in codes
    assert night.rows("select count(*) from quality.publication_freeze") == [(1,)]

    check("day", settings)
    with pytest.raises(GateRefusedError, match="lift --region"):
        publish("day", settings)
    decided = "select region_code, decision, failed_checks from quality.publication_decision order by decided_at"
    decisions = {row[0]: row[1:] for row in night.rows(decided)}
    assert "frozen" in decisions["320100"][1]
    assert "frozen" not in decisions["340400"][1]

    for by_whom, why in (("", "x"), ("Li", " ")):
        with pytest.raises(freeze.FreezeError, match="Z-FREEZE-WHO"):
            freeze.lift("320100", by_whom, why, settings)
    with pytest.raises(freeze.FreezeError, match="Z-FREEZE-REGION"):
        freeze.freeze("999999", "Li", "x", settings)
    outcome, open_codes = freeze.lift("320100", "李审计", "经核查为演示数据", settings)
    assert outcome == "lifted"
    assert "C03" in open_codes
    assert freeze.lift("320100", "李审计", "再次", settings)[0] == "already"
    assert night.rows("select action, acted_by, codes from quality.publication_freeze order by freeze_id")[1] == (
        "lift",
        "李审计",
        list(open_codes),
    )
    assert night.rows("select count(*) from quality.frozen_region") == [(0,)]

    _leave_behind(night, "next night")
    check_history("next night", settings)
    with pytest.raises(AuditError):
        conclude("next night", settings)
    assert night.rows("select run_id from quality.frozen_region") == [("next night",)]


def test_a_lift_lets_the_next_run_publish(books: GateBooks) -> None:
    settings = books.settings
    assert freeze.freeze("320100", "王主任", "核查中", settings) == "frozen"
    assert freeze.freeze("320100", "王主任", "核查中", settings) == "already"
    check("day", settings)
    with pytest.raises(GateRefusedError) as refusal:
        publish("day", settings)
    assert {d.region_code: d.failed_checks for d in refusal.value.decisions} == {"320100": ("frozen",), "340400": ()}
    assert "已暂停发布" in explain("day", settings)
    freeze.lift("320100", "王主任", "核查完毕", settings)
    check("day 2", settings)
    assert [d.decision for d in publish("day 2", settings)] == ["published", "unchanged"]


def test_who_may_only_freeze_cannot_lift(books: GateBooks) -> None:
    with closing(connect("fund_quality", settings=books.settings)) as connection, connection.cursor() as cursor:
        statement = (
            "insert into quality.publication_freeze (region_code, action, acted_by, reason)"
            " values ('320100', %s, 'x', 'y')"
        )
        cursor.execute(statement, ("freeze",))
        with pytest.raises(Exception, match="row-level security"):
            cursor.execute(statement, ("lift",))


def test_an_audit_that_breaks_freezes_nothing_and_says_so(night: GateBooks) -> None:
    night.corrupt("alter table policy.freshness_limit rename to freshness_limit_gone")
    with pytest.raises(AuditError, match="320100 F01"):
        check_history(RUN, night.settings)
    with pytest.raises(AuditError, match=r"未完成 / not completed: .*checks over all history"):
        conclude(RUN, night.settings)
    assert night.rows("select region_code, codes from quality.publication_freeze") == []
    ended = "select part, outcome from quality.audit_step order by ended_at"
    assert night.rows(ended) == [("log", "green"), ("rebuilt", "green"), ("checks", "broken"), ("audit", "broken")]


def test_a_part_that_did_not_run_is_told(night: GateBooks) -> None:
    with pytest.raises(AuditError, match="did not run, or was ended"):
        conclude("never began", night.settings)
    night.corrupt("revoke select on events.event from auditor")
    with pytest.raises(AuditError, match="InsufficientPrivilege"):
        audit("no rights", night.settings)
    # The part that broke freezes nothing; the next one finds that books written by hand are not what the log leads to.
    assert night.rows("select region_code, codes from quality.publication_freeze order by 1") == [
        ("320100", ["H03"]),
        ("340400", ["H03"]),
    ]


def test_a_look_tells_what_is_late(books: GateBooks) -> None:
    with pytest.raises(LookError, match="F02"):
        look("look", books.settings)
    late = "select finding_key from quality.finding where code = 'F02' and region_code = '320100' order by 1"
    assert books.rows(late) == [("audit",), ("publication",)]
    books.corrupt(IN_TIME)
    assert [verdict.green for verdict in look("look again", books.settings)] == [True, True]
    scopes = "select distinct scope, code from quality.check_result order by 1, 2"
    assert books.rows(scopes) == [("look", "F01"), ("look", "F02")]
