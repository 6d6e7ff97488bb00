"""The marts as finance staff meet them: columns in the contract's order, comments, rights, redeployment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor

from ingestion.database import connect
from runtime import dbt

CONTRACT = """
general_ledger: region_code fund_code accounting_month entry_id line_no entry_kind voucher_no posting_date summary
    account_code account_name sub_fund debit_amount credit_amount event_seq event_type occurred_on recorded_at
    original_month reverses_entry_id person_no employer_no institution_code benefit_item claim_no receipt_no
    source_system source_file source_line
trial_balance: region_code fund_code accounting_month account_code account_name sub_fund opening_balance debit_amount
    credit_amount closing_balance
income_expenditure_statement: region_code fund_code accounting_month line_code line_name sub_fund amount_month
    amount_year_to_date year_to_date_complete
balance_sheet: region_code fund_code accounting_month line_code line_name sub_fund opening_amount closing_amount
maternity_expenditure: region_code fund_code accounting_month benefit_item payment_method account_code claim_count
    person_count amount
voucher: region_code fund_code accounting_month voucher_no posting_date business_type entry_count debit_amount
    credit_amount attachment_count prepared_by reviewed_by
personal_account_balance: region_code fund_code accounting_month person_no credited_amount interest_amount paid_amount
    closing_balance
contribution_arrears: region_code employer_no contribution_month insurance_type enrollment_category assessed_amount
    collected_amount refunded_amount arrears_amount months_overdue
institution_settlement: region_code institution_code accounting_month settled_amount paid_amount deposit_withheld_amount
    advance_balance unpaid_amount claim_count direct_settlement_share
person_insured_month: region_code person_no insured_month insurance_type status psn_insu_stas enrollment_category
    worker_group employer_no insured_from insured_until insured_days contribution_base is_covered_for_maternity
    maternity_coverage end_reason
insured_count: region_code insured_month insurance_type enrollment_category worker_group person_count
    person_in_month_count joined_count left_count moved_in_count moved_out_count new_form_count migrant_count
    maternity_covered_count employer_count category_employer_count
enrollment_gap: region_code gap_month period gap_kind gap_name_zh gap_name_en is_gap employer_no employer_name
    employer_type person_count person_at_month_end_count person_still_open_count gap_days base_amount missed_amount
    person_without_amount_count since clause
statement_account: statement line_code account_code entry_kind sub_fund shown_as by_sub_fund sign effective_from
    effective_to
reserve_outlook: region_code scenario_code outlook_month pooled_balance pooled_income pooled_expenditure
    months_in_reserve months_in_reserve_lower months_in_reserve_upper pooled_balance_lower pooled_balance_upper horizon
    start_month employer_rate due_share income_per_rate contribution_income maternity_expenditure
    expenditure_last_12_months months_counted
published_head: region_code seq batch_hash rules_sha256 published_at run_id
"""
READERS = ("finance_reader", "supervisor_reader", "auditor", "fund_quality")

TURNOVER = """
INSERT INTO ledger.account_turnover
    (region_code, fund_code, accounting_month, account_code, sub_fund, entry_kind, batch_id, last_seq,
     debit_amount, credit_amount, line_count)
VALUES ('320100', 'EMI', '2020-03-01', '1005', 'shared', 'normal', 1, 4, 100.00, 0, 1),
       ('320100', 'EMI', '2020-03-01', '400101', 'pooled', 'normal', 1, 4, 0, 100.00, 1),
       ('320100', 'EMI', '2020-03-01', '1005', 'shared', 'normal', 2, 9, 7.00, 0, 1),
       ('320100', 'EMI', '2020-03-01', '400101', 'pooled', 'normal', 2, 9, 0, 7.00, 1);
INSERT INTO ledger.built_head (region_code, batch_id, seq, batch_hash, run_id, built_at)
VALUES ('320100', 2, 9, '\\x00', 'r2', now())
"""
PUBLICATION = """
INSERT INTO ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)
VALUES ('320100', 4, 1, '\\x00', '-', 'r1')
"""
GRANT = "INSERT INTO access.region_grant (reader, reader_role) VALUES ('finance_reader', 'finance_reader')"
COLUMNS = """
SELECT c.relname, string_agg(a.attname, ' ' ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'marts'::regnamespace GROUP BY c.relname
"""
UNDESCRIBED = """
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'marts'::regnamespace
    AND (coalesce(col_description(c.oid, a.attnum), '') !~ '[一-龥].* / .*[a-z]'
        OR coalesce(obj_description(c.oid), '') !~ '[一-龥].* / .*[a-z]')
"""
RELATIONS = """
SELECT n.nspname, c.relname, c.relkind, c.relacl::text, c.reloptions::text, obj_description(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('policy', 'staging', 'ledger', 'marts') AND c.relkind IN ('r', 'v') ORDER BY 1, 2
"""
FUNCTIONS = """
SELECT p.oid::regprocedure::text, pg_get_function_result(p.oid), obj_description(p.oid)
FROM pg_proc p WHERE p.pronamespace = 'marts'::regnamespace ORDER BY 1
"""


@contextmanager
def session(role: str) -> Iterator[Cursor]:
    with closing(connect(role=role, autocommit=True)) as connection, connection.cursor() as cursor:
        yield cursor


def rows(role: str, query: str) -> list[tuple[Any, ...]]:
    with session(role) as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def contract() -> dict[str, str]:
    """View -> its columns in order."""
    views = re.findall(r"(?m)^(\w+): ([^:]+)(?=^\w+:|\Z)", CONTRACT)
    return {view: " ".join(columns.split()) for view, columns in views}


@pytest.fixture
def deployed(deployed_warehouse: str) -> str:
    """A warehouse with hand-made turnover of two batches, the first of them published."""
    with session("fund_transform") as cursor:
        cursor.execute(TURNOVER)
    with session("fund_publisher") as cursor:
        cursor.execute(PUBLICATION)
    with closing(connect(autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(GRANT)
    return deployed_warehouse


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("deployed")
def test_marts_keep_their_contract_and_survive_a_redeployment() -> None:
    found = dict(rows("auditor", COLUMNS))
    assert {view: found.get(view) for view in contract()} == contract()
    assert rows("auditor", UNDESCRIBED) == [], "a table or column without Chinese and English"
    check_rights()
    check_bounds()

    before = rows("fund_transform", RELATIONS), rows("fund_transform", FUNCTIONS)
    with session("fund_transform") as cursor:
        cursor.execute("INSERT INTO ledger.deployment (code_sha256) VALUES ('older code')")
    assert dbt.deploy("second")
    assert (rows("fund_transform", RELATIONS), rows("fund_transform", FUNCTIONS)) == before
    check_bounds()
    assert not dbt.deploy("third"), "nothing has changed"


def check_rights() -> None:
    for role in READERS:
        for view in contract():
            rows(role, f"SELECT * FROM marts.{view} LIMIT 1")
    beyond = ("finance_reader", "ledger.account_turnover"), ("finance_reader", "events.event")
    for role, relation in (*beyond, ("supervisor_reader", "ledger.candidate_trial_balance")):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            rows(role, f"SELECT 1 FROM {relation}")


def check_bounds() -> None:
    """Marts end with the published head, the candidate with the built one."""
    query = "SELECT amount_month::text FROM {} WHERE line_code = 'I11' AND sub_fund = 'total'"
    assert rows("finance_reader", query.format("marts.income_expenditure_statement")) == [("100.00",)]
    assert rows("fund_quality", query.format("ledger.candidate_income_expenditure_statement")) == [("107.00",)]
