"""The sheet 对账 by itself: items are listed under the figures, and what is left out is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO

import openpyxl
from test_workbook_sheets import frame

from reporting.names import Name
from reporting.tie_out.reading import Figure, Item, _figure
from reporting.workbook_cells import Book
from reporting.workbook_tie_out import ITEMS_MOST, tie_out_sheet

DAY = date(2020, 3, 31)
ZERO = Decimal("0.00")


def figure(difference: str) -> Figure:
    amount = Decimal(difference)
    return Figure(
        "EMI", "bank_balance", "1004", None, Name("支出户存款", "Expenditure account"), DAY.replace(day=1), DAY,
        Decimal(100) + amount, Decimal(100), amount, ZERO, amount, amount, ZERO, "explained", "bank.jsonl", 7,
    )  # fmt: skip


def item(entry: str | None = "320100-7-1") -> Item:
    return Item(
        "EMI", "bank_balance", "1004", None, DAY, "in_transit", DAY, Decimal(-5), Decimal(-5), entry, 1, 1, 12, 7,
        "claims.csv", 3, "bank.jsonl", 7, "entry",
    )  # fmt: skip


def test_items_stand_below_the_figures_and_the_rest_is_counted() -> None:
    book = Book({}, frame().head.published_at)
    tie_out_sheet(book, frame(), "对账", [figure("-5.00")], [item(), item(None), *[item()] * ITEMS_MOST])
    texts = [
        str(value)
        for row in openpyxl.load_workbook(BytesIO(book.close()))["对账"].iter_rows(values_only=True)
        for value in row
        if value is not None
    ]
    assert any("支出户存款" in text and "Expenditure account" in text for text in texts)
    assert "320100-7-1 凭证 12 claims.csv:3" in texts
    assert any(text.startswith("在途 / in transit：EMI 1004") for text in texts)
    assert any("另有 2 项" in text and "2 more" in text for text in texts)


def test_errors_that_cancel_and_collections_of_all_accounts_are_named() -> None:
    book = Book({}, frame().head.published_at)
    offsetting = replace(figure("0.00"), status="offsetting")
    of_all = _figure(
        {key: value for key, value in vars(figure("0.00")).items() if key != "account"}
        | {"statement_kind": "tax_collected", "account_code": None, "name_zh": None, "name_en": None}
    )
    tie_out_sheet(book, frame(), "对账", [offsetting, of_all], [item()])
    rows = list(openpyxl.load_workbook(BytesIO(book.close()))["对账"].iter_rows(min_row=5, max_row=6, values_only=True))
    assert rows[0][8] == "差错相抵\noffsetting errors"
    assert str(rows[1][0]).splitlines()[0].endswith("税务征收 全部收款账户")


def test_a_month_without_statements_says_so() -> None:
    book = Book({}, frame().head.published_at)
    tie_out_sheet(book, frame(), "对账", [], [])
    sheet = openpyxl.load_workbook(BytesIO(book.close()))["对账"]
    assert any("没有外部报表" in str(cell.value) for row in sheet.iter_rows() for cell in row)
