"""The gate on a real PostgreSQL: every check fails on the corruption it exists for, clean books publish."""

from __future__ import annotations

import dataclasses
import json
import shutil
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg2
import pytest

from expectations import decisions
from expectations.check import GATE, NOTHING_EXAMINED, Check
from expectations.decisions import By, Item, Limits
from expectations.gate import GateRefusedError, check, explain, publish
from expectations.look import LookError, look
from expectations.suites import check_by_code, gate_checks, suites_of
from expectations.suites._tie_out_sql import compared_months
from expectations.validation import SuiteRun, Target, open_context, run_suite
from ingestion.database import Connection, connect
from tests.integration.gate_books import EVENTS_PER_BATCH, HEAD
from tests.integration.gate_books_copy import GateBooks
from tests.integration.gate_mutations import (
    CLOSE_MONTH_M,
    MIGRATED_SINCE,
    MUTATIONS,
    READ_SINCE,
    TAKEN_BACK_BY_PLATFORM,
    Mutation,
)
from tests.integration.gate_mutations_claims import UNPAID_CLAIM
from tests.integration.gate_treasury import (
    COLLECTED,
    FUNDED,
    LEFT_ON_EXPENDITURE,
    PAID_DIRECTLY,
    PAID_TO_H1,
    TAKEN_BACK_LATER,
    TO_H1,
    TREASURY_MUTATIONS,
    balance,
    corrected_balance,
    stated,
)

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext

EVERY_MUTATION = MUTATIONS + TREASURY_MUTATIONS


def _suite_of(code: str) -> dict[str, tuple[Check, ...]]:
    return {name: checks for name, checks in suites_of(GATE).items() if any(check.code == code for check in checks)}


@pytest.mark.parametrize("region", ["320100", "340400"])
def test_clean_books_pass_every_check(books: GateBooks, region: str) -> None:
    results = books.run(suites_of(GATE), region)
    assert {code: result.rows for code, result in results.items() if not result.success} == {}
    assert set(results) == {check.code for check in gate_checks()}
    # What the books hold, counted by hand: all events, 5 with money of their own, 8 entries in the increment.
    assert (results["C02"].rows_examined, results["C03"].rows_examined, results["B01"].rows_examined) == (
        EVENTS_PER_BATCH[1], 5, 8,
    )  # fmt: skip


@pytest.mark.parametrize("mutation", EVERY_MUTATION, ids=lambda mutation: f"{mutation.code}: {mutation.why}")
def test_check_fails_on_the_corruption_it_exists_for(books: GateBooks, mutation: Mutation) -> None:
    books.corrupt("set session_replication_role = replica;" + mutation.sql)
    result = books.run(_suite_of(mutation.code))[mutation.code]
    assert (result.success, result.severity) == (False, mutation.severity)
    assert any(mutation.item in row["item"] for row in result.rows), [row["item"] for row in result.rows]
    assert result.unexpected_count >= 1


def test_a_month_that_stayed_as_it_was_closed_passes(books: GateBooks) -> None:
    books.corrupt("set session_replication_role = replica;" + CLOSE_MONTH_M)
    result = books.run(_suite_of("B08"))["B08"]
    assert (result.success, result.rows_examined) == (True, 1), result.rows


@pytest.mark.parametrize(
    ("code", "statement"),
    [
        ("T02", balance(LEFT_ON_EXPENDITURE)),
        ("T03", stated("tax_collected", COLLECTED, account="'treasury'")),
        ("T03", stated("tax_collected", COLLECTED, day="2020-01-05", month="null")),
        ("T04", stated("fiscal_expenditure", FUNDED)),
        ("T04", PAID_DIRECTLY + stated("fiscal_expenditure", "300.00")),
        # 50.00 of recoveries deducted by the fiscal side
        ("T04", PAID_DIRECTLY + stated("fiscal_expenditure", "250.00")),
        ("T05", TO_H1 + stated("institution_settled", PAID_TO_H1)),
        ("T02", corrected_balance()),
    ],
)
def test_statements_that_agree_are_examined_and_pass(books: GateBooks, code: str, statement: str) -> None:
    books.corrupt("set session_replication_role = replica;" + statement)
    result = books.run(_suite_of(code))[code]
    assert (result.success, result.rows_examined) == (True, 1), result.rows


@pytest.mark.parametrize(
    ("code", "statement"), [("M09", TAKEN_BACK_BY_PLATFORM), ("F01", READ_SINCE), ("F01", MIGRATED_SINCE)]
)
def test_what_was_taken_back_read_or_migrated_since_is_no_fault(books: GateBooks, code: str, statement: str) -> None:
    books.corrupt("set session_replication_role = replica;" + statement)
    result = books.run({name: tuple(c for c in checks if c.code == code) for name, checks in _suite_of(code).items()})
    assert result[code].success, result[code].rows


