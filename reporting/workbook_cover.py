"""The cover: whose books, of which month, published up to where, what the workbook holds and how to read it."""

from __future__ import annotations

from collections.abc import Sequence

from xlsxwriter.utility import xl_rowcol_to_cell

from reporting.names import Name
from reporting.workbook_cells import BALANCED, UNBALANCED, Book, Ref
from reporting.workbook_page import (
    LATIN,
    Frame,
    Layout,
    beijing,
    finish,
    month_zh,
    note,
    open_sheet,
    row_heights,
    signatures,
)

COVER = "封面"
_LAYOUT = Layout(COVER, (24.0, 26.0, 30.0, 36.0), portrait=True, one_page=True, repeated=0)
_WARNING_ROW = 3
_READING = (
    Name(
        "一、金额单位：除标明“万元”者外均为元，保留两位小数；负数以红字列示。收付实现制。",
        "Amounts are in yuan unless a sheet says 万元 (10,000 yuan); negative amounts are red. Cash basis.",
    ),
    Name(
        "二、小计、合计及核对栏均为公式，公式结果应与账簿一致；“不平”即须查明原因后方可签章。",
        "Totals and checks are formulas and must come to the books' figures: explain every 不平 before signing.",
    ),
    Name(
        "三、“其中”项目含在上一行内，不另计入合计；统筹基金＋个人账户＝合计。",
        "Lines marked 其中 are part of the line above and not added again; pooled + personal = total.",
    ),
    Name(
        "四、本表全部数据截至上列事件序号，检查结果截至发布时间；账簿可据链式哈希核对。本表不列个人信息。",
        "Figures are as of the seq above, checks as of the publication; the hash names the books. No personal data.",
    ),
    Name(
        "五、绝对值达到10万亿元的金额超出电子表格15位有效数字，以文本列示，不参与公式。",
        "Figures from 10,000,000,000,000 yuan on exceed a spreadsheet's 15 digits: written as text, outside formulas.",
    ),
)


def open_cover(book: Book, frame: Frame) -> None:
    """The first sheet, still empty; it is filled when the others are known."""
    open_sheet(book, frame, _LAYOUT)


def fill_cover(book: Book, frame: Frame, contents: Sequence[tuple[str, Name]], states: Sequence[Ref]) -> None:
    """Title, facts of the publication, contents with links, how to read, signatures."""
    sheet = book.xlsx.get_worksheet_by_name(COVER)
    sheet.set_row(0, 44)
    title = f"{frame.fund.zh}会计报表"
    book.text(Ref(COVER, 0, 0), title, (0, 3), font_name="黑体", font_size=20, align="center")
    english = f"Financial Statements: {frame.fund.en}"
    book.text(Ref(COVER, 1, 0), english, (1, 3), font_name=LATIN, font_size=11, align="center")
    book.text(Ref(COVER, 2, 0), month_zh(frame.month), (2, 3), font_size=14, align="center", bold=True)
    row = _overall(book, _facts(book, frame, 4), states)
    row_heights(book, COVER, range(4, row), 21)
    row = _contents(book, row + 1, contents)
    for line in _READING:
        row = note(book, _LAYOUT, row, line)
    finish(book, _LAYOUT, signatures(book, _LAYOUT, row + 1))


def warn_on_cover(book: Book, warning: Name) -> None:
    """What must be known before a figure is used, in the row between the month and the facts."""
    said = f"注意：{warning.zh}。 Attention: {warning.en}."
    book.xlsx.get_worksheet_by_name(COVER).set_row(_WARNING_ROW, 60)
    style: dict[str, object] = {
        "bold": True,
        "font_color": "#C00000",
        "border": 2,
        "border_color": "#C00000",
        "text_wrap": True,
    }
    book.text(Ref(COVER, _WARNING_ROW, 0), said, (_WARNING_ROW, 3), **style)


def _facts(book: Book, frame: Frame, row: int) -> int:
    region, head = frame.region, frame.head
    merger = f"{region.merger_date:%Y-%m-%d}" if region.merger_date else "未定"
    facts = (
        (Name("编制单位（公章）", "Reporting unit"), ""),
        (Name("统筹区", "Region"), f"{frame.place} {region.name_en}"),
        (Name("会计月份", "Accounting month"), f"{month_zh(frame.month)}（{frame.month:%Y-%m}）"),
        (Name("两项保险合并日期", "Merger date"), merger),
        (Name("已发布至事件序号", "Published through seq"), f"{head.seq:,}"),
        (Name("发布时间（北京时间）", "Published at (Beijing)"), beijing(head.published_at)),
        (Name("发布运行", "Publishing run"), head.run_id),
        (Name("链式哈希", "Chain hash"), head.batch_hash),
        (Name("记账规则 SHA-256", "Rules SHA-256"), head.rules_sha256),
    )
    for place, (name, value) in enumerate(facts):
        book.text(Ref(COVER, row + place, 0), name.zh, border=1, bold=True)
        book.text(Ref(COVER, row + place, 1), name.en, border=1, font_name=LATIN, font_size=9)
        book.text(Ref(COVER, row + place, 2), value, (row + place, 3), border=1, font_size=9)
    return row + len(facts)


def _overall(book: Book, row: int, states: Sequence[Ref]) -> int:
    """Whether every cross-check holds, counted where they stand."""
    sheet = book.xlsx.get_worksheet_by_name(COVER)
    book.text(Ref(COVER, row, 0), "报表勾稽关系", border=1, bold=True)
    book.text(Ref(COVER, row, 1), "Cross-checks of the statements", border=1, font_name=LATIN, font_size=9)
    first, last = (xl_rowcol_to_cell(ref.row, ref.col) for ref in (states[0], states[-1]))
    holds = book.balanced()
    state = BALANCED if all(holds[ref] for ref in states) else UNBALANCED
    style = book.style(border=1, bold=True, align="left")
    sheet.merge_range(row, 2, row, 3, "", style)
    counted = f"COUNTIF('{states[0].sheet}'!{first}:{last},\"{BALANCED}\")={len(states)}"
    sheet.write_formula(row, 2, f'=IF({counted},"{BALANCED}","{UNBALANCED}")', style, state)
    return row + 1


def _contents(book: Book, row: int, contents: Sequence[tuple[str, Name]]) -> int:
    sheet = book.xlsx.get_worksheet_by_name(COVER)
    book.text(Ref(COVER, row, 0), "目录 Contents", (row, 3), bold=True, font_size=12, bottom=1)
    link = book.style(font_color="#0563C1", underline=1)
    row_heights(book, COVER, range(row, row + len(contents) + 1), 18)
    for place, (name, title) in enumerate(contents):
        at = row + 1 + place
        sheet.write_url(at, 0, f"internal:'{name}'!A1", link, name)
        book.text(Ref(COVER, at, 1), title.zh, (at, 2))
        book.text(Ref(COVER, at, 3), title.en, font_name=LATIN, font_size=9)
    return row + len(contents) + 2
