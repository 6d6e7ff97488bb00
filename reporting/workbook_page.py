"""What every printed sheet has: title, unit of account, month, place for signatures and seal, A4 settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from xlsxwriter.worksheet import Worksheet

from reporting.books import Head, Region
from reporting.names import FUNDS, Name, name_of
from reporting.workbook_cells import Book, Ref, neutral

BEIJING = ZoneInfo("Asia/Shanghai")
YUAN, TEN_THOUSAND_YUAN = Name("元", "yuan"), Name("万元", "10,000 yuan")
LATIN = "Times New Roman"
HEAD_ROWS = 5  # title, its translation, unit of account, and two rows of column heads
_SIGNATURES = (
    Name("单位负责人（签章）：", "Head of the unit"),
    Name("主管会计工作负责人（签章）：", "Officer in charge of accounting"),
    Name("会计机构负责人（签章）：", "Head of the accounting office"),
    Name("制表人（签章）：", "Prepared by"),
)
_WIDEST_PAPER = 9
_LONGEST_PART = 48


@dataclass(frozen=True)
class Frame:
    """What a sheet belongs to."""

    region: Region
    head: Head
    fund_code: str
    month: date

    @property
    def fund(self) -> Name:
        """The fund's name; after the merger the medical fund says that it holds maternity insurance."""
        name = name_of(FUNDS, self.fund_code)
        if self.fund_code == "EMI" and self.region.merger_date and self.month >= self.region.merger_date.replace(day=1):
            return Name(f"{name.zh}（含生育保险）", f"{name.en} (with maternity insurance)")
        return name

    @property
    def place(self) -> str:
        """The region with its code."""
        return f"{self.region.name_zh}（{self.region.region_code}）"


@dataclass(frozen=True)
class Layout:
    """A sheet's columns by width, and how many rows repeat on each printed page."""

    name: str
    widths: tuple[float, ...]
    portrait: bool = False
    one_page: bool = False
    repeated: int = HEAD_ROWS
    frozen_columns: int = 0


def month_zh(month: date) -> str:
    """2020年6月."""
    return f"{month.year}年{month.month}月"


def beijing(moment: datetime) -> str:
    """A moment on Beijing's clock."""
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def open_sheet(book: Book, frame: Frame, layout: Layout) -> Worksheet:
    """A new sheet with column widths and print settings."""
    sheet = book.sheet(layout.name)
    for column, width in enumerate(layout.widths):
        sheet.set_column(column, column, width, book.style())
    sheet.set_paper(_WIDEST_PAPER)
    (sheet.set_portrait if layout.portrait else sheet.set_landscape)()
    sheet.fit_to_pages(1, 1 if layout.one_page else 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.65, bottom=0.6)
    sheet.center_horizontally()
    sheet.hide_gridlines(2)
    if layout.repeated:
        sheet.repeat_rows(0, layout.repeated - 1)
        sheet.freeze_panes(layout.repeated, layout.frozen_columns)
    sheet.set_header(_band(_escaped(frame.place), _escaped(frame.fund.zh), month_zh(frame.month)))
    published = f"seq {frame.head.seq:,} · {frame.head.batch_hash[:12]}"
    sheet.set_footer(_band(_escaped(f"运行 run {frame.head.run_id}"), "第 &P 页 共 &N 页", published))
    return sheet


def heading(book: Book, frame: Frame, layout: Layout, title: Name, unit: Name | None, row_three: str = "") -> None:
    """Title in both languages, and the line with unit of account, month and unit of money."""
    last = len(layout.widths) - 1
    sheet = book.xlsx.get_worksheet_by_name(layout.name)
    sheet.set_row(0, 30)
    book.text(
        Ref(layout.name, 0, 0), f"{frame.fund.zh}{title.zh}", (0, last), font_name="黑体", font_size=16, align="center"
    )
    book.text(
        Ref(layout.name, 1, 0), f"{frame.fund.en}: {title.en}", (1, last), font_name=LATIN, font_size=9, align="center"
    )
    sheet.set_row(2, 20)
    left, middle, right = spread(layout.widths, 3)
    book.text(Ref(layout.name, 2, left[0]), "编制单位（公章）：", (2, left[1]))
    period = f"统筹区：{frame.place}    {row_three or month_zh(frame.month)}"
    book.text(Ref(layout.name, 2, middle[0]), period, (2, middle[1]), align="center")
    shown = f"单位：{unit.zh} / unit: {unit.en}" if unit else ""
    book.text(Ref(layout.name, 2, right[0]), shown, (2, right[1]), align="right")


