"""The samples' statements agree with the books but for one payment a city, named on page, sheet and table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import openpyxl
import psycopg2
import pytest

from reporting import books
from reporting.__main__ import main
from reporting.tie_out import figures, items, newest_month
from reporting.tie_out.command import report
from reporting.workbook import workbook

NANJING, HUAINAN = "320100", "340400"
GRANT = "INSERT INTO access.region_grant (reader, reader_role, region_code) VALUES (%s, %s, %s)"


def ask(url: str, query: str, role: str = "auditor") -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"set role {role}")
        cursor.execute(query)
        return list(cursor.fetchall())


def test_only_the_payment_on_its_way_differs_and_it_is_named(published_samples: str) -> None:
    outcomes = ask(
        published_samples,
        "select region_code, accounting_month, account_code, status, difference, in_transit_amount, unexplained_amount"
        " from marts.tie_out where status <> 'agreed' order by 1, 2",
    )
    paid = dict(
        ask(
            published_samples,
            "select region_code, min(difference) from marts.tie_out_item where status = 'in_transit' group by 1",
        )
    )
    march = date(2020, 3, 1)
    assert outcomes == [
        (region, march, "1004", "explained", paid[region], paid[region], Decimal("0.00"))
        for region in (NANJING, HUAINAN)
    ], "ours is lower: we have paid, the bank has not yet"

    named = ask(
        published_samples,
        "select i.region_code, i.accounting_month, i.difference, i.event_type, l.credit_amount, l.posting_date,"
        " i.voucher_no = l.voucher_no, i.source_file = l.source_file, i.source_line = l.source_line"
        " from marts.tie_out_item as i join marts.general_ledger as l"
        " on l.region_code = i.region_code and l.event_seq = i.event_seq and l.entry_id = i.entry_id"
        " where i.status <> 'matched' and l.account_code = '1004' order by 1, 2",
    )
    assert [(row[0], row[1], row[2] + row[4], row[3]) for row in named if row[1] == march] == [
        (region, march, Decimal("0.00"), "claim.paid") for region in (NANJING, HUAINAN)
    ]
    assert [(row[0], row[2]) for row in named if row[1] != march] == [
        (region, -paid[region]) for region in (NANJING, HUAINAN)
    ], "the statement of April takes it back"
    assert all(row[5] <= date(2020, 3, 31) and all(row[6:]) for row in named)


def test_every_stated_figure_is_compared_once(published_samples: str) -> None:
    stated, compared = ask(
        published_samples,
        "select (select count(*) from marts.outside_statement), (select count(*) from marts.tie_out)",
    )[0]
    assert stated == compared
    assert stated > 200
    balances = ask(
        published_samples,
        "select count(*) from marts.tie_out as t join marts.trial_balance as b"
        " using (region_code, fund_code, accounting_month, account_code)"
        " where t.statement_kind = 'bank_balance' and t.ours_amount is distinct from b.closing_balance",
    )
    assert balances == [(0,)], "our figure at a month end is the trial balance's"


def _scans(node: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Each scan of a plan: its relation, and the rows it has met."""
    if relation := node.get("Relation Name"):
        met = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        yield relation, met * node["Actual Loops"]
    for part in node.get("Plans", []):
        yield from _scans(part)


def test_a_month_costs_by_its_lines_and_not_by_the_history(published_samples: str) -> None:
    """Lines of the month, its neighbours and one month more, and of the log what these lines look up."""
    (((plan,),),) = ask(
        published_samples,
        "explain (analyze, format json) select * from marts.tie_out_items('320100', date '2020-03-01')",
    )
    window, history = ask(
        published_samples,
        "select count(*) filter (where accounting_month between '2020-02-01' and '2020-05-01'), count(*)"
        " from ledger.journal_line where region_code = '320100'",
    )[0]
    met = Counter[str]()
    for relation, rows in _scans(plan["Plan"]):
        met[relation] = max(met[relation], int(rows))
    assert 0 < met["journal_line"] <= window, met
    assert 0 < met["event"] <= window, met
    assert 2 * window < history


def test_a_reader_sees_the_own_region_only(published_copy: str) -> None:
    assert ask(published_copy, "select * from marts.tie_out", role="finance_reader") == []
    with closing(psycopg2.connect(published_copy)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(GRANT, ("finance_reader", "finance_reader", HUAINAN))
    for view in ("tie_out", "tie_out_item", "outside_statement", "money_line"):
        seen = ask(published_copy, f"select distinct region_code from marts.{view}", role="finance_reader")
        assert seen == [(HUAINAN,)], view
    assert ask(published_copy, f"select * from marts.tie_out_items('{NANJING}', '2020-03-01')", "finance_reader") == []


def test_the_report_names_it_in_both_languages(
    published_samples: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FUND_DATABASE_URL", published_samples)
    assert main(["tie-out", "--region", NANJING, "--month", "2020-03"]) == 0
    told = capsys.readouterr().out
    assert "1 个差异项" in told
    assert "1 items that differ" in told
    assert "在途 in transit" in told
    assert f"{NANJING}-" in told
    assert main(["tie-out", "--region", "999999"]) == 1
    assert "E-TIE-OUT-REGION" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["tie-out", "--region", NANJING, "--month", "2020/3"])
    with books.one_state() as connection:
        newest = newest_month(connection, NANJING)
        assert newest == date(2020, 6, 1)
        assert list(report(connection, NANJING, None)) == list(report(connection, NANJING, newest))


def test_the_workbook_has_the_same_figures(published_samples: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUND_DATABASE_URL", published_samples)
    with books.one_state() as connection:
        region = next(each for each in books.regions(connection) if each.region_code == HUAINAN)
        shown = figures(connection, HUAINAN, date(2020, 6, 1))
        assert items(connection, HUAINAN, date(2020, 6, 1)) == []
        content = workbook(connection, region)
    sheet = openpyxl.load_workbook(BytesIO(content))["对账"]
    rows = list(sheet.iter_rows(min_row=5, max_row=4 + len(shown), values_only=True))
    assert [(Decimal(str(row[2])), Decimal(str(row[3]))) for row in rows] == [
        (figure.ours_amount, figure.stated_amount) for figure in shown
    ]
    assert len(shown) == 8
    assert {row[8].split("\n")[0] for row in rows} == {"相符"}
