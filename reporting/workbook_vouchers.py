"""Voucher register and journal of the month: from voucher to lines, and from a line to file and line of its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from reporting.names import BUSINESS_TYPES, SUB_FUNDS, Name, name_of
from reporting.vouchers import Listing, Voucher, VoucherLine
from reporting.workbook_cells import COUNT, Book, Ref, Style, Sum
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
    note,
    open_sheet,
    row_heights,
    signatures,
)

REGISTER_TITLE = Name("记账凭证登记簿", "Register of Vouchers")
JOURNAL_TITLE = Name("记账凭证明细", "Journal by Voucher")
VOUCHERS_MOST, LINES_MOST = 5_000, 10_000
_FIRST = HEAD_ROWS - 1
_REGISTER_HEADS = (
    Name("凭证号", "Voucher"),
    Name("记账日期", "Date"),
    Name("业务类型", "Business type"),
    Name("分录数", "Entries"),
    Name("借方合计", "Debit"),
    Name("贷方合计", "Credit"),
    Name("附件张数", "Attachments"),
    Name("制单", "Prepared by"),
    Name("复核", "Reviewed by"),
)
_JOURNAL_HEADS = (
    Name("凭证号", "Voucher"),
    Name("记账日期", "Date"),
    Name("分录", "Entry"),
    Name("行", "Line"),
    Name("摘要", "Summary"),
    Name("科目代码", "Account"),
    Name("科目名称", "Name"),
    Name("分账", "Sub-fund"),
    Name("借方金额", "Debit"),
    Name("贷方金额", "Credit"),
    Name("来源文件", "Source file"),
    Name("行号", "Line in it"),
)
_REGISTER_NOTE = Name(
    "注：点击凭证号可至其分录。“复核”为登记本簿时已复核者，其后的复核见 marts.voucher。",
    "Note: a voucher's number leads to its lines. Reviews are those recorded by then; later ones are in marts.voucher.",
)
_JOURNAL_NOTE = Name(
    "注：点击凭证号可回登记簿。摘要不含结算号、税票号，全部列见 marts.general_ledger。"
    "来源文件的行号以表头为第1行，流水线自身的分录没有来源文件。",
    "Note: a voucher's number leads back to the register. Settlement and receipt numbers are left out;"
    " marts.general_ledger has them. Lines of a file count from its header as 1; the pipeline's own entries have none.",
)
_TOTAL, _LISTED_TOTAL = Name("合计", "Total"), Name("所列合计", "Total of what is listed")
_CELL: Style = {"border": 1}
_LINK: Style = {**_CELL, "font_color": "#0563C1", "underline": 1, "align": "center"}


@dataclass(frozen=True)
class Totals:
    """The row of a sheet that adds up what is listed above it; `whole` when that is all there is."""

    name: str
    row: int
    columns: tuple[int, int]
    whole: bool

    def side(self, side: int) -> Sum:
        """The cell of the debits (0) or the credits (1)."""
        return Sum(((1, Ref(self.name, self.row, self.columns[side])),))


def register_sheet(book: Book, frame: Frame, name: str, listing: Listing, journal: str) -> Totals:
    """The month's vouchers, each with a link to the first of its lines on the sheet `journal`, and their total."""
    amounts = [amount for voucher in listing.vouchers for amount in (voucher.debit_amount, voucher.credit_amount)]
    widths = (9.0, 11.0, 16.0, 8.0, *[_total_width(amounts)] * 2, 13.0, 34.0, 16.0)
    layout = Layout(name, widths, repeated=_FIRST)
    _open(book, frame, layout, REGISTER_TITLE, _REGISTER_HEADS)
    first_lines = _rows_of([line.voucher_no for line in listing.lines])
    for place, voucher in enumerate(listing.vouchers):
        _voucher_row(book, name, _FIRST + place, voucher, journal, first_lines.get(voucher.voucher_no))
    totals = Totals(name, _FIRST + len(listing.vouchers), (4, 5), len(listing.vouchers) == listing.voucher_count)
    row_heights(book, name, range(_FIRST, totals.row + 1), 15.0)
    _total_row(book, layout, totals, counted=(3, 6))
    row = note(book, layout, totals.row + 1, _REGISTER_NOTE)
    row = _tell_rest(book, layout, row, len(listing.vouchers), listing.voucher_count, "marts.voucher", frame)
    finish(book, layout, signatures(book, layout, row))
    return totals


def journal_sheet(book: Book, frame: Frame, name: str, listing: Listing, register: str) -> Totals:
    """The lines of the month's vouchers in their order, each with a link to its voucher on the sheet `register`."""
    amounts = [amount for line in listing.lines for amount in (line.debit_amount, line.credit_amount)]
    widths = (9.0, 11.0, 16.0, 5.0, 46.0, 12.0, 24.0, 9.5, *[_total_width(amounts)] * 2, 34.0, 8.0)
    layout = Layout(name, widths, repeated=_FIRST)
    _open(book, frame, layout, JOURNAL_TITLE, _JOURNAL_HEADS)
    vouchers = _rows_of([voucher.voucher_no for voucher in listing.vouchers])
    for place, line in enumerate(listing.lines):
        _line_row(book, name, _FIRST + place, line, register, vouchers.get(line.voucher_no))
    totals = Totals(name, _FIRST + len(listing.lines), (8, 9), len(listing.lines) == listing.line_count)
    _total_row(book, layout, totals)
    row = note(book, layout, totals.row + 1, _JOURNAL_NOTE)
    row = _tell_rest(book, layout, row, len(listing.lines), listing.line_count, "marts.general_ledger", frame)
    finish(book, layout, row)
    return totals


