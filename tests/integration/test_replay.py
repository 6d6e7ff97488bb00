"""Replay: rebuilt = incremental, found row for row; what differs is named, and no swap happens silently."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from runtime import dbt
from runtime.replay import Outcome, Request, rebuilt_equals_incremental, replay
from runtime.replay.comparison import SHOWN
from runtime.replay.report import text, write
from tests.integration import replay_support as books
from tests.integration.replay_support import HUAINAN, NANJING, ask

pytestmark = pytest.mark.slow

COMPARED = """
    SELECT n.nspname || '.' || c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relowner = 'fund_transform'::regrole
        AND (n.nspname = 'ledger' AND c.relkind = 'r' OR n.nspname = 'marts' AND c.relkind IN ('r', 'v', 'm'))
    ORDER BY 1
"""
FORGED = """
    INSERT INTO ledger.journal_line
    SELECT (jsonb_populate_record(line, '{"entry_no": 9, "entry_id": "340400-3-9", "debit_amount": 123.45}')).*
    FROM ledger.journal_line AS line WHERE region_code = '340400' AND event_seq = 3 AND debit_amount = 3200
"""
MISSING = "DELETE FROM ledger.journal_line WHERE region_code = '340400' AND event_seq = 1 AND line_no = 1"
CHANGED = """
    UPDATE ledger.account_turnover SET debit_amount = debit_amount + 0.01
    WHERE region_code = '320100' AND account_code = '5001010301'
