"""The same books, however they came about: in one build or in many, and in any order while no month is closed.

Each seed is a story of accepted facts (corrections, openings, the merger) told as four regions that are built together:
closed months in between, by increments and at once; nothing closed, in two orders. The oracle reads all of them too.
A failure names its seed: `facts(seed, FACTS)` and `tell` give the same story again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestion.database import connect
from runtime import dbt
from tests.integration.posting_log import PostingLog
from tests.integration.replay_support import ask, publish
from tests.oracle.compare import _ZERO_MAY_LACK, is_zero
from tests.oracle.log import Log
from tests.oracle.oracle import Expected, of_log
from tests.oracle.policy import load
from tests.oracle.variants import (
    TODAY,
    Variant,
    any_order,
    closed_in_between,
    columns,
    cut,
    cut_alike,
    facts,
    told_as,
)

pytestmark = pytest.mark.slow

FACTS, BUILDS, SHOWN_AT_MOST = 30, 3, 40
Table = dict[tuple[Any, ...], tuple[Any, ...]]
_numbers = itertools.count(900_001)
_together = settings(
    deadline=None,
    phases=[
        Phase.explicit,
        Phase.reuse,
        Phase.generate,
    ],  # a seed alone is found at once; shrinking would build for hours
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# What the ledger holds of a region, its code apart. Numbers of vouchers, batches and lines are part of it.
BOOKS = ("journal_line", "account_turnover", "voucher")
_ROWS = (
    "SELECT replace(to_jsonb(book)::text, %s, 'REGION') AS told FROM ledger.{} AS book"
    " WHERE region_code = %s ORDER BY told"
)
_QUERIES = {
    "general_ledger": (
        "SELECT region_code, event_seq, fund_code, accounting_month, entry_kind, account_code, sub_fund,"
        " sum(debit_amount), sum(credit_amount) FROM marts.general_ledger WHERE region_code = ANY(%s)"
        " GROUP BY 1, 2, 3, 4, 5, 6, 7",
        7,
    ),
    "trial_balance": (
        "SELECT region_code, fund_code, accounting_month, account_code, sub_fund, opening_balance, debit_amount,"
        " credit_amount, closing_balance FROM marts.trial_balance WHERE region_code = ANY(%s)",
        5,
    ),
    "statement": (
        "SELECT region_code, fund_code, accounting_month, line_code, sub_fund, amount_month, amount_year_to_date"
        " FROM marts.income_expenditure_statement WHERE region_code = ANY(%s)",
        5,
    ),
    "balance_sheet": (
        "SELECT region_code, fund_code, accounting_month, line_code, sub_fund, opening_amount, closing_amount"
        " FROM marts.balance_sheet WHERE region_code = ANY(%s)",
        5,
    ),
    "maternity": (
        "SELECT region_code, fund_code, accounting_month, benefit_item, coalesce(payment_method, ''), sum(amount)"
        " FROM marts.maternity_expenditure WHERE region_code = ANY(%s) GROUP BY 1, 2, 3, 4, 5",
        5,
    ),
}


def tell(seed: int) -> tuple[Variant, Variant, Variant, Variant]:
    """One story four times: closed by increments, closed at once, open by increments, open in another order."""
    random = Random(seed)
    city, told = facts(seed, FACTS)
    closed = closed_in_between(told, random)
    by_increments, at_once, in_order, shuffled = (
        told_as(str(next(_numbers)), city, events) for events in (closed, closed, told, any_order(told, random))
    )
    cut(by_increments, random, BUILDS)
    return (
        by_increments,
        cut_alike(at_once, by_increments, BUILDS),
        cut(in_order, random, BUILDS),
        cut(shuffled, random, BUILDS, at_once=random.random() < 0.5),
    )


def build(variants: Sequence[Variant]) -> None:
    """Regions with their city's policy; batch after batch into the log, build after build; published."""
    with closing(connect(role=dbt.ROLE)) as connection, connection, connection.cursor() as cursor:
        for variant in variants:
            cursor.execute(
                "INSERT INTO policy.policy_region"
                " SELECT (jsonb_populate_record(city, jsonb_build_object('region_code', %s::text))).*"
                " FROM policy.policy_region AS city WHERE region_code = %s",
                (variant.region, variant.city),
            )
    for number in range(BUILDS):
        for variant in variants:
            for batch in variant.of_build(number):
                PostingLog(variant.region).add(*map(columns, batch))
        dbt.build(f"build {number}")
    assert ask("SELECT region_code, event_seq, problem FROM ledger.unposted_event ORDER BY 1, 2") == []
    publish()


def books(region: str) -> dict[str, list[str]]:
    """All rows of the ledger's tables as text."""
    return {table: [row[0] for row in ask(_ROWS.format(table), region, region)] for table in BOOKS}