def _total_width(amounts: Sequence[Decimal]) -> float:
    """Both sides together are no less than any total of one."""
    return money_width([*amounts, sum(amounts, Decimal(0))])


def _total_row(book: Book, layout: Layout, totals: Totals, counted: Sequence[int] = ()) -> None:
    """Sums of what is listed; what is not listed is told below."""
    style: Style = {**_CELL, "bold": True, "bg_color": "#F2F2F2"}
    for column in range(len(layout.widths)):
        book.text(Ref(totals.name, totals.row, column), "", **style)
    title = _TOTAL if totals.whole else _LISTED_TOTAL
    book.text(Ref(totals.name, totals.row, 0), f"{title.zh} {title.en}", (totals.row, 2), **style)
    for column in (*counted, *totals.columns):
        above = Sum(tuple((1, Ref(totals.name, row, column)) for row in range(_FIRST, totals.row)))
        kept: Style = {"num_format": COUNT} if column in counted else {}
        book.figure(Ref(totals.name, totals.row, column), book.total(above), above, font_name=LATIN, **style, **kept)


def _voucher_row(book: Book, name: str, row: int, voucher: Voucher, journal: str, target: int | None) -> None:
    _link(book, Ref(name, row, 0), voucher.voucher_no, journal, target)
    texts = {1: f"{voucher.posting_date:%Y-%m-%d}", 2: name_of(BUSINESS_TYPES, voucher.business_type).zh}
    texts |= {7: voucher.prepared_by, 8: voucher.reviewed_by}
    for column, text in texts.items():
        book.text(Ref(name, row, column), text, **_CELL, shrink=True)
    for column, count in ((3, voucher.entry_count), (6, voucher.attachment_count)):
        book.figure(Ref(name, row, column), count, num_format=COUNT, font_name=LATIN, **_CELL)
    for column, amount in ((4, voucher.debit_amount), (5, voucher.credit_amount)):
        book.figure(Ref(name, row, column), amount, font_name=LATIN, **_CELL)


def _line_row(book: Book, name: str, row: int, line: VoucherLine, register: str, target: int | None) -> None:
    _link(book, Ref(name, row, 0), line.voucher_no, register, target)
    texts = {
        1: f"{line.posting_date:%Y-%m-%d}",
        2: line.entry_id,
        3: str(line.line_no),
        4: line.summary,
        5: line.account_code,
        6: line.account_name,
        7: name_of(SUB_FUNDS, line.sub_fund).zh,
        10: line.source_file,
        11: "" if line.source_line is None else str(line.source_line),
    }
    for column, text in texts.items():
        book.text(Ref(name, row, column), text, **_CELL, shrink=True)
    for column, amount in ((8, line.debit_amount), (9, line.credit_amount)):
        book.figure(Ref(name, row, column), amount, font_name=LATIN, **_CELL)


def _link(book: Book, ref: Ref, number: int, sheet: str, row: int | None) -> None:
    """A voucher's number; a link where the voucher stands on the other sheet."""
    if row is None:
        book.text(ref, str(number), **_CELL, align="center")
    else:
        target = f"internal:'{sheet}'!A{_FIRST + row + 1}"
        book.xlsx.get_worksheet_by_name(ref.sheet).write_url(ref.row, ref.col, target, book.style(**_LINK), str(number))


def _rows_of(numbers: Sequence[int]) -> dict[int, int]:
    """Place of the first row of each number."""
    found: dict[int, int] = {}
    for place, number in enumerate(numbers):
        found.setdefault(number, place)
    return found


def _tell_rest(book: Book, layout: Layout, row: int, listed: int, there: int, relation: str, frame: Frame) -> int:
    if listed >= there:
        return row
    where = (
        f"{relation}（region_code = '{frame.region.region_code}'，fund_code = '{frame.fund_code}'，"
        f"accounting_month = '{frame.month:%Y-%m-%d}'）"
    )
    text = Name(
        f"另有 {there - listed:,} 行未列出，见 {where}。",
        f"{there - listed:,} more rows are not listed here: {relation}.",
    )
    return note(book, layout, row, text, font_color="#C00000")


def _open(book: Book, frame: Frame, layout: Layout, title: Name, heads: Sequence[Name]) -> None:
    sheet = open_sheet(book, frame, layout)
    heading(book, frame, layout, title, YUAN)
    sheet.set_row(_FIRST - 1, 28)
    for column, head in enumerate(heads):
        head_cell(book, Ref(layout.name, _FIRST - 1, column), head)
