"""Trial balance, maternity detail and the statement month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, takewhile

from reporting.books import Line, MaternityFigures, MaternityLine, TrialBalanceLine
from reporting.names import SUB_FUNDS, Name, name_of
from reporting.workbook_cells import COUNT, Book, Ref, Style, Sum
from reporting.workbook_grid import LABEL_WIDTHS, LABELS, Grid, fill_yuan, label_heads, line_labels, money_width
from reporting.workbook_page import (
    HEAD_ROWS,
    LATIN,
    YUAN,
    Frame,
    Layout,
    finish,
    head_cell,
    heading,
    note,
    open_sheet,
    row_heights,
    signatures,
)

TRIAL_TITLE = Name("试算平衡表", "Trial Balance")
MATERNITY_TITLE = Name("生育待遇支出明细表", "Maternity Benefit Expenditure in Detail")
MONTHLY_TITLE = Name("收支表（逐月）", "Income and Expenditure by Month")
TRIAL_COLUMNS = (
    "opening_debit",
    "opening_credit",
    "debit_amount",
    "credit_amount",
    "closing_debit",
    "closing_credit",
)
_TRIAL_PAIRS = (
    Name("期初余额", "Opening balance"),
    Name("本期发生额", "Turnover"),
    Name("期末余额", "Closing balance"),
)
_SIDES = (Name("借方", "Debit"), Name("贷方", "Credit"))
MATERNITY_COLUMNS = (
    "claim_count",
    "person_count",
    "amount_month",
    "claim_count_year_to_date",
    "person_count_year_to_date",
    "amount_year_to_date",
)
_MATERNITY_HEADS = (Name("结算笔数", "Claims"), Name("享受人次", "Persons"), Name("金额", "Amount"))
_RED_NOTE = Name(
    "注：红字（负数）记在原方向；上级科目为其下级科目之和，合计只计末级科目。“核对”栏：期初＋本期借方－本期贷方＝期末。",
    "Note: red entries are negative amounts on their own side; an account above others sums those below, the total"
    " counts posting accounts only. Check: opening + debit − credit = closing.",
)
_PERSON_NOTE = Name(
    "注：同一人在同一月份、同一项目和支付方式下计一人次；按人头、按服务单元等批量结算不对应个人，人次为零。累计为各月之和，红字冲减金额而不减笔数。",
    "Note: a person counts once a month for each item and payment method; payments made in bulk name no person. The"
    " year to date is the sum of its months; red entries lower amounts, not counts.",
)
YEAR = "year"
_TRIAL_LABELS = (Name("科目代码", "Code"), Name("科目名称", ""), Name("Account", ""), Name("分账", "Sub-fund"))
_MATERNITY_LABELS = (Name("待遇项目", ""), Name("Benefit item", ""), Name("支付方式", ""), Name("Payment method", ""))
_STATEMENT_LINE = Name("收支表：生育待遇支出", "Statement: maternity benefits (E113)")
_OPENING_LINE = "S20"
_ON_ONE_PAGE = 60  # accounts that are still readable on a page of A4
_CELL: Style = {"border": 1}


@dataclass(frozen=True)
class Accounts:
    """The trial balance: where each line stands, by its place in the list."""

    name: str
    lines: Sequence[TrialBalanceLine]

    def at(self, place: int, column: str) -> Ref:
        """The cell of a line."""
        return Ref(self.name, HEAD_ROWS + place, len(_TRIAL_LABELS) + TRIAL_COLUMNS.index(column))

    def total(self, column: str) -> Sum:
        """The cell of the last line."""
        return Sum(((1, self.at(len(self.lines) - 1, column)),))

    def assets(self) -> Sum:
        """What the asset accounts (class 1) hold at the end of the month."""
        above = [place for place, line in enumerate(self.lines) if line.level == 0 and line.account_code[:1] == "1"]
        sides = ((1, "closing_debit"), (-1, "closing_credit"))
        return Sum(tuple((sign, self.at(place, column)) for place in above for sign, column in sides))

    def parts(self, place: int, column: str) -> Sum | None:
        """The lines right below a line that sums others; the total sums the uppermost."""
        line, total = self.lines[place], len(self.lines) - 1
        if line.is_posting:
            return None
        first, level = (0, 0) if place == total else (place + 1, line.level + 1)
        below = takewhile(lambda other: other != total and self.lines[other].level >= level, range(first, total + 1))
        return Sum(tuple((1, self.at(other, column)) for other in below if self.lines[other].level == level))


@dataclass(frozen=True)
class Maternity:
    """The maternity detail: the row of its total."""

    name: str
    total_row: int

    def total(self, column: str) -> Sum:
        """The cell of the total."""
        return Sum(((1, Ref(self.name, self.total_row, len(_MATERNITY_LABELS) + MATERNITY_COLUMNS.index(column))),))


def trial_balance_sheet(book: Book, frame: Frame, name: str, lines: Sequence[TrialBalanceLine]) -> Accounts:
    """Balances and turnover by account and side; each row is checked, the total foots."""
    accounts = Accounts(name, lines)
    figures = [getattr(line, column) for line in lines for column in TRIAL_COLUMNS]
    layout = Layout(
        name,
        (12.0, 25.0, 27.0, 9.5, *[money_width(figures)] * 6, 6.5),
        one_page=len(lines) <= _ON_ONE_PAGE,
        frozen_columns=len(_TRIAL_LABELS),
    )
    _open(book, frame, layout, TRIAL_TITLE, _TRIAL_LABELS)
    for place, pair in enumerate(_TRIAL_PAIRS):
        first = len(_TRIAL_LABELS) + 2 * place
        head_cell(book, Ref(name, HEAD_ROWS - 2, first), pair, (HEAD_ROWS - 2, first + 1))
        for side in (0, 1):
            head_cell(book, Ref(name, HEAD_ROWS - 1, first + side), _SIDES[side])
    head_cell(book, Ref(name, HEAD_ROWS - 2, 10), Name("核对", "Check"), (HEAD_ROWS - 1, 10))
    for place, line in enumerate(lines):
        _trial_row(book, accounts, place, line)
    row_heights(book, name, range(HEAD_ROWS, HEAD_ROWS + len(lines)), 15.0)
    row = note(book, layout, HEAD_ROWS + len(lines), _RED_NOTE)
    finish(book, layout, signatures(book, layout, row))
    return accounts


def _trial_row(book: Book, accounts: Accounts, place: int, line: TrialBalanceLine) -> None:
    row = HEAD_ROWS + place
    style: Style = {**_CELL, "bold": not line.is_posting}
    if not line.account_code:
        style["bg_color"] = "#F2F2F2"
    book.text(Ref(accounts.name, row, 0), line.account_code, **style)
    book.text(Ref(accounts.name, row, 1), line.name_zh, **style, indent=line.level)
    book.text(
        Ref(accounts.name, row, 2), line.name_en, **style, indent=line.level, font_name=LATIN, font_size=9, shrink=True
    )
    sub_fund = name_of(SUB_FUNDS, line.sub_fund).zh if line.is_posting else ""
    book.text(Ref(accounts.name, row, 3), sub_fund, **style, align="center")
    for column in TRIAL_COLUMNS:
        parts = accounts.parts(place, column)
        book.figure(accounts.at(place, column), getattr(line, column), parts, **style, font_name=LATIN)
    signs = dict(zip(TRIAL_COLUMNS, (1, -1, 1, -1, -1, 1), strict=True))
    movement = {column: (sign, accounts.at(place, column)) for column, sign in signs.items()}
    left = Sum(tuple(movement[column] for column in TRIAL_COLUMNS[:4]))
    right = Sum(tuple((-sign, ref) for sign, ref in (movement[column] for column in TRIAL_COLUMNS[4:])))
    book.comparison(Ref(accounts.name, row, 10), left, right, **style)


def maternity_sheet(
    book: Book,
    frame: Frame,
    statement: Grid,
    name: str,
    lines: Sequence[MaternityLine],
    totals: Mapping[str, MaternityFigures],
) -> Maternity:
    """Items and payment methods by account, each with its subtotal; the total is checked against the statement."""
    amounts = [totals[""].amount_year_to_date, totals[""].amount_month]
    layout = Layout(name, (24.0, 30.0, 18.0, 15.0, *[10.0, 10.0, money_width(amounts, 17.0)] * 2), one_page=True)
    _open(book, frame, layout, MATERNITY_TITLE, _MATERNITY_LABELS)
    for place, period in enumerate((Name("本月数", "Month"), Name("本年累计数", "Year to date"))):
        first = len(_MATERNITY_LABELS) + 3 * place
        head_cell(book, Ref(name, HEAD_ROWS - 2, first), period, (HEAD_ROWS - 2, first + 2))
        for offset, head in enumerate(_MATERNITY_HEADS):
            head_cell(book, Ref(name, HEAD_ROWS - 1, first + offset), head)
    row, subtotals = HEAD_ROWS, []
    for account_code, group in groupby(lines, key=lambda line: line.account_code):
        listed = list(group)
        items = [row + 1 + place for place in range(len(listed))]
        _maternity_row(book, name, row, (listed[0].account, Name("", "")), totals[account_code], items)
        for item_row, line in zip(items, listed, strict=True):
            _maternity_row(book, name, item_row, (line.item, line.method), line)
        subtotals.append(row)
        row = items[-1] + 1
    _maternity_row(book, name, row, (Name("合计", "Total"), Name("", "")), totals[""], subtotals, bg_color="#F2F2F2")
    maternity = Maternity(name, row)
    _maternity_check(book, maternity, statement)
    row_heights(book, name, range(HEAD_ROWS, row + 3), 18)
    finish(book, layout, signatures(book, layout, note(book, layout, row + 3, _PERSON_NOTE)))
    return maternity


def _maternity_check(book: Book, maternity: Maternity, statement: Grid) -> None:
    """Below the total the statement's line, and whether both are the same."""
    row, last = maternity.total_row + 1, len(_MATERNITY_LABELS) + len(MATERNITY_COLUMNS) - 1
    for place, label in enumerate((_STATEMENT_LINE, Name("核对", "Check"))):
        for column in range(last + 1):
            text = (label.zh, label.en)[column] if column < 2 else ""
            latin: Style = {"font_name": LATIN, "font_size": 9, "shrink": True} if column == 1 else {}
            book.text(Ref(maternity.name, row + place, column), text, **_CELL, **latin)
    for amount, period in (("amount_month", "month.total"), ("amount_year_to_date", "year_to_date.total")):
        total, line = maternity.total(amount), statement.one("E113", period)
        at = total.terms[0][1]._replace(row=row)
        book.figure(at, book.total(line), line, **_CELL, font_name=LATIN)
        book.comparison(at._replace(row=row + 1), total, Sum(((1, at),)), **_CELL, bold=True)