def shown(regions: Sequence[str]) -> dict[str, Table]:
    """The marts, values by key; the first part of a key is the region."""
    found = {}
    for name, (query, keys) in _QUERIES.items():
        rows = ask(query, list(regions))
        found[name] = {row[:keys]: row[keys:] for row in rows}
        assert len(found[name]) == len(rows), f"{name}: two rows of one grain"
    return found


def expected(variants: Sequence[Variant]) -> dict[str, Table]:
    """What the oracle reads in the same logs."""
    policy = load()
    dates = policy.merger_dates | {variant.region: policy.merger_dates[variant.city] for variant in variants}
    log = Log(replace(policy, merger_dates=dates), TODAY)
    log.by_region.update({variant.region: variant.events for variant in variants})
    read = of_log(log)
    return {
        "general_ledger": _ledger(read),
        "trial_balance": {k: (r.opening, r.debit, r.credit, r.closing) for k, r in read.trial_balance.items()},
        "statement": dict(read.income_expenditure_statement),
        "balance_sheet": dict(read.balance_sheet),
        "maternity": {key: (amount,) for key, amount in read.maternity_expenditure.items()},
    }


def _ledger(read: Expected) -> Table:
    sums: dict[tuple[Any, ...], tuple[Decimal, Decimal]] = {}
    for line in read.lines:
        key = (line.region, line.event.seq, line.fund, line.month, line.kind, line.account, line.sub_fund)
        debit, credit = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = (debit + line.debit, credit + line.credit)
    return dict(sums)


def differences(wanted: Mapping[str, Table], found: Mapping[str, Table]) -> Iterator[str]:
    """One line a row that differs; rows of zeroes may lack where the contract asks for none."""
    for name, table in wanted.items():
        for key in sorted({*table, *found[name]}, key=str):
            one, other = table.get(key), found[name].get(key)
            if one == other or (name in _ZERO_MAY_LACK and is_zero(one or ()) and is_zero(other or ())):
                continue
            yield f"{name} {' '.join(map(str, key))}: {_say(one)} <> {_say(other)}"


def _say(values: Sequence[object] | None) -> str:
    return "no row" if values is None else f"({', '.join(map(str, values))})"


def order_apart(tables: Mapping[str, Table], region: str) -> dict[str, Table]:
    """What must not depend on the order of arrival: a merger may turn its balances over in more steps."""
    own = {
        name: {key[1:]: values for key, values in table.items() if key[0] == region}
        for name, table in tables.items()
        if name != "general_ledger"
    }
    merger_months = {month for _, month in _merger_months(tables["general_ledger"], region)}
    own["trial_balance"] = {
        key: (opening, debit - credit, closed) if key[1] in merger_months else (opening, debit, credit, closed)
        for key, (opening, debit, credit, closed) in own["trial_balance"].items()
    }
    return own


def _merger_months(ledger: Table, region: str) -> set[tuple[str, date]]:
    return {(key[2], key[3]) for key in ledger if key[0] == region and key[4] == "merger"}


def check(seeds: Sequence[int]) -> None:
    """Tell, build and compare many stories together."""
    stories = {seed: tell(seed) for seed in seeds}
    variants = [variant for story in stories.values() for variant in story]
    build(variants)
    names = {variant.region: f"seed {seed}" for seed, story in stories.items() for variant in story}
    found = shown(list(names))
    failures = [f"oracle: {line}" for line in differences(expected(variants), found)]
    for seed, (by_increments, at_once, in_order, shuffled) in stories.items():
        one, other = books(by_increments.region), books(at_once.region)
        for table in BOOKS:
            assert one[table], f"seed {seed}: nothing was posted"
            lost = sorted({*one[table]} ^ {*other[table]})
            failures += [f"seed {seed} {table}: not in both: {row}" for row in lost]
            assert len(one[table]) == len(other[table]) or lost, f"seed {seed} {table}: a row is there twice"
        same = differences(order_apart(found, in_order.region), order_apart(found, shuffled.region))
        failures += [f"seed {seed} order: {line}" for line in same]
    told = "\n".join(_with_seed(line, names) for line in failures[:SHOWN_AT_MOST])
    assert not failures, f"{len(failures)} rows differ\n{told}"


def _with_seed(line: str, names: Mapping[str, str]) -> str:
    region = next((part for part in line.split() if part in names), "")
    return f"{names.get(region, '')} {line}".strip()


def _seeds(count: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, 2**31), min_size=count, max_size=count, unique=True)


@pytest.mark.usefixtures("deployed_warehouse")
@settings(parent=_together, max_examples=1)
@given(seeds=_seeds(14))
def test_one_build_or_many_and_any_order_give_the_same_books(seeds: list[int]) -> None:
    check(seeds)


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("deployed_warehouse")
@settings(parent=_together, max_examples=4)
@given(seeds=_seeds(60))
def test_many_more_stories(seeds: list[int]) -> None:
    check(seeds)
