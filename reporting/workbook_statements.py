"""The income and expenditure statement and the balance sheet, in yuan and in 10,000 yuan."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from decimal import Decimal

from reporting.books import Balance, BalanceLine, Line, StatementLine
from reporting.names import SUB_FUNDS, Name
from reporting.workbook_cells import Book, Ref, in_ten_thousands
from reporting.workbook_grid import (
    LABEL_WIDTHS,
    LABELS,
    ROUNDING,
    Grid,
    fill_ten_thousands,
    fill_yuan,
    label_heads,
    line_labels,
    money_width,
    rounding_line,
)
from reporting.workbook_page import (
    HEAD_ROWS,
    TEN_THOUSAND_YUAN,
    YUAN,
    Frame,
    Layout,
    finish,
    head_cell,
    heading,
    month_zh,
    note,
    open_sheet,
    row_heights,
    signatures,
)

STATEMENT_TITLE = Name("收支表", "Income and Expenditure Statement")
BALANCE_TITLE = Name("资产负债表", "Balance Sheet")
PERIODS = {"month": Name("本月数", "Month"), "year_to_date": Name("本年累计数", "Year to date")}
INSTANTS = {
    "year_opening": Name("年初余额", "Start of year"),
    "opening": Name("月初余额", "Start of month"),
    "closing": Name("期末余额", "End of month"),
}
_SHOWN_SUB_FUNDS = ("total", "pooled", "personal")
_STATEMENT_COLUMNS = tuple(f"{period}.{sub_fund}" for period in PERIODS for sub_fund in _SHOWN_SUB_FUNDS)
_BALANCE_LABELS = (
    (*LABELS[:2], Name("资产", "Assets")),
    (*LABELS[:2], Name("负债和净资产", "Liabilities and net assets")),
)
_OF_STATEMENT = ((1, "S30"), (-1, "S20"), (-1, "S10"), (-1, "S25"))
_OF_BALANCE = ((1, "A90"), (-1, "L90"), (-1, "N90"))
_INCOMPLETE = Name(
    "注：账簿于年度中间建立，本年累计数自建账月份起计算。",
    "Note: the books were opened in the course of the year; the year to date starts with that month.",
)
_IN_TEN_THOUSANDS = Name(
    "注：各明细项目由元表逐项折算并四舍五入，小计、合计由本表所列明细相加，余额直接折算，差额列入“四舍五入尾差”。以元表为准。",
    "Note: items are converted from the sheet in yuan one by one and rounded, totals add up the items shown, balances"
    " are converted directly; what is left stands in the line of the rounding difference. The sheet in yuan prevails.",
)


def statement_sheet(book: Book, frame: Frame, name: str, listed: Sequence[StatementLine]) -> Grid:
    """The statement in yuan: month and year to date, each in total, pooled and personal."""
    values = {
        (line.line_code, f"{period}.{sub_fund}"): getattr(line.amounts[sub_fund], period)
        for line in listed
        for sub_fund in _SHOWN_SUB_FUNDS
        for period in PERIODS
    }
    notes = [] if all(line.year_to_date_complete for line in listed) else [_INCOMPLETE]
    grid = _statement(book, frame, name, YUAN, (listed, values.values(), notes))
    fill_yuan(book, grid, values)
    return grid


def statement_in_ten_thousands(book: Book, frame: Frame, name: str, yuan: Grid) -> Grid:
    """The statement in 10,000 yuan; the balance at the end is converted, and the rounding difference leads to it."""
    lines = [replace(line, terms=()) if line.line_code == "S30" else line for line in yuan.lines]
    lines.insert(-1, rounding_line(_OF_STATEMENT))
    grid = _statement(book, frame, name, TEN_THOUSAND_YUAN, (lines, _converted(book, yuan), [_IN_TEN_THOUSANDS]))
    fill_ten_thousands(book, grid, yuan)
    return grid


def balance_sheet(
    book: Book, frame: Frame, name: str, listed: Sequence[BalanceLine], year_opening: dict[str, Decimal]
) -> Grid:
    """The balance sheet in yuan: assets left, liabilities and net assets right."""
    values = {(code, "year_opening"): amount for code, amount in year_opening.items()}
    for line in listed:
        total: Balance = line.amounts["total"]
        values[line.line_code, "opening"], values[line.line_code, "closing"] = total
    grid = _balance(book, frame, name, YUAN, (listed, values.values(), []))
    fill_yuan(book, grid, values)
    return grid


def balance_in_ten_thousands(book: Book, frame: Frame, name: str, yuan: Grid) -> Grid:
    """The balance sheet in 10,000 yuan; the rounding difference stands before the total of the right side."""
    lines = [
        replace(line, terms=(*line.terms, (1, ROUNDING))) if line.line_code == "T90" else line for line in yuan.lines
    ]
    lines.insert(-1, rounding_line(_OF_BALANCE))
    grid = _balance(book, frame, name, TEN_THOUSAND_YUAN, (lines, _converted(book, yuan), [_IN_TEN_THOUSANDS]))
    fill_ten_thousands(book, grid, yuan)
    return grid


# In which "Personal accounts" stands on one line, in bold.
_HEAD_WIDTH = 18.0

Content = tuple[Sequence[Line], Iterable[Decimal], Sequence[Name]]


def _statement(book: Book, frame: Frame, name: str, unit: Name, content: Content) -> Grid:
    """Everything but the figures."""
    lines, values, notes = content
    widths = (*LABEL_WIDTHS, *[money_width(values, _HEAD_WIDTH)] * len(_STATEMENT_COLUMNS))
    layout = Layout(name, widths, one_page=True, frozen_columns=len(LABELS))
    places = {line.line_code: (HEAD_ROWS + place, 0) for place, line in enumerate(lines)}
    grid = Grid(name, tuple(map(_plain, lines)), places, _STATEMENT_COLUMNS)
    _open(book, frame, layout, STATEMENT_TITLE, unit)
    label_heads(book, name, HEAD_ROWS - 2, 0)
    for place, period in enumerate(PERIODS.values()):
        first = len(LABELS) + place * len(_SHOWN_SUB_FUNDS)
        head_cell(book, Ref(name, HEAD_ROWS - 2, first), period, (HEAD_ROWS - 2, first + 2))
        for offset, sub_fund in enumerate(_SHOWN_SUB_FUNDS):
            head_cell(book, Ref(name, HEAD_ROWS - 1, first + offset), SUB_FUNDS[sub_fund])
    line_labels(book, grid)
    row_heights(book, name, range(HEAD_ROWS, HEAD_ROWS + len(lines)), 15.5)
    _close(book, layout, HEAD_ROWS + len(lines), notes)
    return grid


def _balance(book: Book, frame: Frame, name: str, unit: Name, content: Content) -> Grid:
    """Everything but the figures; the last lines of both sides stand in one row."""
    lines, values, notes = content
    left = [line for line in lines if line.line_code.startswith("A")]
    right = [line for line in lines if line not in left]
    height, start = max(len(left), len(right)), len(_BALANCE_LABELS[0]) + len(INSTANTS)
    widths = (5.0, 6.0, 28.0, *[money_width(values)] * len(INSTANTS)) * 2
    layout = Layout(name, widths, one_page=True)
    places = {**_side(left, 0, height), **_side(right, start, height)}
    grid = Grid(name, tuple(map(_plain, lines)), places, tuple(INSTANTS), _BALANCE_LABELS[0])
    _open(book, frame, layout, BALANCE_TITLE, unit)
    row_heights(book, name, range(HEAD_ROWS, HEAD_ROWS + height), 29)
    for column, labels in zip((0, start), _BALANCE_LABELS, strict=True):
        label_heads(book, name, HEAD_ROWS - 2, column, labels)
        for offset, instant in enumerate(INSTANTS.values()):
            at = column + len(labels) + offset
            head_cell(book, Ref(name, HEAD_ROWS - 2, at), instant, (HEAD_ROWS - 1, at))
        _empty_cells(book, grid, column, height)
    line_labels(book, grid)
    _close(book, layout, HEAD_ROWS + height, notes)
    return grid


def _converted(book: Book, yuan: Grid) -> list[Decimal]:
    """A sheet's figures in 10,000 yuan, to choose widths by."""
    return [in_ten_thousands(book.value(yuan.at(line.line_code, at))) for line in yuan.lines for at in yuan.columns]


