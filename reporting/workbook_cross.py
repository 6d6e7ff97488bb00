"""The sheet 勾稽核对: every relation between the sheets of a fund, with both amounts and whether they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reporting.names import Name
from reporting.workbook_accounts import Accounts, Maternity
from reporting.workbook_cells import Book, Ref, Style, Sum
from reporting.workbook_grid import Grid, money_width
from reporting.workbook_page import HEAD_ROWS, LATIN, Frame, Layout, finish, head_cell, heading, open_sheet
from reporting.workbook_vouchers import Totals

CROSS_TITLE = Name("报表勾稽关系核对表", "Cross-checks of the Statements")
_CROSS_HEADS = (
    Name("序号", "No."),
    Name("基金", "Fund"),
    Name("左方", "Left"),
    Name("右方", "Right"),
    Name("左方金额", "Left amount"),
    Name("右方金额", "Right amount"),
    Name("差额", "Difference"),
    Name("核对", "Check"),
)
_FLOW = "期初结余＋本期收支结余＋建账及合并转入转出"
_CELL: Style = {"border": 1, "text_wrap": True}


@dataclass(frozen=True)
class Sheets:
    """The sheets of one fund that are checked against one another."""

    statement: Grid
    balance: Grid
    accounts: Accounts
    maternity: Maternity
    converted: tuple[Grid, Grid] | None
    vouchers: tuple[Totals, Totals]


Relation = tuple[str, Sum, str, Sum]


def cross_sheet(book: Book, frame: Frame, name: str, groups: Sequence[tuple[Name, Sheets]]) -> list[Ref]:
    """Every relation with both amounts and whether they agree; returns the cells that say so."""
    listed = [(fund, relation) for fund, sheets in groups for relation in relations(sheets)]
    amounts = [book.total(side) for _, (_, left, _, right) in listed for side in (left, right)]
    layout = Layout(name, (6.0, 26.0, 44.0, 38.0, *[money_width(amounts)] * 3, 8.0), repeated=HEAD_ROWS - 1)
    sheet = open_sheet(book, frame, layout)
    heading(book, frame, layout, CROSS_TITLE, None)
    sheet.set_row(HEAD_ROWS - 2, 28)
    for column, head in enumerate(_CROSS_HEADS):
        head_cell(book, Ref(name, HEAD_ROWS - 2, column), head)
    states = []
    for place, (fund, (left_name, left, right_name, right)) in enumerate(listed):
        row = HEAD_ROWS - 1 + place
        for column, text in enumerate((str(place + 1), fund.zh, left_name, right_name)):
            book.text(Ref(name, row, column), text, **_CELL, align="left" if column else "center")
        cells = [Ref(name, row, column) for column in (4, 5, 6)]
        difference = Sum(((1, cells[0]), (-1, cells[1])))
        for cell, formula in zip(cells, (left, right, difference), strict=True):
            book.figure(cell, book.total(formula), formula, border=1, font_name=LATIN)
        states.append(Ref(name, row, 7))
        book.comparison(states[-1], Sum(((1, cells[0]),)), Sum(((1, cells[1]),)), border=1)
    finish(book, layout, HEAD_ROWS - 1 + len(listed))
    return states


def relations(sheets: Sheets) -> list[Relation]:
    """What must agree between the sheets of a fund."""
    return [
        *_statement_relations(sheets),
        *_balance_relations(sheets.balance, ""),
        *_account_relations(sheets),
        *_voucher_relations(sheets),
        *(_converted_relations(*sheets.converted) if sheets.converted else []),
    ]


def _statement_relations(sheets: Sheets) -> list[Relation]:
    statement, balance = sheets.statement, sheets.balance
    closing = balance.one("N90", "closing")
    return [
        (f"{_FLOW}（本月数）", _flow(statement, "month.total"), "净资产合计（期末）", closing),
        (f"{_FLOW}（本年累计数）", _flow(statement, "year_to_date.total"), "净资产合计（期末）", closing),
        (
            "期初结余（本月数）",
            statement.one("S20", "month.total"),
            "净资产合计（月初）",
            balance.one("N90", "opening"),
        ),
        (
            *("期初结余（本年累计数）", statement.one("S20", "year_to_date.total")),
            *("净资产合计（年初）", balance.one("N90", "year_opening")),
        ),
        (
            *("期末滚存结余—统筹基金", statement.one("S30", "month.pooled")),
            *("统筹基金结余（期末）", balance.one("N10", "closing")),
        ),
        (
            *("期末滚存结余—个人账户", statement.one("S30", "month.personal")),
            *("个人账户结余（期末）", balance.one("N20", "closing")),
        ),
    ]


def _balance_relations(balance: Grid, unit: str) -> list[Relation]:
    instants = {"year_opening": "年初", "opening": "月初", "closing": "期末"}
    return [
        (
            *(f"资产合计（{name}）{unit}", balance.one("A90", instant)),
            *(f"负债和净资产总计（{name}）{unit}", balance.one("T90", instant)),
        )
        for instant, name in instants.items()
    ]


def _account_relations(sheets: Sheets) -> list[Relation]:
    statement, accounts, maternity = sheets.statement, sheets.accounts, sheets.maternity
    pairs = {"期初余额": ("opening_debit", "opening_credit"), "本期发生额": ("debit_amount", "credit_amount")}
    pairs["期末余额"] = ("closing_debit", "closing_credit")
    return [
        *(
            (f"试算平衡表{name}借方合计", accounts.total(debit), f"{name}贷方合计", accounts.total(credit))
            for name, (debit, credit) in pairs.items()
        ),
        (
            *("试算平衡表资产类科目期末余额", accounts.assets()),
            *("资产合计（期末）", sheets.balance.one("A90", "closing")),
        ),
        (
            *("收支表生育待遇支出（本月数）", statement.one("E113", "month.total")),
            *("生育待遇支出明细表合计", maternity.total("amount_month")),
        ),
        (
            *("收支表生育待遇支出（本年累计数）", statement.one("E113", "year_to_date.total")),
            *("生育待遇支出明细表合计", maternity.total("amount_year_to_date")),
        ),
    ]


def _voucher_relations(sheets: Sheets) -> list[Relation]:
    """Register and journal of the month come to the turnover of its accounts; not where a list had to be cut."""
    turnover = (("借方", "debit_amount", 0), ("贷方", "credit_amount", 1))
    lists = zip(("记账凭证登记簿", "记账凭证明细"), sheets.vouchers, strict=True)
    return [
        (f"{title}{name}合计", totals.side(side), f"试算平衡表本期发生额{name}合计", sheets.accounts.total(column))
        for title, totals in lists
        if totals.whole
        for name, column, side in turnover
    ]


def _converted_relations(statement: Grid, balance: Grid) -> list[Relation]:
    unit = "（万元）"
    return [
        *_balance_relations(balance, unit),
        (
            *(f"期末滚存结余（本月数）{unit}", statement.one("S30", "month.total")),
            *(f"净资产合计（期末）{unit}", balance.one("N90", "closing")),
        ),
    ]


def _flow(statement: Grid, column: str) -> Sum:
    return Sum(tuple((1, statement.at(code, column)) for code in ("S20", "S10", "S25")))