def head_cell(book: Book, ref: Ref, name: Name, to: tuple[int, int] | None = None) -> None:
    """A column head in both languages."""
    style = {"bold": True, "align": "center", "border": 1, "bg_color": "#E7E6E6", "text_wrap": True}
    book.text(ref, f"{name.zh}\n{name.en}" if name.en else name.zh, to, **style)


def signatures(book: Book, layout: Layout, row: int) -> int:
    """Places to sign, seal and date; returns the row after them. Basis: 会计法 art. 21."""
    sheet = book.xlsx.get_worksheet_by_name(layout.name)
    sheet.set_row(row, 26)
    for (first, last), name in zip(spread(layout.widths, len(_SIGNATURES)), _SIGNATURES, strict=True):
        book.text(Ref(layout.name, row, first), name.zh, (row, last), valign="bottom")
        book.text(Ref(layout.name, row + 1, first), name.en, (row + 1, last), font_name=LATIN, font_size=8)
    left, right = spread(layout.widths, 2)
    sheet.set_row(row + 2, 26)
    book.text(Ref(layout.name, row + 2, left[0]), "（单位公章） Seal of the unit", (row + 2, left[1]), valign="bottom")
    date_line = "报出日期：        年      月      日  Date"
    book.text(Ref(layout.name, row + 2, right[0]), date_line, (row + 2, right[1]), valign="bottom", align="right")
    return row + 3


def lines_needed(text: str, width: float) -> int:
    """Lines that a text takes in a column of this width; Chinese characters take two places."""
    places = sum(2 if ord(character) > 0x2E80 else 1 for character in text)
    return max(1, -int(-places // (width * 1.1)))


def row_heights(book: Book, name: str, rows: range, height: float) -> None:
    """Give these rows the same height."""
    sheet = book.xlsx.get_worksheet_by_name(name)
    for row in rows:
        sheet.set_row(row, height)


def finish(book: Book, layout: Layout, rows: int) -> None:
    """Set the print area to the rows used."""
    sheet = book.xlsx.get_worksheet_by_name(layout.name)
    sheet.print_area(0, 0, rows - 1, len(layout.widths) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{rows}"})


def note(book: Book, layout: Layout, row: int, text: Name, **style: object) -> int:
    """A note over the width of the sheet, in both languages; returns the row after it."""
    last = len(layout.widths) - 1
    sheet = book.xlsx.get_worksheet_by_name(layout.name)
    joined = f"{text.zh}  {text.en}"
    sheet.set_row(row, 14.5 * lines_needed(joined, sum(layout.widths)))
    book.text(Ref(layout.name, row, 0), joined, (row, last), font_size=9, text_wrap=True, valign="top", **style)
    return row + 1


def spread(widths: Sequence[float], parts: int) -> list[tuple[int, int]]:
    """Neighbouring columns in `parts` groups of about the same width, as first and last column."""
    groups: list[tuple[int, int]] = []
    total, first, reached = sum(widths), 0, 0.0
    for column, width in enumerate(widths):
        reached += width
        missing = parts - len(groups)
        wide_enough = sum(widths[first : column + 1]) >= 0.6 * total / parts
        enough = wide_enough and reached >= total * (len(groups) + 1) / parts - width / 2
        if missing > 1 and (enough or len(widths) - column <= missing):
            groups.append((first, column))
            first = column + 1
    return [*groups, (first, len(widths) - 1)]


def _band(left: str, middle: str, right: str) -> str:
    """A page header or footer."""
    font = '&"宋体,Regular"&8 '  # the space keeps a figure that follows out of the font size
    return f"&L{font}{left}&C{font}{middle}&R{font}{right}"


def _escaped(text: str) -> str:
    """A text as part of a page header, which takes 255 units of UTF-16 in all and gives `&` a meaning."""
    return neutral(text).replace("&", "＆")[:_LONGEST_PART]
