"""Which rows a reader sees: those of the regions granted, in every mart and check, and no trace of others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from psycopg2 import sql

from expectations.candidate import read_candidates
from expectations.gate import check
from ingestion.database import connect
from ingestion.schema import SchemaVersionError
from ingestion.settings import Settings
from runtime.dbt import build, deploy
from runtime.layout import Layout
from runtime.reader_accounts import add, remove
from runtime.summary import summary
from tests.conftest import WarehouseFactory

pytestmark = pytest.mark.slow

PASSWORD = "a password for tests"
NANJING, HUAINAN = "320100", "340400"
LOGINS: dict[str, tuple[str, tuple[str, ...]]] = {
    "reg_nanjing": ("finance_reader", (NANJING,)),
    "reg_huainan": ("finance_reader", (HUAINAN,)),
    "reg_both": ("finance_reader", (NANJING, HUAINAN)),
    "reg_all": ("finance_reader", ("all",)),
    "reg_supervisor": ("supervisor_reader", (NANJING,)),
}
# Names of accounts and lines, and what lines are made of: the same for everyone.
NAMES = {"account", "statement_line_name", "statement_row", "statement_account"}
# Figures published by others, and our formulas on them.
PUBLISHED_ELSEWHERE = {
    *("national_fund_year", "national_maternity_year", "national_year_to_date", "local_disclosure"),
    "indicator_reproduction",
}
WITHOUT_REGION = NAMES | PUBLISHED_ELSEWHERE
# Empty until a month is closed, a voucher reviewed or a rule changed after the fact: test_closing.py,
# test_voucher_review.py, test_assessment.py.
UNTIL_CLOSED = {"close_checklist", "closed_period", "voucher_review", "supplementary_assessment"}
# Empty until forecasts are made: tests/integration/test_forecast.py.
UNTIL_FORECAST = {"forecast", "forecast_backtest", "reserve_outlook", "reserve_outlook_summary"}
# Empty as long as nobody is insured twice or late, or paid otherwise than is due: test_enrollment_marts.py,
# test_entitlement.py.
WITHOUT_A_CASE = {"double_participation", "late_joiner", "entitlement_difference"}
# By group of regions, seen by who may read all of its members: tests/integration/test_consolidation.py.
BY_GROUP = {"consolidated_statement", "consolidated_balance_sheet", "consolidation_elimination"}
MARTS = "SELECT relname FROM pg_class WHERE relnamespace = 'marts'::regnamespace AND relkind <> 'i' ORDER BY 1"
UNBOUND = """
    SELECT c.relname FROM pg_class AS c
    WHERE c.relnamespace = 'marts'::regnamespace AND c.relkind <> 'i' AND (
        c.relkind <> 'v' OR NOT coalesce(c.reloptions @> '{security_barrier=true}', false) OR NOT EXISTS (
            SELECT FROM pg_rewrite AS r
            INNER JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
            WHERE r.ev_class = c.oid AND d.refobjid = 'access.my_region'::regclass))
"""


def as_login(url: str, login: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{login}:{PASSWORD.replace(' ', '%20')}@{parts.hostname}:{parts.port}"))


def ask(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Rows of the last statement, all in one session."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        found = list(cursor.fetchall()) if cursor.description else []
        connection.commit()
    return found


@pytest.fixture(scope="module")
def warehouse(warehouse_factory: WarehouseFactory, published_template: tuple[str, Path]) -> Iterator[str]:
    """Published samples of two cities, the readers of LOGINS, and reg_nobody: a finance reader without a region."""
    url = warehouse_factory(template=published_template[0])
    for login, (role, regions) in LOGINS.items():
        add(url, login, regions, role, PASSWORD)
    ask(url, f"CREATE ROLE reg_nobody LOGIN PASSWORD '{PASSWORD}' IN ROLE finance_reader, supervisor_reader")
    yield url
    for login in LOGINS:
        remove(url, login)
    ask(url, "DROP ROLE reg_nobody")


def marts(url: str) -> list[str]:
    return [name for (name,) in ask(url, MARTS) if name not in WITHOUT_REGION | BY_GROUP]


def counts(url: str, mart: str) -> dict[str, int]:
    return dict(ask(url, f"SELECT region_code, count(*) FROM marts.{mart} GROUP BY 1"))


def test_every_mart_is_bound_also_one_added_later(warehouse: str) -> None:
    """A mart that neither has the barrier nor asks for the reader's regions shows up here."""
    assert {name for (name,) in ask(warehouse, UNBOUND)} == WITHOUT_REGION
    others = len(WITHOUT_REGION | BY_GROUP)
    assert ask(warehouse, f"SELECT count(*) FROM ({MARTS}) AS mart") == [(len(marts(warehouse)) + others,)]
    unbarred = "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND reloptions @> '{security_barrier=true}'"
    found = ask(warehouse, unbarred.replace("%s", f"ARRAY{sorted(WITHOUT_REGION)}"))
    assert {name for (name,) in found} == WITHOUT_REGION


