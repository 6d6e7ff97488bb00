"""Rebuilt = incremental by the nightly audit, on real books: rows that were tampered with are named the same night."""

from __future__ import annotations

import pytest

from expectations.audit.parts import AuditError, audit, rebuild
from expectations.audit.rebuilt import compare
from expectations.audit.sessions import sessions, snapshot
from expectations.gate import GateRefusedError, check, publish
from ingestion.settings import Settings
from runtime import dbt
from tests.integration import replay_support as books
from tests.integration.replay_support import HUAINAN, NANJING, ask

pytestmark = pytest.mark.slow

FORGED = """
    INSERT INTO ledger.journal_line
    SELECT region_code, event_seq, 9, 1, entry_id || '9', entry_kind, fund_code, accounting_month, posting_date,
        account_code, sub_fund, 123.45, 0, original_month, reverses_entry_id, person_no, employer_no, institution_code,
        benefit_item, payment_method, claim_no, receipt_no, event_type, business_type, batch_id, rule_ids
    FROM ledger.journal_line WHERE region_code = '340400' AND event_seq = 3 AND line_no = 1 AND entry_no = 1
"""
MISSING = "DELETE FROM ledger.journal_line WHERE region_code = '340400' AND event_seq = 1 AND line_no = 1"
CHANGED = """
    UPDATE ledger.account_turnover SET debit_amount = debit_amount + 0.01
    WHERE region_code = '320100' AND account_code = '5001010301'
"""
RENUMBERED = "UPDATE ledger.voucher SET voucher_no = voucher_no + 5 WHERE region_code = '320100' AND batch_id = 2"
OF_ANOTHER_BATCH = "UPDATE ledger.account_turnover SET batch_id = 77 WHERE region_code = '340400' AND last_seq = 7"
BEYOND = """
    INSERT INTO ledger.account_turnover
    SELECT region_code, fund_code, accounting_month, account_code, sub_fund, entry_kind, 99, 500, 1, 0, 1
    FROM ledger.account_turnover WHERE region_code = '320100' LIMIT 1
"""
_FOUND = """
    SELECT DISTINCT relation, region_code, side, coalesce(entry_id, item ->> 'voucher_no', item ->> 'batch_id'),
        event_seq
    FROM quality.replay_difference WHERE run_id = 'night' ORDER BY 1, 2, 3, 4
"""


@pytest.mark.usefixtures("small_books_copy")
def test_the_same_night_names_what_was_tampered_with() -> None:
    tables = dbt.compiled_for_audit("before")
    settings = Settings.from_env()
    with snapshot(settings) as seen, sessions(seen, settings) as reading:
        # One slice a batch, and all batches in one: mergers, year ends and late facts come out the same.
        for events in (1, 1_000):
            results = compare(tables, seen, reading, events)
            assert [result for result in results if not result.success] == []
            assert {result.relation for result in results} == {f"ledger.{name}" for name in tables}
            assert sum(result.replayed_rows for result in results if result.relation == "ledger.journal_line") > 20
    for forgery in (FORGED, MISSING, CHANGED, RENUMBERED, OF_ANOTHER_BATCH, BEYOND):
        books.as_owner(forgery)

    assert rebuild("night") > 0
    found = ask(_FOUND)
    assert ("ledger.journal_line", HUAINAN, "live_only", f"{HUAINAN}-3-19", 3) in found
    assert ("ledger.journal_line", HUAINAN, "replayed_only", f"{HUAINAN}-1-1", 1) in found
    assert [row for row in found if row[0] == "ledger.account_turnover" and row[1] == NANJING] == [
        ("ledger.account_turnover", NANJING, "live_only", "2", 2),
        ("ledger.account_turnover", NANJING, "live_only", "99", 500),
        ("ledger.account_turnover", NANJING, "replayed_only", "2", 2),
    ]
    assert ("ledger.account_turnover", HUAINAN, "live_only", "77", 7) in found
    assert {row[1:3] for row in found if row[0] == "ledger.voucher"} >= {
        (NANJING, "live_only"),
        (NANJING, "replayed_only"),
    }
    assert {row[0] for row in found} <= {f"ledger.{name}" for name in tables}


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("published_copy")
def test_the_samples_audited_are_green_until_somebody_touches_old_books() -> None:
    assert audit("first night").outcome == "green"
    assert ask("SELECT count(*) FROM quality.frozen_region") == [(0,)]
    results = "SELECT count(*), count(*) FILTER (WHERE success) FROM quality.check_result WHERE scope = 'audit'"
    ((made, passed),) = ask(results)
    assert made == passed > 0

    books.as_owner(
        "UPDATE ledger.journal_line SET person_no = 'P-FORGED'"
        " WHERE (region_code, event_seq, entry_no, line_no) IN (SELECT region_code, event_seq, entry_no, line_no"
        " FROM ledger.journal_line WHERE region_code = '340400' AND person_no IS NOT NULL ORDER BY event_seq LIMIT 1)"
    )
    assert all(verdict.green for verdict in check("day"))  # nothing of it is in the increment
    with pytest.raises(AuditError, match="340400: H03 · 已暂停发布"):
        audit("second night")
    named = "SELECT DISTINCT item ->> 'reason' FROM quality.finding WHERE run_id = 'second night' AND code = 'H03'"
    assert len(ask(named)) == 3  # the row there is, the row there should be, how many differ
    check("day 2")
    with pytest.raises(GateRefusedError) as refusal:
        publish("day 2")
    assert {d.region_code: d.failed_checks for d in refusal.value.decisions} == {"320100": (), "340400": ("frozen",)}
