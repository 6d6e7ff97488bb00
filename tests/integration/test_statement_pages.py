"""Statement pages of published books: figures are those of the marts, and every drill-down sums to its figure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from ingestion.database import connect
from ingestion.settings import Settings
from reporting import books
from reporting.site import kept
from reporting.site import statement as page
from reporting.statements import behind, reading
from reporting.statements.month import MonthBooks, read_months
from tests.integration.pages_support import FROZEN, amounts, body_and_foot, built, by_id, tree, words

JUNE = "statement_320100_emi_2020-06.html"
MERGER = "statement_320100_mat_2020-01.html"
DECEMBER = "statement_340400_emi_2019-12.html"


@pytest.fixture(scope="module")
def settings(published_samples: str) -> Iterator[Settings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", published_samples)
        yield Settings.from_env()


@pytest.fixture(scope="module")
def folder(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as the first writing leaves them."""
    made = tmp_path_factory.mktemp("statements")
    built(settings, "statement", made)
    return made


@pytest.fixture(scope="module")
def roots(folder: Path) -> dict[str, Element]:
    return {name: tree((folder / name).read_text(encoding="utf-8")) for name in (JUNE, MERGER, DECEMBER)}


def _stored(settings: Settings, query: str, file: str) -> list[books.Row]:
    _, region, fund, month = file.removesuffix(".html").split("_")
    with books.one_state(settings) as connection:
        return books.rows(connection, query, (region, fund.upper(), f"{month}-01"))


@pytest.mark.parametrize("file", [JUNE, MERGER, DECEMBER])
def test_statements_are_those_of_the_marts(settings: Settings, roots: dict[str, Element], file: str) -> None:
    shown: dict[str, dict[str, list[Decimal]]] = defaultdict(dict)
    for row in _stored(settings, "select * from marts.income_expenditure_statement where region_code = %s"
                       " and fund_code = %s and accounting_month = %s", file):  # fmt: skip
        shown[row["line_code"]][row["sub_fund"]] = [row["amount_month"], row["amount_year_to_date"]]
    assert len(shown) == 32
    subs = ("total", "pooled") if "_mat_" in file else ("total", "pooled", "personal")
    for code, by_sub_fund in shown.items():
        stated = [by_sub_fund[sub][column] for column in (0, 1) for sub in subs]
        assert amounts(by_id(roots[file], code))[: len(stated)] == stated, code
    for row in _stored(settings, "select * from marts.balance_sheet where region_code = %s and fund_code = %s"
                       " and accounting_month = %s and sub_fund = 'total'", file):  # fmt: skip
        assert amounts(by_id(roots[file], row["line_code"])) == [row["opening_amount"], row["closing_amount"]]


def test_other_months_stand_beside_the_month(settings: Settings, roots: dict[str, Element]) -> None:
    (may,) = _stored(settings, "select amount_month from marts.income_expenditure_statement where region_code = %s"
                     " and fund_code = %s and accounting_month = %s and line_code = 'E113' and sub_fund = 'total'",
                     "statement_320100_EMI_2020-05.html")  # fmt: skip
    line = by_id(roots[JUNE], "E113")
    assert amounts(line)[6:] == [may["amount_month"]]
    assert words(line).endswith("—"), "there was no June before"


@pytest.mark.parametrize("file", [JUNE, MERGER, DECEMBER])
def test_every_line_opens_to_accounts_that_sum_to_it(roots: dict[str, Element], file: str) -> None:
    opened = 0
    for line in roots[file].iterfind(".//tr[@id]"):
        code = line.attrib["id"].removeprefix("x-")
        if code == line.attrib["id"]:
            continue
        for table in line.iterfind(".//table[@class='behind']"):
            rows, foot = body_and_foot(table)
            assert [sum(column) for column in zip(*rows, strict=True)] == foot
            figures = amounts(by_id(roots[file], code))
            half = len(figures) // 2 if code[0] in "ALNT" else (2 if "_mat_" in file else 3)
            assert foot == [figures[0], figures[half]], code
            opened += 1
    assert opened > (5 if file == MERGER else 25)
    assert "✗" not in words(roots[file])