def test_the_month_of_a_statement_taken_back_in_another_month_is_compared(books: GateBooks) -> None:
    books.corrupt("set session_replication_role = replica;" + TAKEN_BACK_LATER)
    months = check_by_code("T02").bind(compared_months("bank_balance", "T02"), books.candidate())
    assert books.rows(f"{months} order by 1") == [(date(2019, 12, 1),), (date(2020, 3, 1),)]


def test_an_open_item_is_looked_at_again_and_ages(books: GateBooks) -> None:
    """Published with a warning, and nothing new since but a look at freshness: the next run must not forget it."""
    books.corrupt(
        # in place of an employer's registration, which nothing red rests on
        "set session_replication_role = replica;" + balance("4865.00").replace("seq = 14", "seq = 16")
        + "update events.event as e set content_hash = events.content_hash(e) where seq = 16;"
        "update events.batch set batch_hash = events.batch_hash(region_code, batch_id) where batch_id = 2;"
        "update ledger.built_head as h set batch_hash = b.batch_hash from events.batch as b"
        " where b.region_code = h.region_code and b.batch_id = h.batch_id"
    )  # fmt: skip
    shutil.rmtree(books.settings.heads_dir)
    first = {verdict.region_code: verdict for verdict in check("run-1", books.settings)}["320100"]
    assert (first.failed_checks, "T02" in first.warned_checks) == ((), True)
    publish("run-1", books.settings)
    with pytest.raises(LookError):
        look("look", books.settings)
    again = {verdict.region_code: verdict for verdict in check("run-2", books.settings)}["320100"]
    assert "T02" in again.warned_checks
    books.corrupt("update policy.policy_threshold set excessive_above = 20 where indicator_code = 'in_transit_days'")
    late = {verdict.region_code: verdict for verdict in check("run-3", books.settings)}["320100"]
    assert late.failed_checks == ("T02",)
    query = "select distinct first_seen_run from quality.finding where code = 'T02' and run_id = 'run-3'"
    assert books.rows(query) == [("run-1",)]


def test_an_unpaid_claim_is_overdue_after_thirty_working_days(books: GateBooks) -> None:
    """Settled in January 2020: 14 working days from 11 to 28 February and 16 to 23 March."""
    books.corrupt("set session_replication_role = replica;" + UNPAID_CLAIM)
    overdue = {}
    for day in (date(2020, 3, 23), date(2020, 3, 24)):
        there = dataclasses.replace(books, settings=dataclasses.replace(books.settings, business_date=day))
        result = there.run({"completeness": (check_by_code("C08"),)})["C08"]
        overdue[day] = [json.loads(row["details"]) for row in result.rows]
    assert overdue[date(2020, 3, 23)] == []
    (listed,) = overdue[date(2020, 3, 24)]
    told = ("claim_no", "due_on", "days_overdue", "settled_month", "limit_status", "amount", "source_file")
    assert [listed[name] for name in told] == [
        "C4", "2020-03-23", 1, "2020-01-01", "verified", 999.0, "320100.2020-01.csv"
    ]  # fmt: skip


def test_every_check_has_a_corruption() -> None:
    assert {mutation.code for mutation in EVERY_MUTATION} == {check.code for check in gate_checks()}


def test_check_that_examined_nothing_fails(books: GateBooks) -> None:
    blind = {
        suite: tuple(dataclasses.replace(c, examined="select 0", population="select 1") for c in checks)
        for suite, checks in suites_of(GATE).items()
    }
    results = books.run(blind)
    assert all(not result.success and result.severity == "fail" for result in results.values())
    assert {result.rows[0]["item"] for result in results.values()} == {NOTHING_EXAMINED}


def test_check_that_can_not_run_fails_alone(books: GateBooks) -> None:
    sound, other, *_ = suites_of(GATE)["balance"]
    broken = dataclasses.replace(other, offending="select 1 / 0 as item, 0 as amount")
    blind = dataclasses.replace(suites_of(GATE)["balance"][2], population="select no_such_column")
    results = books.run({"balance": (sound, broken, blind)})
    assert results[sound.code].success
    assert results[broken.code].rows[0]["item"] == "exception"
    assert (results[broken.code].success, results[broken.code].severity) == (False, "fail")
    assert not results[blind.code].success


def test_region_that_can_not_be_checked_is_refused_alone(books: GateBooks, monkeypatch: pytest.MonkeyPatch) -> None:
    from expectations import gate

    def fail_in_nanjing(
        context: EphemeralDataContext,
        connection: Connection,
        suite: str,
        target: Target,
    ) -> SuiteRun:
        if target.candidate.region_code == "320100":
            raise RuntimeError("the suite is broken")
        return run_suite(context, connection, suite, target)

    monkeypatch.setattr(gate, "run_suite", fail_in_nanjing)
    assert [verdict.green for verdict in check("run-1", books.settings)] == [False, True]
    with pytest.raises(GateRefusedError) as refusal:
        publish("run-1", books.settings)
    assert [(d.decision, d.failed_checks) for d in refusal.value.decisions] == [
        ("refused", ("not-checked",)),
        ("published", ()),
    ]