def _side(lines: Sequence[Line], start: int, height: int) -> dict[str, tuple[int, int]]:
    places = {line.line_code: (HEAD_ROWS + place, start) for place, line in enumerate(lines)}
    return {**places, lines[-1].line_code: (HEAD_ROWS + height - 1, start)} if lines else {}


def _empty_cells(book: Book, grid: Grid, start: int, height: int) -> None:
    """Borders where the shorter side has no line."""
    taken = {row for row, column in grid.places.values() if column == start}
    for row in set(range(HEAD_ROWS, HEAD_ROWS + height)) - taken:
        for offset in range(len(grid.labels) + len(INSTANTS)):
            book.text(Ref(grid.name, row, start + offset), "", border=1)


def _open(book: Book, frame: Frame, layout: Layout, title: Name, unit: Name) -> None:
    sheet = open_sheet(book, frame, layout)
    last_day = monthrange(frame.month.year, frame.month.month)[1]
    heading(book, frame, layout, title, unit, f"{month_zh(frame.month)}{last_day}日" if title == BALANCE_TITLE else "")
    sheet.set_row(HEAD_ROWS - 2, 28)
    sheet.set_row(HEAD_ROWS - 1, 28)


def _close(book: Book, layout: Layout, row: int, notes: Sequence[Name]) -> None:
    for remark in notes:
        row = note(book, layout, row, remark)
    finish(book, layout, signatures(book, layout, row))


def _plain(line: Line) -> Line:
    """The line without its amounts."""
    return Line(*(getattr(line, field.name) for field in fields(Line)))