def test_every_account_opens_to_vouchers_that_sum_to_its_turnover(
    settings: Settings, roots: dict[str, Element]
) -> None:
    stored = _stored(settings, "select account_code, sub_fund, debit_amount, credit_amount from marts.trial_balance"
                     " where region_code = %s and fund_code = %s and accounting_month = %s"
                     " and (debit_amount <> 0 or credit_amount <> 0)", JUNE)  # fmt: skip
    assert stored
    linked = {a.attrib["href"] for a in roots[JUNE].iter("a") if a.attrib.get("href", "").startswith("#v-")}
    for row in stored:
        name = f"v-{row['account_code']}-{row['sub_fund']}"
        (table,) = by_id(roots[JUNE], name).iter("table")
        rows, foot = body_and_foot(table)
        assert (
            [sum(column) for column in zip(*rows, strict=True)] == foot == [row["debit_amount"], row["credit_amount"]]
        )
        assert f"#{name}" in linked
    vouchers = _stored(settings, "select distinct voucher_no from marts.general_ledger where region_code = %s"
                       " and fund_code = %s and accounting_month = %s and account_code = '1004'", JUNE)  # fmt: skip
    listed = [row.find("td") for row in by_id(roots[JUNE], "v-1004-shared").iterfind(".//tbody/tr")]
    assert [cell.text for cell in listed if cell is not None] == sorted(
        (str(row["voucher_no"]) for row in vouchers), key=int
    )


def test_more_vouchers_than_a_page_holds_are_one_row(settings: Settings) -> None:
    with books.one_state(settings) as connection:
        full = behind.vouchers(connection, "320100", "EMI", date(2020, 6, 1))[("1004", "shared")]
        cut = behind.vouchers(connection, "320100", "EMI", date(2020, 6, 1), 3)[("1004", "shared")]
    rest = cut[-1]
    assert [row.voucher_no for row in cut] == [*(row.voucher_no for row in full[:3]), None]
    assert rest.voucher_count == len(full) - 3
    assert rest.entry_count == sum(row.entry_count for row in full[3:])
    assert rest.credit_amount == sum(row.credit_amount for row in full[3:])


def test_maternity_benefits_open_to_items_methods_and_institutions(
    settings: Settings, roots: dict[str, Element]
) -> None:
    stored = _stored(settings, "select benefit_item, amount from marts.maternity_expenditure where region_code = %s"
                     " and fund_code = %s and accounting_month = %s", JUNE)  # fmt: skip
    (items,) = by_id(roots[JUNE], "x-E113").iterfind(".//table[@class='items']")
    shown = [amounts(row)[0] for row in items.iterfind("tbody/tr[@class='item']")]
    assert sum(shown) == sum(row["amount"] for row in stored) == amounts(by_id(roots[JUNE], "E113"))[0]
    assert sorted(amount for amount in shown if amount) == sorted(row["amount"] for row in stored)
    institutions = [table for row in items.iterfind("tbody/tr[@class='institutions']") for table in row.iter("table")]
    assert len(institutions) == len(stored)
    for table in institutions:
        rows, foot = body_and_foot(table)
        assert sum(amount for row in rows for amount in row) == foot[0]
    assert "H32010000104" in words(items)
    assert "支付给个人或单位" in words(items)


def test_drill_downs_of_all_months_add_up(settings: Settings) -> None:
    """Without pages, for all regions and months at once."""
    with books.one_state(settings) as connection:
        checked = 0
        for region in books.regions(connection):
            for fund in region.funds:
                months = books.months(connection, region.region_code, fund)
                states = reading.states(connection, region.region_code, fund, months)
                for month in read_months(connection, region, fund, states, {}, reading.Layouts(connection)):
                    _adds_up(month)
                    checked += 1
    assert checked == 29


def _adds_up(month: MonthBooks) -> None:
    for shown in (*month.lines, *month.balances):
        assert shown.adds_up, (month.region.region_code, month.fund_code, month.month, shown.line.line_code)
    for account in month.accounts:
        assert account.adds_up, (month.month, account.line)
    for item in month.maternity:
        assert item.adds_up, (month.month, item.item)
    line = next(shown for shown in month.lines if shown.line.line_code == "E113")
    assert (month.maternity_month, month.maternity_year_to_date) == (line.month, line.year_to_date)


