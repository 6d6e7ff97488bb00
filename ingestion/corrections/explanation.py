"""The second sheet of a workbook of corrections: how to correct the rows and send them back, in both languages."""

from __future__ import annotations

from collections.abc import Sequence

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from ingestion.contracts import FAMILIES
from ingestion.contracts.columns import Kind
from ingestion.corrections import SHEET
from ingestion.corrections.open_rows import OpenRow
from ingestion.profiles import ColumnMap, Feed

HOW_TO_SHEET = "说明 How to"
_STEPS = (
    (
        f"1. 在“{SHEET}”表中按“原因”逐行更正。橙色单元格有问题；黄色单元格的内容已遮盖或截断，须重新填写完整。",
        f"1. Correct the rows of sheet '{SHEET}' by their reasons. Orange cells are at fault; yellow ones were masked"
        " or cut off and must be filled in again.",
    ),
    (
        "2. 请按本来源一贯的写法填写（写法见下），单元格保持文本格式；日期也可写作2020-01-31。不要改动表头和灰色各列。",
        "2. Write values as this source always does (see below) and leave the cells formatted as text; a date may also"
        " read 2020-01-31. Do not change the header or the grey columns.",
    ),
    (
        "3. “隔离编号”须留在原行：更正后的行凭它销号，原来的业务编号缺失或有误也不要紧。"
        "不更正的行可以删去，它仍留在隔离区。",
        "3. Each row keeps its quarantine number: the corrected row settles the entry by it, even where the key was"
        " absent or wrong. A row that you do not correct may be deleted; it stays in the quarantine.",
    ),
    (
        "4. E-CONFLICT：同一编号已有不同内容入账。入账的有误，请换新编号报送冲正与重报；本行有误，请改为与已入账相同。",
        "4. E-CONFLICT: the key is in the log with other content. If the log is wrong, send a reversal and a new row"
        " under new keys; if this row is wrong, make it equal to what the log holds.",
    ),
    (
        "5. E-REF-…：所依据的原业务（或人员、政策）尚未到达，到达后自动入账；编号写错的才需要更正。",
        "5. E-REF-…: what the row refers to has not come yet; it loads by itself when it has. Correct it only if the"
        " reference is wrong.",
    ),
    (
        "6. 另存为.xlsx，放回同一来源的文件夹即可，无须清单。文件名开头到序号为止的部分"
        "（corrections.来源.类别.序号.）不能改，其后可以。",
        "6. Save it as .xlsx and put it into the folder of the same source, without a manifest. The name up to the"
        " number (corrections.source.family.number.) must stay, the rest may change.",
    ),
    (
        "7. 重复报送无妨：已入账的行计为重复，未更正的行不会重复计数。",
        "7. Sending it twice does no harm: rows in the log count as duplicates, rows left uncorrected are not counted"
        " again.",
    ),
)
_SHAPELESS_ZH = "以下各行无法分列（字段个数、引号或JSON有误），在更正表中只有编号，请整行补填："
_SHAPELESS_EN = (
    "Rows that could not be split into columns have a number only on the sheet of corrections. Fill them in whole:"
)
_NOT_KEPT = "（原文未留存，请按文件和行号查找 / text not kept, see the file and line）"
_UNITS = {"yuan": "元 yuan", "fen": "分 fen", "wan": "万元 ten thousand yuan"}


def write_explanation(
    book: Workbook, sheet: Worksheet, source_system: str, feed: Feed, shapeless: Sequence[OpenRow]
) -> None:
    """What to do, the rows without shape with file and line, and how each column is written."""
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    bold = book.add_format({"bold": True, "bg_color": "#D9E1F2", "text_wrap": True, "num_format": "@"})
    for place, width in enumerate((44, 44, 30, 60)):
        sheet.set_column(place, place, width)
    lines: list[tuple[bool, tuple[str, ...]]] = [
        (True, (f"隔离行更正表：{source_system} / {feed.family}", f"Corrections for {source_system} / {feed.family}"))
    ]
    lines += [(False, step) for step in _STEPS]
    if shapeless:
        lines.append((True, (_SHAPELESS_ZH, _SHAPELESS_EN)))
        lines.append((True, ("隔离编号 / Number", "文件 / File", "行号 / Line", "原文 / Text")))
        lines += [(False, (str(r.number), r.file_name, str(r.line_no), r.text or _NOT_KEPT)) for r in shapeless]
    lines.append((True, ("列 / Column", "含义 / Canonical column", "写法 / Form", "可用取值 / Values")))
    lines += [(False, _about(column, feed)) for column in feed.columns]
    for row, (is_title, texts) in enumerate(lines):
        for place, text in enumerate(texts):
            sheet.write_string(row, place, text, bold if is_title else wrapped)


def _about(column: ColumnMap, feed: Feed) -> tuple[str, ...]:
    canonical = FAMILIES[feed.family].column(column.to)
    match canonical.kind:
        case Kind.AMOUNT:
            form = _UNITS[column.form.unit]
        case Kind.DATE:
            form = ", ".join(column.form.date_formats)
        case Kind.MONTH:
            form = ", ".join(column.form.month_formats)
        case _:
            form = canonical.kind.value
    values = column.values if column.values is not None else canonical.values
    return column.source, column.to, form, ", ".join(values)