"""


def outcomes() -> books.Rows:
    return ask(
        "SELECT run_id, outcome, different_relations, accepted_reason FROM quality.replay_outcome ORDER BY decided_at"
    )


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
def test_the_samples_replayed_are_the_same_and_everything_was_compared(published_copy: str, tmp_path: Path) -> None:
    before, granted, journal = (
        books.fingerprints(published_copy),
        books.grants(),
        books.relation_oid("ledger.journal_line"),
    )

    ending = replay("compare only")
    assert (ending.outcome, ending.notes, books.schemas()) == (Outcome.EQUAL, [], {"ledger", "marts"})
    assert books.relation_oid("ledger.journal_line") == journal
    compared = ask("SELECT DISTINCT relation FROM quality.replay_result WHERE success ORDER BY 1")
    assert compared == ask(COMPARED)
    for relation in ("ledger.journal_line", "marts.general_ledger", "marts.trial_balance"):
        rows = ask(f"SELECT region_code, count(*) FROM {relation} GROUP BY 1 ORDER BY 1")
        assert rows
        recorded = (
            "SELECT region_code, live_rows FROM quality.replay_result WHERE relation = %s AND live_rows > 0 ORDER BY 1"
        )
        assert ask(recorded, relation) == rows
    assert ask("SELECT count(*) FROM quality.replay_difference") == [(0,)]
    write(ending, tmp_path / "made" / "report.json")
    told = json.loads((tmp_path / "made" / "report.json").read_text("utf-8"))
    assert {one["success"] for one in told["results"]} == {True}

    assert replay("swap", Request(swap=True)).outcome is Outcome.SWAPPED
    assert books.schemas() == {"ledger", "marts"}
    assert books.relation_oid("ledger.journal_line") != journal
    assert books.fingerprints(published_copy) == before
    assert books.grants() == granted
    assert outcomes() == [("compare only", "equal", 0, None), ("swap", "swapped", 0, None)]

    # Life goes on: nothing is to be deployed, builds append, and what they append is what a replay gives.
    assert dbt.deploy("afterwards") is False
    books.PostingLog(HUAINAN).add(books.PREMIUM | {"occurred_on": "2026-10-08", "employer_amount": 1})
    dbt.build("afterwards")
    books.publish()
    assert books.fingerprints(published_copy)["general_ledger"][0] > before["general_ledger"][0]
    assert rebuilt_equals_incremental("once more")


@pytest.mark.timeout(1200)
def test_planted_differences_are_named_and_forbid_the_swap(small_books_copy: str) -> None:
    sound = ask("SELECT * FROM ledger.journal_line ORDER BY entry_id, line_no")
    for forgery in (FORGED, MISSING, CHANGED):
        books.as_owner(forgery)
    journal = books.relation_oid("ledger.journal_line")

    ending = replay("forged", Request(swap=True))
    assert ending.outcome is Outcome.REFUSED
    assert ending.outcome.exit_code == 3
    assert books.relation_oid("ledger.journal_line") == journal
    assert ending.notes == [
        "账簿不一致，未说明接受的理由 / the books differ and no reason to accept that was given",
        "重放账簿保留在 ledger_replay、marts_replay，直到下一次重放 / the replayed books stay there until then",
    ]
    named = "SELECT relation, region_code, side, entry_id, event_seq, amount FROM quality.replay_difference"
    found = ask(f"{named} WHERE relation IN ('ledger.journal_line', 'ledger.account_turnover') ORDER BY 1, 2, 3")
    assert [(*row[:5], str(row[5])) for row in found] == [
        ("ledger.account_turnover", NANJING, "live_only", None, 2, "2500.01"),
        ("ledger.account_turnover", NANJING, "replayed_only", None, 2, "2500.00"),
        ("ledger.journal_line", HUAINAN, "live_only", f"{HUAINAN}-3-9", 3, "123.45"),
        ("ledger.journal_line", HUAINAN, "replayed_only", f"{HUAINAN}-1-1", 1, "900.00"),
    ]
    different = {row[0] for row in ask("SELECT relation FROM quality.replay_result WHERE NOT success")}
    assert different >= {"marts.general_ledger", "marts.trial_balance", "marts.maternity_expenditure"}
    report = text(ending)
    for told in (f"{HUAINAN}-3-9", "123.45", "仅现行 / live only"):
        assert told in report

    with (
        books.login(small_books_copy, "supervisor_reader", NANJING) as url,
        closing(psycopg2.connect(url)) as connection,
        connection.cursor() as cursor,
    ):
        for table, shown in (("replay_result", {"-", NANJING}), ("replay_difference", {NANJING})):
            cursor.execute(f"SELECT DISTINCT region_code FROM quality.{table}")
            assert {row[0] for row in cursor.fetchall()} == shown
        cursor.execute("SELECT outcome FROM quality.replay_outcome")
        assert cursor.fetchall() == [("refused",)]
        connection.rollback()

    # Rows of the consolidated statements: figures of several regions, for who may read them all.
    regions = "SELECT DISTINCT region_code FROM quality.replay_difference ORDER BY 1"
    with (
        books.login(small_books_copy, "supervisor_reader", None) as url,
        closing(psycopg2.connect(url)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(regions)
        assert cursor.fetchall() == ask(regions) == [("-",), (NANJING,), (HUAINAN,)]
        connection.rollback()

    # Accepted for a reason, and the reason stays; then the books are those that the log leads to.
    accepted = replay("accepted", Request(swap=True, accepted_reason="forged lines found by audit", keep_former=True))
    assert accepted.outcome is Outcome.SWAPPED
    assert ask("SELECT * FROM ledger.journal_line ORDER BY entry_id, line_no") == sound
    kept = next(name for name in books.schemas() if name.startswith("ledger_kept_"))
    assert ask(f"SELECT count(*) FROM {kept}.journal_line WHERE entry_no = 9") == [(1,)]
    assert outcomes() == [
        ("forged", "refused", len(different), None),
        ("accepted", "swapped", len(different), "forged lines found by audit"),
    ]
    assert rebuilt_equals_incremental("healed")
    assert kept in books.schemas()


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("small_books_copy")
def test_a_table_that_one_side_lacks_and_rows_of_no_region_are_differences() -> None:
    books.as_owner("CREATE TABLE ledger.by_hand (region_code text)")
    books.as_owner(
        "INSERT INTO ledger.voucher SELECT '999999', fund_code, accounting_month, 1000 + voucher_no, batch_id,"
        " posting_date, business_type, entry_count, debit_amount, credit_amount, attachment_count, last_seq"
        f" FROM ledger.voucher LIMIT {SHOWN + 5}"
    )
    planted = ask("SELECT count(*) FROM ledger.voucher WHERE region_code = '999999'")[0][0]
    ending = replay("strange")
    assert ending.outcome is Outcome.DIFFERENT
    problems = {(one.relation, one.problem) for one in ending.different if one.problem}
    assert problems == {("ledger.by_hand", "只有现行账簿有此表 / only the live books have this relation")}
    (voucher,) = [one for one in ending.different if one.relation == "ledger.voucher"]
    assert (voucher.region_code, voucher.live_only_rows, voucher.replayed_only_rows) == ("-", planted, 0)
    assert ask("SELECT DISTINCT region_code FROM quality.replay_difference") == [("999999",)]


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("small_books_copy")
def test_what_others_have_built_on_the_books_forbids_the_swap() -> None:
    ask("CREATE SCHEMA elsewhere")
    ask("GRANT CREATE, USAGE ON SCHEMA elsewhere TO fund_transform")
    books.as_owner("CREATE VIEW elsewhere.mine AS SELECT * FROM marts.trial_balance")
    books.as_owner(
        "CREATE FUNCTION elsewhere.account() RETURNS SETOF marts.account LANGUAGE sql AS 'SELECT * FROM marts.account'"
    )
    books.as_owner(
        "CREATE TRIGGER extra BEFORE DELETE ON ledger.voucher FOR EACH STATEMENT EXECUTE FUNCTION"
        " suppress_redundant_updates_trigger()"
    )
    ending = replay("blocked", Request(swap=True, accepted_reason="no reason helps here"))
    assert ending.outcome is Outcome.REFUSED
    assert ending.notes == [
        "R-DEPENDENT: 账簿之外的对象依赖现行账簿 / rests on the live books from outside: function elsewhere.account()",
        "R-DEPENDENT: 账簿之外的对象依赖现行账簿 / rests on the live books from outside:"
        " rule _RETURN on view elsewhere.mine",
        "R-GUARD: 重放账簿缺少触发器 / the replayed table lacks trigger extra on ledger.voucher",
    ]
    assert ask("SELECT count(*) > 0 FROM elsewhere.mine") == [(True,)]


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("small_books_copy")
def test_grants_given_and_taken_by_hand_are_carried_over() -> None:
    books.as_owner("GRANT SELECT (account_code, closing_balance) ON marts.trial_balance TO fund_ingest")
    books.as_owner("GRANT SELECT ON marts.account TO fund_ingest WITH GRANT OPTION")
    books.as_owner("REVOKE SELECT ON marts.general_ledger FROM finance_reader")
    before = books.grants()
    assert replay("granted", Request(swap=True)).outcome is Outcome.SWAPPED
    assert books.grants() == before
