"""The sheet 对账: what outside parties state for the month beside the books, and the items that make a difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from reporting.names import Name, name_of
from reporting.tie_out.reading import OUTCOMES, STATUSES, Figure, Item
from reporting.workbook_cells import Book, Ref, Style, Sum
from reporting.workbook_grid import money_width
from reporting.workbook_page import (
    HEAD_ROWS,
    LATIN,
    YUAN,
    Frame,
    Layout,
    finish,
    head_cell,
    heading,
    lines_needed,
    note,
    open_sheet,
    row_heights,
)

TIE_OUT_TITLE = Name("对账表", "Tie-out against Outside Statements")
ITEMS_MOST = 500
_FIGURE_HEADS = (
    Name("报表", "Statement"),
    Name("日期", "Date"),
    Name("账面数", "Ours"),
    Name("对方数", "Theirs"),
    Name("差额", "Difference"),
    Name("前期差额", "Carried"),
    Name("已说明", "Explained"),
    Name("未说明", "Unexplained"),
    Name("结论", "Outcome"),
)
_ITEM_HEADS = (
    Name("差异项：状态、所属报表数", "Items that differ: status, stated figure"),
    Name("日期", "Date"),
    Name("金额", "Amount"),
    Name("差额", "Difference"),
    Name("我方分录及来源", "Our entry and its source"),
    Name("对方报表行", "Their row"),
)
_NOTE = Name(
    "差额 = 账面 − 对方；余额类的前期差额在其发生月份说明；在途项在下一张报表中冲回。",
    "Difference: ours minus theirs. What a balance carries from before is explained in the month it arose; an item"
    " in transit is taken back by the next statement.",
)
_NONE = Name("本月没有外部报表。", "No outside statement for this month.")
_CELL: Style = {"border": 1, "text_wrap": True, "font_size": 9}


def tie_out_sheet(book: Book, frame: Frame, name: str, figures: Sequence[Figure], items: Sequence[Item]) -> None:
    """All figures stated for the frame's month, and at most 500 items; how many more there are is said."""
    money = money_width(_amounts(figures, items))
    layout = Layout(name, (46.0, 11.0, *[money] * 6, 18.0), repeated=HEAD_ROWS - 1)
    sheet = open_sheet(book, frame, layout)
    heading(book, frame, layout, TIE_OUT_TITLE, YUAN)
    sheet.set_row(HEAD_ROWS - 2, 28)
    for column, head in enumerate(_FIGURE_HEADS):
        head_cell(book, Ref(name, HEAD_ROWS - 2, column), head)
    row = HEAD_ROWS - 1
    for figure in figures:
        _figure_row(book, layout, row, figure)
        row += 1
    if not figures:
        row = note(book, layout, row, _NONE)
    if items:
        row = _item_rows(book, layout, row + 1, items)
    finish(book, layout, note(book, layout, row, _NOTE))


def _amounts(figures: Iterable[Figure], items: Iterable[Item]) -> list[Decimal]:
    return [
        *(amount for figure in figures for amount in (figure.ours_amount, figure.stated_amount, figure.difference)),
        *(item.amount for item in items),
    ]


def _figure_row(book: Book, layout: Layout, row: int, figure: Figure) -> None:
    what, outcome = figure.what, name_of(OUTCOMES, figure.status)
    texts = {0: f"{what.zh}\n{what.en}", 1: _day(figure.stated_on), 8: f"{outcome.zh}\n{outcome.en}"}
    amounts = (
        *(figure.ours_amount, figure.stated_amount, figure.difference),
        *(figure.carried_difference, figure.explained_amount, figure.unexplained_amount),
    )
    ours, theirs, difference, carried, explained, _ = cells = [Ref(layout.name, row, 2 + place) for place in range(6)]
    formulas = {
        cells[2]: Sum(((1, ours), (-1, theirs))),
        cells[5]: Sum(((1, difference), (-1, carried), (-1, explained))),
    }
    _write_row(book, layout, row, texts, dict(enumerate(amounts, start=2)), formulas)


def _item_rows(book: Book, layout: Layout, row: int, items: Sequence[Item]) -> int:
    spans = ((0, 0), (1, 1), (2, 2), (3, 3), (4, 6), (7, 8))
    row_heights(book, layout.name, range(row, row + 1), 28)
    for (first, last), head in zip(spans, _ITEM_HEADS, strict=True):
        head_cell(book, Ref(layout.name, row, first), head, (row, last) if last > first else None)
    for item in items[:ITEMS_MOST]:
        row += 1
        status = name_of(STATUSES, item.status)
        texts = {
            0: f"{status.zh} / {status.en}：{item.fund_code} {item.place} {item.stated_on}",
            1: _day(item.item_date),
        }
        _write_row(book, layout, row, texts, {2: item.amount, 3: item.difference})
        book.text(Ref(layout.name, row, 4), item.ours, (row, 6), **_CELL)
        book.text(Ref(layout.name, row, 7), item.theirs, (row, 8), **_CELL)
        needed = max(lines_needed(item.ours, 3 * layout.widths[4]), lines_needed(item.theirs, layout.widths[7] + 18), 2)
        row_heights(book, layout.name, range(row, row + 1), 13.5 * needed + 2)
    row += 1
    if (left := len(items) - ITEMS_MOST) > 0:
        row = note(
            book,
            layout,
            row,
            Name(f"另有 {left:,} 项，见 marts.tie_out_item。", f"{left:,} more are in marts.tie_out_item."),
        )
    return row


def _write_row(
    book: Book,
    layout: Layout,
    row: int,
    texts: dict[int, str],
    amounts: dict[int, Decimal],
    formulas: Mapping[Ref, Sum] = MappingProxyType({}),
) -> None:
    for column, text in texts.items():
        book.text(Ref(layout.name, row, column), text, **_CELL)
    for column, amount in amounts.items():
        cell = Ref(layout.name, row, column)
        book.figure(cell, amount, formulas.get(cell), border=1, font_name=LATIN)
    needed = max(
        sum(lines_needed(part, layout.widths[column]) for part in text.split("\n")) for column, text in texts.items()
    )
    row_heights(book, layout.name, range(row, row + 1), 13.5 * needed + 2)


def _day(day: date) -> str:
    return f"{day:%Y-%m-%d}"
