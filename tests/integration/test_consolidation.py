"""A province and two of its cities as one group: figures worked out by hand, and who sees them.

Books of 2020 (yuan), all in fund EMI, pooled. P is the province 990000, A and B its cities 990100 and 990200.
January   openings P 50,000, A 10,000, B 8,000; P pays A 3,000, A has it two days later;
          B remits 500, which P has in February
February  P has B's 500; P pays B 2,000, B has it; P pays 700 to 990900 (not a member) and 60 to nobody named;
          P receives 1,000 from 100000 (not a member)
March     A receives 400 of other income, P 10; B has no books for March yet
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from posting_log import Fact, PostingLog

from ingestion.database import connect
from runtime import dbt
from runtime.reader_accounts import add, remove

P, A, B = "990000", "990100", "990200"
GROUP = "990000"
READERS = {"cons_province": (P, A, B), "cons_two": (P, A), "cons_all": ("all",)}
PASSWORD = "a-password-for-tests"
VIEWS = ("consolidated_statement", "consolidated_balance_sheet", "consolidation_elimination", "consolidation_head")
pytestmark = pytest.mark.timeout(900)


def moved(event_type: str, on: str, amount: int, counterparty: str | None = None) -> Fact:
    return {
        "event_type": event_type,
        "occurred_on": on,
        "fund_code": "EMI",
        "sub_fund": "pooled",
        "account": "special_demand",
        "amount": amount,
        "counterparty": counterparty,
    }


def opened(amount: int) -> Fact:
    return moved("balance.opened", "2020-01-01", amount) | {"sub_fund": None}


BOOKS: dict[str, list[Fact]] = {
    P: [
        opened(50000),
        moved("subsidised.down", "2020-01-10", 3000, A),
        moved("subordinate.received", "2020-02-03", 500, B),
        moved("subsidised.down", "2020-02-10", 2000, B),
        moved("subsidised.down", "2020-02-12", 700, "990900"),
        moved("subsidised.down", "2020-02-13", 60),
        moved("superior.received", "2020-02-14", 1000, "100000"),
        moved("other.received", "2020-03-02", 10),
    ],
    A: [
        opened(10000),
        moved("superior.received", "2020-01-12", 3000),
        moved("other.received", "2020-03-05", 400),
    ],
    B: [
        opened(8000),
        moved("remitted.up", "2020-01-20", 500, P),
        moved("superior.received", "2020-02-11", 2000, P),
    ],
}


def ask(url: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture(scope="module")
def warehouse(
    warehouse_factory: Callable[..., str],
    deployed_template: tuple[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Three regions built and published; URL of a user who owns everything."""
    template, parsed = deployed_template
    local = tmp_path_factory.mktemp("consolidation")
    shutil.copytree(parsed / "dbt" / "target", local / "dbt" / "target")
    url = warehouse_factory(template=template)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", url)
        patch.setenv("FUND_LOCAL_DIR", str(local))
        with closing(connect(role="fund_transform")) as connection, connection, connection.cursor() as cursor:
            for region in BOOKS:
                cursor.execute(
                    "insert into policy.policy_region (region_code, name_zh, name_en, merger_date, known_from)"
                    " values (%s, '算例', 'Example', '2020-01-01', '2018-01-01')",
                    (region,),
                )
                cursor.execute(
                    "insert into policy.consolidation_member"
                    " (group_code, group_name_zh, group_name_en, region_code, parent_region_code, effective_from)"
                    " values (%s, '算例省', 'Example province', %s, %s, '2018-01-01')",
                    (GROUP, region, None if region == P else P),
                )
        for region, facts in BOOKS.items():
            PostingLog(region).add(*facts)
        dbt.build("consolidation")
        publish("first")
        for login, regions in READERS.items():
            add(url, login, regions, "finance_reader", PASSWORD)
        yield url
        for login in READERS:
            remove(url, login)