def test_whatever_supervisors_read_of_the_checks_is_bound(warehouse: str) -> None:
    """A table of `quality` without row security, or a view without barrier and region test, shows up here.

    Only what came of a replay is said of a run, and holds no figure of a region.
    """
    unbound = """
        SELECT c.relname FROM pg_class AS c
        WHERE c.relnamespace = 'quality'::regnamespace AND has_table_privilege('supervisor_reader', c.oid, 'SELECT')
            AND NOT (c.relkind = 'r' AND c.relrowsecurity AND EXISTS (
                SELECT FROM pg_policy WHERE polrelid = c.oid AND polroles @> ARRAY['supervisor_reader'::regrole::oid]))
            AND NOT (c.relkind = 'v' AND coalesce(c.reloptions @> '{security_barrier=true}', false) AND EXISTS (
                SELECT FROM pg_rewrite AS r
                INNER JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                WHERE r.ev_class = c.oid AND d.refobjid = 'access.my_region'::regclass))
    """
    assert ask(warehouse, unbound) == [("replay_outcome",)]


def test_nothing_made_later_is_open_to_readers_by_itself(migrated_warehouse: str) -> None:
    ask(migrated_warehouse, "CREATE TABLE quality.later (); CREATE TABLE marts.mine ()")
    ask(migrated_warehouse, "SET ROLE fund_transform", "CREATE VIEW marts.later AS SELECT 1 AS x")
    for reader in ("finance_reader", "supervisor_reader"):
        for relation in ("quality.later", "marts.mine", "marts.later"):
            may = ask(migrated_warehouse, f"SELECT has_table_privilege('{reader}', '{relation}', 'SELECT')")
            assert may == [(False,)], (reader, relation)


def test_code_of_another_version_puts_no_views_over_these_tables(migrated_warehouse: str) -> None:
    ask(
        migrated_warehouse,
        "INSERT INTO fund_migrations._yoyo_migration (migration_hash, migration_id) VALUES ('x', '9999.later')",
    )
    for work in (deploy, build, check):
        with pytest.raises(SchemaVersionError, match="newer than this code"):
            work("later")


def test_each_reader_sees_the_regions_granted_and_all_of_them(warehouse: str) -> None:
    for mart in marts(warehouse):
        whole = counts(warehouse, mart)
        without = mart in UNTIL_CLOSED | UNTIL_FORECAST | WITHOUT_A_CASE
        assert whole.keys() == (set() if without else {NANJING, HUAINAN}), mart
        for login, (_, regions) in LOGINS.items():
            wanted = (
                whole if regions == ("all",) else {region: rows for region, rows in whole.items() if region in regions}
            )
            assert counts(as_login(warehouse, login), mart) == wanted, (login, mart)


def test_a_reader_without_regions_sees_names_and_comments_only(warehouse: str) -> None:
    nobody = as_login(warehouse, "reg_nobody")
    assert {mart: counts(nobody, mart) for mart in marts(warehouse)} == {mart: {} for mart in marts(warehouse)}
    assert ask(nobody, "SELECT count(*) > 0 FROM marts.account") == [(True,)]
    assert "试算平衡表" in ask(nobody, "SELECT obj_description('marts.trial_balance'::regclass)")[0][0]
    assert ask(nobody, "SELECT * FROM access.my_region") == []
    for table in ("check_result", "publication_decision", "arrived_file", "quarantine_open", "quarantine_open_amount"):
        assert ask(nobody, f"SELECT count(*) FROM quality.{table} WHERE region_code <> '-'") == [(0,)], table