def _maternity_row(
    book: Book,
    name: str,
    row: int,
    labels: tuple[Name, Name],
    figures: MaternityFigures,
    parts: Sequence[int] | None = None,
    **extra: object,
) -> None:
    style: Style = {**_CELL, "bold": parts is not None, **extra}
    item, method = labels
    indent = 0 if parts is not None else 1
    book.text(Ref(name, row, 0), item.zh, **style, indent=indent)
    book.text(Ref(name, row, 1), item.en, **style, indent=indent, font_name=LATIN, font_size=9, shrink=True)
    book.text(Ref(name, row, 2), method.zh, **style)
    book.text(Ref(name, row, 3), method.en, **style, font_name=LATIN, font_size=9, shrink=True)
    for offset, column in enumerate(MATERNITY_COLUMNS):
        at = len(_MATERNITY_LABELS) + offset
        formula = None if parts is None else Sum(tuple((1, Ref(name, part, at)) for part in parts))
        shape: Style = {} if column.startswith("amount") else {"num_format": COUNT}
        book.figure(Ref(name, row, at), getattr(figures, column), formula, **style, font_name=LATIN, **shape)


def monthly_sheet(
    book: Book, frame: Frame, name: str, lines: Sequence[Line], values: Mapping[tuple[str, str], Decimal]
) -> Grid:
    """The statement's months of a year side by side, in total; the last column adds them up."""
    columns = tuple(dict.fromkeys(column for _, column in values))
    widths = (*LABEL_WIDTHS, *[money_width(values.values(), 13.0)] * len(columns))
    layout = Layout(name, widths, one_page=True, frozen_columns=len(LABELS))
    grid = Grid(name, tuple(lines), {line.line_code: (HEAD_ROWS + at, 0) for at, line in enumerate(lines)}, columns)
    period = f"{columns[0][:4]}年"
    _open(book, frame, layout, MONTHLY_TITLE, LABELS, period)
    for offset, column in enumerate(columns):
        at = len(LABELS) + offset
        shown = Name(f"{int(column[5:])}月", column) if column != YEAR else Name("本年累计数", "Year to date")
        head_cell(book, Ref(name, HEAD_ROWS - 2, at), shown, (HEAD_ROWS - 1, at))
    line_labels(book, grid)
    fill_yuan(book, grid, values)
    for line in lines:
        _add_up(book, grid, line, values[line.line_code, YEAR])
    row_heights(book, name, range(HEAD_ROWS, HEAD_ROWS + len(lines)), 15.5)
    finish(book, layout, signatures(book, layout, HEAD_ROWS + len(lines)))
    return grid


def _add_up(book: Book, grid: Grid, line: Line, value: Decimal) -> None:
    """The year's column of a line without formula: the sum of its months; for the opening, that of the first."""
    if line.terms:
        return
    months = [column for column in grid.columns if column != YEAR]
    chosen = months[:1] if line.line_code == _OPENING_LINE else months
    formula = Sum(tuple((1, grid.at(line.line_code, column)) for column in chosen))
    book.figure(grid.at(line.line_code, YEAR), value, formula, border=1, font_name=LATIN)


def _open(book: Book, frame: Frame, layout: Layout, title: Name, labels: Sequence[Name], period: str = "") -> None:
    sheet = open_sheet(book, frame, layout)
    heading(book, frame, layout, title, YUAN, period)
    sheet.set_row(HEAD_ROWS - 2, 28)
    sheet.set_row(HEAD_ROWS - 1, 28)
    label_heads(book, layout.name, HEAD_ROWS - 2, 0, labels)
