"""The layout of statements goes by accounting month: a change shows from its month on, and never in a closed one."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from posting_log import PostingLog

from ingestion.database import connect
from runtime import dbt
from tests.integration.cut_log import publish_built

CITY = "320100"
OPENING = {"family": "treasury", "event_type": "balance.opened", "fund_code": "EMI", "occurred_on": "2020-01-01"}
CLAIM = {
    "event_type": "claim.paid",
    "insurance_type": "310",
    "enrollment_category": "employee",
    "benefit_item": "nutrition_subsidy",
    "pay_account": "expenditure",
    "pooled_amount": 100,
    "personal_account_amount": 0,
}
CLOSED = {"event_type": "period.closed", "family": "control", "occurred_on": "2020-02-29"}
# The nutrition subsidy moves into medical expenditure, and temporary payments to the bonds, from March 2020 on.
MOVES = """
update policy.statement_line_account set effective_to = '2020-02-01'
    where (line_code, account_prefix) in (('E1132', '5001010303'), ('A60', '1101'));
insert into policy.statement_line_account (line_code, account_prefix, entry_kind, sub_fund, effective_from) values
    ('E1131', '5001010303', 'normal', 'any', '2020-03-01'), ('A70', '1101', 'any', 'any', '2020-03-01')
"""
STATEMENT = """
    select * from marts.income_expenditure_statement where accounting_month {} date '2020-03-01' order by 1, 2, 3, 4, 6