def test_acting_as_the_group_shows_no_more(warehouse: str) -> None:
    for login in ("reg_nanjing", "reg_all"):
        rows = ask(as_login(warehouse, login), "SET ROLE finance_reader", "SELECT count(*) FROM marts.published_head")
        assert rows == [(0,)]


def test_the_pipeline_the_auditor_and_the_owner_see_every_region(
    warehouse: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Publication, checks, summary and reports are of all regions, whoever may read them."""
    monkeypatch.setenv("FUND_DATABASE_URL", warehouse)
    heads = "SELECT array_agg(region_code ORDER BY region_code) FROM marts.published_head"
    assert ask(warehouse, heads) == [([NANJING, HUAINAN],)]
    for role in ("fund_transform", "fund_quality", "fund_publisher", "auditor"):
        assert ask(warehouse, f"SET ROLE {role}", heads) == [([NANJING, HUAINAN],)], role
        if role != "fund_transform":
            seen = ask(
                warehouse, f"SET ROLE {role}", "SELECT DISTINCT region_code FROM quality.check_result ORDER BY 1"
            )
            assert seen == [(NANJING,), (HUAINAN,)], role
    with closing(connect("fund_quality")) as connection:
        regions = [candidate.region_code for candidate in read_candidates(connection, Settings.from_env())]
    assert regions == [NANJING, HUAINAN]
    told = summary("samples", Layout(tmp_path))
    assert "320100 南京市 Nanjing" in told
    assert "340400 淮南市 Huainan" in told


def test_a_function_of_the_readers_own_meets_no_foreign_row(warehouse: str) -> None:
    """It is as cheap as can be and keeps what it is given: without the barrier it would run before the region test."""
    for mart in (*marts(warehouse), "general_ledger"):
        kept = ask(
            as_login(warehouse, "reg_nanjing"),
            "CREATE TEMP TABLE kept (region_code text)",
            "CREATE FUNCTION pg_temp.keep(r text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
            " $$ BEGIN IF r <> '320100' THEN INSERT INTO kept VALUES (r); END IF; RETURN true; END $$",
            f"SELECT count(*) FROM marts.{mart} WHERE pg_temp.keep(region_code)",
            "SELECT count(*) FROM kept",
        )
        assert kept == [(0,)], mart


@pytest.mark.parametrize(
    "relation", ["check_result", "publication_decision", "arrived_file", "quarantine_open", "quarantine_open_amount"]
)
def test_nor_does_it_in_what_supervisors_see(warehouse: str, relation: str) -> None:
    kept = ask(
        as_login(warehouse, "reg_supervisor"),
        "CREATE TEMP TABLE kept (region_code text)",
        "CREATE FUNCTION pg_temp.keep(r text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
        " $$ BEGIN IF r NOT IN ('320100', '-') THEN INSERT INTO kept VALUES (r); END IF; RETURN true; END $$",
        f"SELECT count(*) FROM quality.{relation} WHERE pg_temp.keep(region_code)",
        "SELECT count(*) FROM kept",
    )
    assert kept == [(0,)]


def test_an_error_tells_nothing_of_foreign_rows(warehouse: str) -> None:
    """Division by zero on the rows of another city would prove that they exist."""
    query = f"SELECT count(*) FROM marts.general_ledger WHERE region_code = '{HUAINAN}' AND 1 / (debit_amount * 0) = 1"
    assert ask(as_login(warehouse, "reg_nanjing"), query) == [(0,)]
    with pytest.raises(psycopg2.errors.DivisionByZero):
        ask(as_login(warehouse, "reg_huainan"), query)


def test_plans_do_not_touch_foreign_lines(warehouse: str) -> None:
    """The reader's heads come first, so that not even the counts of EXPLAIN ANALYZE tell of other regions."""
    ask(warehouse, "ANALYZE ledger.publication")
    own = ("personal_account_balance", "contribution_arrears", "institution_settlement")
    for mart in ("general_ledger", "maternity_expenditure", "trial_balance", *own):
        query = f"EXPLAIN (ANALYZE) SELECT * FROM marts.{mart} WHERE region_code = '{HUAINAN}'"
        plan = [line for (line,) in ask(as_login(warehouse, "reg_nanjing"), query)]
        scans = [line for line in plan if re.search(r" on (journal_line|\w+_turnover|institution_settled) ", line)]
        assert scans
        assert all("never executed" in line or "rows=0.00" in line for line in scans), (mart, scans)


FORCED = (
    "SET enable_nestloop = off",
    "SET enable_nestloop = off; SET enable_hashjoin = off",
    "SET enable_nestloop = off; SET enable_indexscan = off; SET enable_bitmapscan = off",
)


@pytest.mark.parametrize("forced", FORCED)
def test_no_plan_of_the_readers_choice_counts_a_person_elsewhere(warehouse: str, forced: str) -> None:
    """Without a condition on the scan itself EXPLAIN ANALYZE tells how many lines a person has elsewhere."""
    lines = f"FROM marts.general_ledger WHERE region_code = '{HUAINAN}' AND person_no IS NOT NULL"
    ((person, occurred_on),) = ask(warehouse, f"SELECT person_no, occurred_on {lines} ORDER BY 1, 2 LIMIT 1")
    for condition in (f"person_no = '{person}'", f"occurred_on = '{occurred_on}' AND source_system = 'huainan'"):
        query = f"SELECT count(*) FROM marts.general_ledger WHERE {condition}"
        plan = ask(as_login(warehouse, "reg_nanjing"), forced, f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")[0][0]
        found = [node for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") in ("journal_line", "event")]
        filtered = [node for node in found if "person_no" in str(node) or "source_system" in str(node)]
        assert filtered
        assert {node["Actual Rows"] for node in filtered} == {0}, condition
    query = f"SELECT count(*) FROM marts.personal_account_balance WHERE person_no = '{person}'"
    plan = ask(as_login(warehouse, "reg_nanjing"), forced, f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")[0][0]
    found = [node for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") == "personal_account_turnover"]
    assert found
    assert {node["Actual Rows"] for node in found} == {0}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes, each without those below it."""
    yield {key: value for key, value in plan.items() if key != "Plans"}
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def test_statistics_are_hidden(warehouse: str) -> None:
    for view in ("pg_stats", "pg_stats_ext"):
        visible = ask(
            as_login(warehouse, "reg_nanjing"),
            f"SELECT DISTINCT schemaname FROM {view} WHERE schemaname <> 'pg_catalog'",
        )
        assert {name for (name,) in visible} <= {"information_schema"}
    others = "SELECT query FROM pg_stat_activity WHERE usename <> current_user AND query <> '<insufficient privilege>'"
    assert ask(as_login(warehouse, "reg_nanjing"), others) == []


def test_supervisors_see_checks_and_files_of_their_regions(warehouse: str) -> None:
    supervisor = as_login(warehouse, "reg_supervisor")
    ask(
        warehouse,
        "INSERT INTO quality.finding (run_id, region_code, code, finding_key, item, first_seen_run, first_seen_at)"
        f" SELECT 'r', code, 'B01', 'x', '{{}}', 'r', now() FROM unnest(ARRAY['{NANJING}', '{HUAINAN}']) AS code",
    )
    for table in ("check_result", "publication_decision", "finding"):
        assert ask(supervisor, f"SELECT DISTINCT region_code FROM quality.{table}") == [(NANJING,)]
    own = ask(supervisor, "SELECT count(*), sum(loaded), sum(quarantined) FROM quality.arrived_file")
    log = ask(warehouse, f"SELECT max(seq) FROM events.event WHERE region_code = '{NANJING}'")
    assert own[0][1] == log[0][0], "its own rows of every file, those of the shared bank file too"
    assert {code for (code,) in ask(supervisor, "SELECT DISTINCT region_code FROM quality.arrived_file")} == {NANJING}
    aside = ask(warehouse, f"SELECT count(*) FROM events.quarantine WHERE region_code = '{NANJING}'")
    assert own[0][2] == aside[0][0]
    assert ask(supervisor, "SELECT state FROM quality.arrived_file WHERE file_name LIKE '%resent%'") == [
        ("duplicate_file",)
    ]
    columns = "SELECT attname FROM pg_attribute WHERE attrelid = 'quality.quarantine_open'::regclass AND attnum > 0"
    assert not {"raw", "canonical"} & {name for (name,) in ask(warehouse, columns)}


def test_rows_set_aside_go_to_the_regions_they_may_belong_to(warehouse: str) -> None:
    """Unreadable region: every region of the source; a source that has never sent anything: all supervisors."""
    ask(
        warehouse,
        "INSERT INTO events.file_registry (source_system, file_name, sha256, size_bytes, first_seen_at)"
        " VALUES ('huainan', 'r1', repeat('a', 64), 1, now()),"
        " ('nanjing', 'r2', repeat('b', 64), 1, now()), ('newcomer', 'r3', repeat('c', 64), 1, now())",
        "INSERT INTO events.quarantine (file_id, line_no, region_code, source_system, error_codes, messages, raw,"
        " amount, quarantined_at) SELECT file_id, 2, NULL, source_system, '{E-X}', '{m}', 'secret', 5, now()"
        " FROM events.file_registry WHERE file_name IN ('r1', 'r2', 'r3')",
        "INSERT INTO events.file_outcome (file_id, attempt_no, state, rows, quarantined, reader_key, finished_at)"
        " SELECT file_id, 1, 'loaded', 1, 1, 'k', now() FROM events.file_registry"
        " WHERE file_name IN ('r1', 'r2', 'r3')",
    )
    supervisor = as_login(warehouse, "reg_supervisor")
    query = "SELECT region_code, file_name, amount::int FROM quality.quarantine_open ORDER BY 2"
    assert ask(supervisor, query) == [(NANJING, "r2", 5), ("-", "r3", 5)]
    amounts = "SELECT region_code, region_readable, source_system, amount::int FROM quality.quarantine_open_amount"
    assert ask(supervisor, f"{amounts} ORDER BY 3") == [(NANJING, False, "nanjing", 5), ("-", False, "newcomer", 5)]
    columns = "region_code, file_name, still_open, open_amount::int"
    files = f"SELECT {columns} FROM quality.arrived_file WHERE still_open > 0 ORDER BY 2"
    assert ask(supervisor, files) == [(NANJING, "r2", 1, 5), ("-", "r3", 1, 5)]
    assert len(ask(warehouse, files)) == 3


def test_a_group_hands_its_regions_to_its_members(warehouse: str) -> None:
    ask(
        warehouse,
        "CREATE ROLE reg_group IN ROLE finance_reader",
        "GRANT reg_group TO reg_nobody",
        "INSERT INTO access.region_grant (reader, reader_role, region_code)"
        " VALUES ('reg_group', 'reg_group', '340400')",
    )
    try:
        assert counts(as_login(warehouse, "reg_nobody"), "published_head") == {HUAINAN: 1}
    finally:
        ask(warehouse, "DROP ROLE reg_group")
    assert counts(as_login(warehouse, "reg_nobody"), "published_head") == {}
    ask(warehouse, "CREATE ROLE reg_group", "GRANT reg_group TO reg_nobody")
    assert counts(as_login(warehouse, "reg_nobody"), "published_head") == {}, (
        "a new role of an old name inherits nothing"
    )
    ask(warehouse, "DROP ROLE reg_group")


def test_a_right_ends_when_it_is_revoked_and_stays_on_record(warehouse: str) -> None:
    add(warehouse, "reg_leaving", ["all"], "finance_reader", PASSWORD)
    try:
        assert len(counts(as_login(warehouse, "reg_leaving"), "published_head")) == 2
        revoked = "revoked_at = clock_timestamp(), revoked_by = session_user"
        revoke = f"UPDATE access.region_grant SET {revoked} WHERE reader = 'reg_leaving'"
        ask(warehouse, revoke)
        assert counts(as_login(warehouse, "reg_leaving"), "published_head") == {}
        for change in (
            revoke,
            "UPDATE access.region_grant SET region_code = '320100' WHERE reader = 'reg_all'",
            "UPDATE access.region_grant SET revoked_at = NULL, revoked_by = NULL WHERE reader = 'reg_leaving'",
            "DELETE FROM access.region_grant",
            "TRUNCATE access.region_grant",
        ):
            with pytest.raises(psycopg2.errors.RestrictViolation):
                ask(warehouse, change)
    finally:
        remove(warehouse, "reg_leaving")


def test_the_same_right_is_given_once(warehouse: str) -> None:
    again = sql.SQL("INSERT INTO access.region_grant (reader, reader_role) VALUES ('reg_all', 'reg_all')")
    with closing(psycopg2.connect(warehouse)) as connection, pytest.raises(psycopg2.errors.UniqueViolation):
        connection.cursor().execute(again)