def publish(run_id: str) -> None:
    with closing(connect(role="fund_publisher", autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)"
            " select distinct on (region_code) region_code, seq, batch_id, batch_hash, '-', %s from ledger.built_head"
            " order by region_code, seq desc on conflict do nothing",
            (run_id,),
        )


def as_reader(url: str, login: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{login}:{PASSWORD}@{parts.hostname}:{parts.port}"))


def statement(
    url: str, month: str, column: str, sub_fund: str = "total"
) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """Line -> (sum of members, eliminated, consolidated), lines of zero left out."""
    found = ask(
        url,
        f"select line_code, member_sum_{column}, eliminated_{column}, consolidated_{column}"
        " from marts.consolidated_statement"
        " where group_code = %s and fund_code = 'EMI' and accounting_month = %s and sub_fund = %s",
        GROUP,
        f"{month}-01",
        sub_fund,
    )
    assert len(found) == 32
    return {line: amounts for line, *amounts in found if any(amounts)}  # type: ignore[misc]


def figures(**lines: tuple[int, int, int]) -> dict[str, list[Decimal]]:
    return {line: [Decimal(amount) for amount in amounts] for line, amounts in lines.items()}


def test_january_leaves_what_is_in_transit(warehouse: str) -> None:
    assert statement(warehouse, "2020-01", "month") == figures(
        I70=(3000, 3000, 0),
        I90=(3000, 3000, 0),
        E60=(3000, 3000, 0),
        E70=(500, 0, 500),
        E90=(3500, 3000, 500),
        S10=(-500, 0, -500),
        S25=(68000, 0, 68000),
        S30=(67500, 0, 67500),
    )


def test_february_leaves_what_crosses_the_border(warehouse: str) -> None:
    month = figures(
        I70=(3000, 2000, 1000),
        I80=(500, 0, 500),
        I90=(3500, 2000, 1500),
        E60=(2760, 2000, 760),
        E90=(2760, 2000, 760),
        S10=(740, 0, 740),
        S20=(67500, 0, 67500),
        S30=(68240, 0, 68240),
    )
    assert statement(warehouse, "2020-02", "month") == month
    to_date = figures(
        I70=(6000, 5000, 1000),
        I80=(500, 500, 0),
        I90=(6500, 5500, 1000),
        E60=(5760, 5000, 760),
        E70=(500, 500, 0),
        E90=(6260, 5500, 760),
        S10=(240, 0, 240),
        S25=(68000, 0, 68000),
        S30=(68240, 0, 68240),
    )
    assert statement(warehouse, "2020-02", "year_to_date") == to_date
    assert statement(warehouse, "2020-02", "year_to_date", "pooled") == to_date
    assert statement(warehouse, "2020-02", "year_to_date", "personal") == {}


def test_a_month_that_a_member_lacks_is_marked(warehouse: str) -> None:
    found = ask(
        warehouse,
        "select distinct accounting_month::text, member_count, member_with_books_count, is_complete,"
        " year_to_date_complete from marts.consolidated_statement where group_code = %s order by 1",
        GROUP,
    )
    assert found == [
        ("2020-01-01", 3, 3, True, True),
        ("2020-02-01", 3, 3, True, True),
        ("2020-03-01", 3, 2, False, False),
    ]
    view = "marts.consolidated_balance_sheet"
    sheet = f"select distinct accounting_month::text, is_complete from {view} where group_code = %s"
    assert sorted(ask(warehouse, sheet, GROUP)) == [(month, complete) for month, _, _, complete, _ in found]


def test_the_balance_sheet_is_the_sum_and_agrees_with_the_surplus(warehouse: str) -> None:
    lines = ask(
        warehouse,
        "select line_code, member_sum_closing, eliminated_closing, consolidated_closing"
        " from marts.consolidated_balance_sheet where group_code = %s and accounting_month = '2020-02-01'"
        " and sub_fund = 'total' and member_sum_closing <> 0",
        GROUP,
    )
    wanted = (Decimal(68240), Decimal(0), Decimal(68240))
    assert {line: tuple(amounts) for line, *amounts in lines} == dict.fromkeys(
        ("A40", "A41", "A90", "N10", "N90", "T90"), wanted
    )


def test_every_flow_is_listed_with_what_is_left_of_it(warehouse: str) -> None:
    found = ask(
        warehouse,
        "select flow, upper_region_code, lower_region_code, relation, upper_year_to_date, lower_year_to_date,"
        " eliminated_year_to_date, upper_unmatched_year_to_date, lower_unmatched_year_to_date"
        " from marts.consolidation_elimination where group_code = %s and accounting_month = '2020-02-01'"
        " order by 1, 4, 2, 3",
        GROUP,
    )
    assert found == [
        ("remittance", P, B, "member", 500, 500, 500, 0, 0),
        ("subsidy", P, A, "member", 3000, 3000, 3000, 0, 0),
        ("subsidy", P, B, "member", 2000, 2000, 2000, 0, 0),
        ("subsidy", "100000", P, "outside", 0, 1000, 0, 0, 1000),
        ("subsidy", P, "990900", "outside", 700, 0, 0, 700, 0),
        ("subsidy", P, None, "unnamed", 60, 0, 0, 60, 0),
    ]
    in_transit = ask(
        warehouse,
        "select upper_region_code, lower_region_code, lower_unmatched_month from marts.consolidation_elimination"
        " where group_code = %s and accounting_month = '2020-01-01' and relation = 'member'"
        " and lower_unmatched_month <> 0",
        GROUP,
    )
    assert in_transit == [(P, B, 500)]


@pytest.mark.parametrize("column", ["month", "year_to_date"])
def test_what_is_left_of_the_flows_is_what_the_statement_shows(warehouse: str, column: str) -> None:
    """Every line between levels, month and sub-fund, a month without B's books too: consolidated = all that is left."""
    difference = f"""
        with left_over as (
            select group_code, fund_code, accounting_month, sub_fund, line.code as line_code, sum(line.amount) as amount
            from marts.consolidation_elimination
            cross join lateral (values
                (upper_line_code, upper_unmatched_{column}), (lower_line_code, lower_unmatched_{column})
            ) as line (code, amount)
            group by 1, 2, 3, 4, 5
        )
        select group_code, accounting_month, line_code, sub_fund, consolidated_{column}, amount
        from marts.consolidated_statement
        left join left_over using (group_code, fund_code, accounting_month, line_code, sub_fund)
        where line_code in ('I70', 'I80', 'E60', 'E70') and sub_fund <> 'total'
            and consolidated_{column} <> coalesce(amount, 0)
    """
    assert ask(warehouse, difference) == []


def test_the_heads_of_the_members_are_told(warehouse: str) -> None:
    found = ask(
        warehouse,
        "select region_code, parent_region_code, seq, books_from::text, books_to::text, member_to"
        " from marts.consolidation_head where group_code = %s order by 1",
        GROUP,
    )
    assert found == [
        (P, None, 8, "2020-01-01", "2020-03-01", None),
        (A, P, 3, "2020-01-01", "2020-03-01", None),
        (B, P, 3, "2020-01-01", "2020-02-01", None),
    ]


def test_a_group_is_seen_as_a_whole_or_not_at_all(warehouse: str) -> None:
    for view in VIEWS:
        query = f"select count(*) from marts.{view} where group_code = '{GROUP}'"
        whole = ask(warehouse, query)
        assert whole != [(0,)], view
        assert ask(as_reader(warehouse, "cons_province"), query) == whole, view
        assert ask(as_reader(warehouse, "cons_all"), query) == whole, view
        assert ask(as_reader(warehouse, "cons_two"), query) == [(0,)], view
    assert ask(as_reader(warehouse, "cons_two"), "select count(*) > 0 from marts.balance_sheet") == [(True,)]