"""
SHEET = "select * from marts.balance_sheet where accounting_month {} date '2020-03-01' order by 1, 2, 3, 4, 6"
HASHES = "select statement_sha256, balance_sheet_sha256 from marts.figures_sha256(%s, %s, %s)"


def ask(statement: str, *values: object, role: str = "fund_transform") -> list[tuple[Any, ...]]:
    with closing(connect(role=role, autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall()) if cursor.description else []


def read(statement: str, *values: object) -> list[tuple[Any, ...]]:
    return ask(statement, *values, role="fund_quality")


def amounts(month: str, *lines: str) -> dict[str, tuple[int, int]]:
    """Month and year to date of lines of the statement; opening and closing of lines of the balance sheet."""
    found = read(
        "select line_code, amount_month::integer, amount_year_to_date::integer from marts.income_expenditure_statement"
        " where accounting_month = %(month)s and sub_fund = 'total' and line_code = any(%(lines)s)"
        " union all select line_code, opening_amount::integer, closing_amount::integer from marts.balance_sheet"
        " where accounting_month = %(month)s and sub_fund = 'total' and line_code = any(%(lines)s)".replace(
            "%(month)s", f"'{month}-01'"
        ).replace("%(lines)s", f"array{list(lines)}")
    )
    return {code: (first, second) for code, first, second in found}


def differing(function: str, mart: str, seq: int) -> list[tuple[Any, ...]]:
    """Months whose rows as of `seq`, the published head, are not those of the mart."""
    return read(
        f"with given as (select row.* from generate_series(date '2020-01-01', '2021-02-01', '1 month') as month (at)"
        f" cross join lateral marts.{function}('{CITY}', 'EMI', month.at::date, {seq}) as row)"
        f" (select 'mart', mart.* from marts.{mart} as mart except all select 'mart', * from given)"
        f" union all (select 'as of', * from given except all select 'as of', mart.* from marts.{mart} as mart)"
    )


@pytest.fixture
def books(deployed_warehouse: str) -> int:  # noqa: ARG001
    """January 2020 to February 2021: 100 of nutrition subsidy a month, and 1,000 of temporary payments opened."""
    log = PostingLog(CITY)
    log.add(
        OPENING | {"account": "special_demand", "amount": 9000},
        OPENING | {"account": "temporary_payment", "amount": 1000},
        recorded_at="2020-01-02 09:00:00+08",
    )
    months = [(2020, month) for month in range(1, 13)] + [(2021, 1), (2021, 2)]
    last = 0
    for place, (year, month) in enumerate(months):
        day = f"{year}-{month:02d}-15"
        last = log.add(CLAIM | {"occurred_on": day, "claim_no": f"C{place}"}, recorded_at=f"{day} 12:00:00+08")
    dbt.build("books")
    publish_built("books")
    return last


@pytest.mark.timeout(600)
def test_a_change_of_layout_shows_from_its_month_on(books: int) -> None:
    earlier = [read(figures.format("<")) for figures in (STATEMENT, SHEET)]
    signed = read(HASHES, CITY, "2020-02-01", books)
    assert amounts("2020-02", "E1131", "E1132", "A60", "A70") == {
        "E1131": (0, 0), "E1132": (100, 200), "A60": (1000, 1000), "A70": (0, 0)
    }  # fmt: skip

    ask(MOVES)
    assert [read(figures.format("<")) for figures in (STATEMENT, SHEET)] == earlier
    assert read(HASHES, CITY, "2020-02-01", books) == signed
    assert read(HASHES, CITY, "2020-03-01", books) != signed
    # Of movements the year keeps the months as they were laid out; balances go along with their account.
    assert amounts("2020-04", "E113", "E1131", "E1132", "E1133", "A60", "A70", "A90") == {
        "E113": (100, 400), "E1131": (100, 200), "E1132": (0, 200), "E1133": (100, 400),
        "A60": (0, 0), "A70": (1000, 1000), "A90": (9700, 9600),
    }  # fmt: skip
    assert amounts("2020-03", "A60", "A70") == {"A60": (0, 0), "A70": (1000, 1000)}
    assert amounts("2021-02", "E1131", "E1132") == {"E1131": (100, 200), "E1132": (0, 0)}
    assert differing("statement_as_of", "income_expenditure_statement", books) == []
    assert differing("balance_sheet_as_of", "balance_sheet", books) == []
    assert read(f"select sum(amount) from marts.explain('{CITY}', 'EMI', '2020-02-01', 'E1132')") == [(100,)]
    assert read(f"select count(*) from marts.explain('{CITY}', 'EMI', '2020-03-01', 'E1132')") == [(0,)]
    assert read(f"select sum(amount) from marts.explain('{CITY}', 'EMI', '2020-03-01', 'A70')") == [(1000,)]


@pytest.mark.exhaustive
@pytest.mark.usefixtures("deployed_warehouse")
def test_the_layout_of_closed_months_is_kept() -> None:
    """The table stands for the older seed: where it differs from the file, the file has been edited."""
    PostingLog(CITY).add(CLOSED | {"accounting_month": "2020-02-01"}, recorded_at="2020-03-05 09:00:00+08")

    def load() -> None:
        dbt._run("layout", "seed", ["seed", "--select", "statement_line", "statement_line_account"])

    # An older layout that the file seems to have taken up again in March, other names, another order.
    ask(MOVES)
    ask("update policy.statement_line set name_zh = '旧名', line_order = line_order + 1, formula = 'in other words'")
    load()
    assert ask("select count(*) from policy.statement_line_account where effective_to is not null") == [(0,)]

    for edit, refused in (
        ("update policy.statement_line_account set line_code = 'E1131' where account_prefix = '50011003'", "E1131"),
        ("update policy.statement_line_account set effective_to = '2020-01-01' where line_code = 'E20'", "2020-02"),
        ("delete from policy.statement_line_account where line_code = 'E30'", "E30"),
    ):
        held = ask("select * from policy.statement_line_account order by 1, 2, 3")
        ask(edit)
        with pytest.raises(dbt.DbtError, match=f"the layout of closed months was changed[^$]*{refused}"):
            load()
        ask("delete from policy.statement_line_account")
        with closing(connect(role="fund_transform", autocommit=True)) as connection, connection.cursor() as cursor:
            cursor.executemany("insert into policy.statement_line_account values (%s, %s, %s, %s, %s, %s)", held)
