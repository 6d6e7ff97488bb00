"""`marts.explain`: the rows behind a figure add up to it, for every figure there is."""

from __future__ import annotations

import os
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.oracle.generator import Shape, generate
from tests.oracle.system import System

pytestmark = pytest.mark.slow

Rows = list[tuple[Any, ...]]

FIGURES = """
with figure as (
    select region_code, fund_code, accounting_month, line_code, sub_fund, amount_month as amount
    from marts.income_expenditure_statement
    union all
    select region_code, fund_code, accounting_month, line_code, sub_fund, closing_amount
    from marts.balance_sheet
),

told as (
    select asked.*, row.sub_fund, sum(row.amount) as amount
    from (select distinct region_code, fund_code, accounting_month, line_code from figure) as asked
    cross join lateral marts.explain(
        asked.region_code, asked.fund_code, asked.accounting_month, asked.line_code
    ) as row
    group by 1, 2, 3, 4, 5
),

summed as (
    select region_code, fund_code, accounting_month, line_code, sub_fund, amount from told
    union all
    select region_code, fund_code, accounting_month, line_code, 'total', sum(amount) from told group by 1, 2, 3, 4
)

select figure.*, coalesce(summed.amount, 0) as told
from figure
left join summed using (region_code, fund_code, accounting_month, line_code, sub_fund)
order by 1, 2, 3, 4, 5
"""
EXPLAIN = "select {} from marts.explain('{}', '{}', '{}-01', '{}')"


def ask(url: str, query: str, role: str = "fund_quality") -> Rows:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"set role {role}")
        cursor.execute(query)
        return cursor.fetchall()


def check_every_figure(url: str) -> Rows:
    figures = ask(url, FIGURES)
    wrong = [row for row in figures if row[5] != row[6]]
    assert wrong == [], f"{len(wrong)} of {len(figures)} figures are not the sum of their rows"
    assert sum(1 for row in figures if row[5] != 0) > len(figures) // 4, "hardly a figure to explain"
    return figures


def test_every_figure_of_the_samples_is_the_sum_of_its_rows(published_samples: str) -> None:
    figures = check_every_figure(published_samples)
    explained = {(row[1], row[3]) for row in figures if row[5] != 0}
    for line in ("S10", "S20", "S25", "S30", "N10", "N20", "N90", "T90", "A90", "E113"):
        assert ("EMI", line) in explained


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("deployed_warehouse")
@pytest.mark.parametrize("seed", [3])
def test_every_figure_of_random_books_is_the_sum_of_its_rows(fund_environment: Path, seed: int) -> None:
    """Red entries, corrections over the year end, the merger and what follows it late."""
    system = System(fund_environment / "landing")
    system.take(generate(seed, Shape(size=4, runs=2, slots=1, bad_rows=5)))
    check_every_figure(os.environ["FUND_DATABASE_URL"])


def test_rows_lead_to_the_source_and_carry_the_statements_sign(published_samples: str) -> None:
    merged = ask(
        published_samples,
        EXPLAIN.format(
            "account_code, sub_fund, entry_kind, voucher_no, event_type, source_file, amount",
            "340400",
            "MAT",
            "2019-12",
            "S25",
        ),
    )
    assert [(*row[:5], row[5].rpartition("_")[0]) for row in merged] == [
        ("3001", "pooled", "merger", 1, "fund.merged", "hn_treasury")
    ]
    assert merged[0][6] < 0, "what goes out of the maternity fund"

    rows = ask(published_samples, EXPLAIN.format("*", "320100", "EMI", "2020-03", "E11"))
    assert len(rows) > 100
    assert all(value is not None for row in rows for value in row)
    assert rows == sorted(rows, key=lambda row: (row[1], row[3], row[8], row[10], row[5], row[6]))


def test_what_is_brought_forward_is_one_row_an_account(published_samples: str) -> None:
    rows = ask(
        published_samples,
        EXPLAIN.format("account_code, sub_fund, entry_id is null, amount", "320100", "EMI", "2020-03", "A90"),
    )
    brought = {(account, sub_fund): amount for account, sub_fund, is_brought, amount in rows if is_brought}
    opening = ask(
        published_samples,
        "select account_code, sub_fund, opening_balance from marts.trial_balance where region_code = '320100'"
        " and fund_code = 'EMI' and accounting_month = '2020-03-01' and account_code < '2' and opening_balance <> 0",
    )
    assert brought == {(account, sub_fund): amount for account, sub_fund, amount in opening}
    statement = ask(published_samples, EXPLAIN.format("entry_id is null", "320100", "EMI", "2020-03", "S20"))
    assert {is_brought for (is_brought,) in statement} == {True}, "a balance at the beginning has no entries"


def test_a_day_within_the_month_asks_for_the_month(published_samples: str) -> None:
    first, within = (
        ask(published_samples, f"select sum(amount) from marts.explain('320100', 'EMI', '2020-03-{day}', 'E90')")
        for day in ("01", "17")
    )
    assert first == within
    assert first[0][0] > Decimal(0)


def test_the_function_runs_with_the_readers_own_rights(published_samples: str) -> None:
    assert ask(published_samples, EXPLAIN.format("*", "320100", "EMI", "2020-03", "E90"), role="finance_reader") == []
    definer = ask(published_samples, "select prosecdef from pg_proc where oid = 'marts.explain'::regproc")
    assert definer == [(False,)]