def test_no_number_of_a_person_or_settlement_is_shown(settings: Settings, folder: Path) -> None:
    with books.one_state(settings) as connection:
        numbers = books.rows(connection, "select distinct unnest(array[person_no, claim_no, receipt_no]) as number"
                             " from marts.general_ledger where region_code = '320100'"
                             " and accounting_month = '2020-06-01'")  # fmt: skip
    html = (folder / JUNE).read_text(encoding="utf-8")
    known = [row["number"] for row in numbers if row["number"] and len(row["number"]) > 5]
    assert len(known) > 1000
    assert not [number for number in known if number in html]


def test_an_open_month_and_an_incomplete_year_are_said(roots: dict[str, Element]) -> None:
    assert "未关账" in words(roots[JUNE])
    assert "本年累计不完整" not in words(roots[JUNE])
    assert "本年累计不完整" in words(roots[DECEMBER])


def test_the_index_leads_to_every_month(settings: Settings, folder: Path) -> None:
    root = tree((folder / "statement.html").read_text(encoding="utf-8"))
    targets = {a.attrib["href"] for a in root.iter("a") if a.attrib["href"].startswith("statement_")}
    assert targets == {path.name for path in folder.glob("statement_*.html")}
    assert len(targets) == 29
    with books.one_state(settings) as connection:
        (income,) = books.rows(connection, "select amount_month from marts.income_expenditure_statement where"
                               " region_code = '320100' and fund_code = 'EMI' and accounting_month = '2020-06-01'"
                               " and line_code = 'I90' and sub_fund = 'total'")  # fmt: skip
    assert amounts(by_id(root, "320100"))[0] == income["amount_month"]


def test_pages_of_a_frozen_region_get_a_warning_and_lose_it(settings: Settings, folder: Path) -> None:
    frozen = built(settings, "statement", folder, frozen=["320100"])
    assert set(frozen) == {path.name for path in folder.glob("statement_320100_*.html")} | {"statement.html"}
    assert all(FROZEN in html for html in frozen.values())
    assert FROZEN not in words(by_id(tree(frozen["statement.html"]), "340400"))
    assert list(built(settings, "statement", folder, frozen=["320100"])) == ["statement.html"]
    lifted = built(settings, "statement", folder)
    assert set(lifted) == set(frozen)
    assert not [html for html in lifted.values() if FROZEN in html]


def test_pages_of_months_that_stand_are_not_written_again(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(built(settings, "statement", folder)) == ["statement.html"]
    stale = folder / "statement_320100_emi_1999-01.html"
    stale.write_text("of no month", encoding="utf-8")
    altered = (folder / JUNE).read_text(encoding="utf-8").replace("收支表", "支收表", 1)
    (folder / JUNE).write_text(altered, encoding="utf-8")
    assert list(built(settings, "statement", folder)) == [JUNE, "statement.html"]
    assert not stale.exists()
    monkeypatch.setattr(page, "MONTHS_SHOWN", 3)
    few = built(settings, "statement", folder)
    assert len(list(folder.glob("statement_*.html"))) == 12
    assert len(few) == 13, "the list of months is on every page"


def test_a_page_is_of_the_models_that_are_deployed(settings: Settings) -> None:
    with closing(connect("fund_transform", settings=settings)) as connection:
        before = kept.code_digest(connection)
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO ledger.deployment (code_sha256) VALUES ('of other models')")
        assert kept.code_digest(connection) != before
        connection.rollback()
        assert kept.code_digest(connection) == before


def test_a_month_has_a_state_of_its_own_and_of_all_before_it() -> None:
    def state(*digests: str) -> dict[date, reading.State]:
        months = [date(2020, number, 1) for number in range(1, 5)]
        moved = [
            {"accounting_month": month, "last_seq": 10 * number, "digest": digest}
            for number, (month, digest) in enumerate(zip(months, digests, strict=False), start=1)
        ]
        return reading._chained(moved, months)

    before, after = state("a", "b", "c"), state("a", "x", "c")
    january, february, march, april = before
    assert before[january] == after[january]
    assert before[february].digest != after[february].digest
    assert before[march].digest != after[march].digest
    assert before[april] == before[march], "nothing has moved in April"