def test_nobody_publishes_while_a_check_runs(books: GateBooks, monkeypatch: pytest.MonkeyPatch) -> None:
    from expectations import gate

    attempt = "select pg_try_advisory_xact_lock(hashtextextended('merged_fund.publish', 0))"
    got: list[bool] = []

    def publish_meanwhile(
        context: EphemeralDataContext,
        connection: Connection,
        suite: str,
        target: Target,
    ) -> SuiteRun:
        with closing(psycopg2.connect(books.admin_url)) as other, other.cursor() as cursor:
            cursor.execute(attempt)
            got.extend(row[0] for row in cursor.fetchall())
        return run_suite(context, connection, suite, target)

    monkeypatch.setattr(gate, "run_suite", publish_meanwhile)
    check("run-1", books.settings)
    assert got
    assert not any(got)
    assert [decision.decision for decision in publish("run-1", books.settings)] == ["published", "published"]


def test_gate_may_read_and_not_write(books: GateBooks) -> None:
    context = open_context(books.settings.database_url)
    engine = context.data_sources.get("warehouse").get_execution_engine().engine
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select current_user").scalar() == "fund_quality"
        with pytest.raises(Exception, match="read-only"):
            connection.exec_driver_sql("create table marts.mine (id int)")


def test_green_regions_are_published_once(books: GateBooks) -> None:
    verdicts = check("run-1", books.settings)
    assert [(v.region_code, v.head_seq, v.green) for v in verdicts] == [("320100", HEAD, True), ("340400", HEAD, True)]
    assert [d.decision for d in publish("run-1", books.settings)] == ["published", "published"]
    assert [d.decision for d in publish("run-1", books.settings)] == ["published", "published"]
    assert books.rows(
        "select region_code, seq, run_id, length(rules_sha256), batch_id from ledger.publication"
        " where seq > 7 order by 1"
    ) == [("320100", HEAD, "run-1", 64, 2), ("340400", HEAD, "run-1", 64, 2)]
    assert books.rows("select count(*), count(*) filter (where success) from quality.check_result") == [
        (2 * len(gate_checks()), 2 * len(gate_checks()))
    ]
    check("run-2", books.settings)
    assert [d.decision for d in publish("run-2", books.settings)] == ["unchanged", "unchanged"]


def test_red_region_does_not_stop_the_other(books: GateBooks) -> None:
    books.corrupt("delete from ledger.journal_line where region_code = '340400' and event_seq = 10")
    red = {verdict.region_code: verdict for verdict in check("run-1", books.settings)}["340400"]
    assert "C03" in red.failed_checks
    with pytest.raises(GateRefusedError, match="340400") as refusal:
        publish("run-1", books.settings)
    decided = {decision.region_code: decision for decision in refusal.value.decisions}
    assert (decided["320100"].decision, decided["340400"].decision) == ("published", "refused")
    assert decided["340400"].failed_checks == red.failed_checks
    assert books.rows("select region_code, max(seq) from ledger.publication group by 1 order by 1") == [
        ("320100", HEAD), ("340400", 7)
    ]  # fmt: skip
    text = explain("run-1", books.settings)
    assert "拒绝发布 / refused" in text
    assert "340400.2019-12.csv" in text  # the file that the missing entry belongs to
    assert "300.00 元 / yuan" in text


def test_other_head_than_the_checked_one_is_not_published(books: GateBooks) -> None:
    check("run-1", books.settings)
    books.corrupt(
        "insert into ledger.built_head (region_code, batch_id, seq, batch_hash, run_id, built_at)"
        " values ('320100', 3, 99, sha256('x'), 'late', now())"
    )
    with pytest.raises(GateRefusedError) as refusal:
        publish("run-1", books.settings)
    assert {d.region_code: d.failed_checks for d in refusal.value.decisions} == {
        "320100": ("head-moved",),
        "340400": (),
    }


def test_nothing_is_published_without_a_check(books: GateBooks) -> None:
    with pytest.raises(GateRefusedError) as refusal:
        publish("never-checked", books.settings)
    assert {d.failed_checks for d in refusal.value.decisions} == {("not-checked",)}
    check("run-1", books.settings)
    books.corrupt("delete from quality.check_result where code = 'H01'")
    with pytest.raises(GateRefusedError) as refusal:
        publish("run-1", books.settings)
    assert {d.failed_checks for d in refusal.value.decisions} == {("not-checked:H01",)}


def test_finding_keeps_the_run_in_which_it_was_first_seen(books: GateBooks) -> None:
    books.corrupt("update ledger.journal_line set sub_fund = 'personal' where event_seq = 10 and line_no = 1")
    for run in ("run-1", "run-2"):
        check(run, books.settings)
    query = (
        "select run_id, first_seen_run, item ->> 'source_file', item ->> 'source_line', amount from quality.finding"
        " where code = 'M03' and region_code = '320100' and finding_key = '320100-10-1/1' order by found_at"
    )
    assert [(*row[:4], str(row[4])) for row in books.rows(query)] == [
        ("run-1", "run-1", "320100.2020-01.csv", "11", "300.00"),
        ("run-2", "run-1", "320100.2020-01.csv", "11", "300.00"),
    ]


def test_open_rows_accepted_once_are_not_refused_for_having_been_published(books: GateBooks) -> None:
    threshold = "update policy.policy_region set quarantine_row_share_max = 0.2, quarantine_amount_share_max = 0.2"
    quarantine = (
        "insert into events.quarantine (quarantine_id, file_id, line_no, region_code, family, source_system,"
        " error_codes, messages, amount, quarantined_at)"
        " values ({0}, 2, {0}, '320100', 'claim', 's', array['E-TYPE-AMOUNT'], array['x'], 1, {1});"
        " update events.file_outcome set rows = rows + 1, declared_rows = rows + 1, quarantined = quarantined + 1"
        " where file_id = 2"
    )
    books.corrupt(threshold + ";" + quarantine.format(900, "'2020-02-02T01:00:00Z'"))
    check("run-1", books.settings)
    publish("run-1", books.settings)
    quiet = {verdict.region_code: verdict for verdict in check("run-2", books.settings)}["320100"]
    assert (quiet.green, quiet.warned_checks) == (True, ("C05",))
    books.corrupt(quarantine.format(901, "now()"))  # since the publication nothing was posted, and money is open
    worse = {verdict.region_code: verdict for verdict in check("run-3", books.settings)}["320100"]
    assert worse.failed_checks == ("C05",)


def test_an_accepted_warning_counts_as_none_and_brings_no_rows(books: GateBooks) -> None:
    """The decision is an event without a file: the window of C05 stays where it was."""
    books.corrupt(
        "update policy.policy_region set quarantine_row_share_max = 0.2, quarantine_amount_share_max = 0.2;"
        "insert into events.quarantine (quarantine_id, file_id, line_no, region_code, family, source_system,"
        " error_codes, messages, amount, quarantined_at)"
        " values (900, 2, 900, '320100', 'claim', 's', array['E-TYPE-AMOUNT'], array['x'], 1, '2020-02-02T01:00:00Z');"
        " update events.file_outcome set rows = rows + 1, declared_rows = rows + 1, quarantined = quarantined + 1"
        " where file_id = 2"
    )
    check("run-1", books.settings)
    publish("run-1", books.settings)
    window = books.candidate().window_after_seq
    (found,) = decisions.listed("320100", "C05", settings=books.settings)
    item, by = Item("320100", "C05", found.key), By("preparer", "the source corrects it next month")
    limits = Limits(books.settings.business_date + timedelta(20), Decimal("1.00"))
    assert decisions.accept(item, by, limits, books.settings).is_new
    accepted = {verdict.region_code: verdict for verdict in check("run-2", books.settings)}["320100"]
    assert (accepted.failed_checks, accepted.warned_checks, accepted.accepted_checks) == ((), (), ("C05",))
    assert books.candidate().window_after_seq == window
    assert "已接受 / accepted 1" in explain("run-2", books.settings)
    assert next(d.decision for d in publish("run-2", books.settings)) == "unchanged"


def test_missing_heads_file_is_shown_and_does_not_fail(books: GateBooks) -> None:
    shutil.rmtree(books.settings.heads_dir)
    result = books.run({"integrity": suites_of(GATE)["integrity"]})["H01"]
    assert (result.success, result.severity) == (False, "warn")


def test_rewritten_heads_file_fails(books: GateBooks) -> None:
    path = next(books.settings.heads_dir.glob("*/320100.jsonl"))
    newest = path.read_text().splitlines()[-1]
    path.write_text(f"{newest}\n" * 2)
    assert books.run({"integrity": suites_of(GATE)["integrity"]})["H01"].severity == "fail"


def test_version_of_the_rules_follows_what_posting_reads(books: GateBooks) -> None:
    from expectations.rules_version import rules_sha256

    with closing(connect("fund_publisher", settings=books.settings)) as connection:
        before = rules_sha256(connection)
        books.corrupt("update policy.policy_region set quarantine_row_share_max = 0.5, name_en = 'Elsewhere'")
        assert rules_sha256(connection) == before
        books.corrupt("update policy.policy_region set merger_date = merger_date + 1 where region_code = '320100'")
        assert rules_sha256(connection) != before
