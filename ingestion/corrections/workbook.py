"""A workbook with open rows of one feed: to be corrected in place and sent back as it is.

Every value is written as text: nothing in it is ever a formula, a link or a number, whatever it begins with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from ingestion import reasons
from ingestion.corrections import ADDED, SHEET
from ingestion.corrections.explanation import HOW_TO_SHEET, write_explanation
from ingestion.corrections.open_rows import OpenRow
from ingestion.errors import CODES
from ingestion.mapping import RAW_FIELD_LENGTH_MAX
from ingestion.masking import IS_MASKED
from ingestion.profiles import Feed

ROWS_MAX = 50_000  # of one workbook
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_REASON_LENGTH_MAX = 2_000
_WIDTHS = (12, 60, 60, 28, 10)
_VALUE_WIDTH_MAX = 40
_TEXT = {"num_format": "@", "valign": "top"}
_STYLES: Mapping[str, Mapping[str, Any]] = {
    "plain": _TEXT,
    "given": {**_TEXT, "font_color": "#595959", "bg_color": "#F2F2F2", "text_wrap": True},
    "offending": {**_TEXT, "bg_color": "#F8CBAD"},
    "unfilled": {**_TEXT, "bg_color": "#FFE699"},
    "header": {**_TEXT, "bold": True, "bg_color": "#D9E1F2", "bottom": 1, "text_wrap": True},
    "header_given": {**_TEXT, "bold": True, "bg_color": "#D9D9D9", "bottom": 1, "text_wrap": True},
}
_UNFILLED_ZH = "黄色单元格的内容已遮盖或截断，请重新填写完整：{}"
_UNFILLED_EN = "yellow cells are masked or cut off, fill in the whole value: {}"


def write_workbook(path: Path, source_system: str, feed: Feed, rows: Sequence[OpenRow]) -> None:
    """Write at most `ROWS_MAX` rows: a sheet in the source's own columns, and one that says what to do with it."""
    columns = [column.source for column in feed.columns]
    with xlsxwriter.Workbook(str(path), _OPTIONS) as book:
        styles = {name: book.add_format(dict(properties)) for name, properties in _STYLES.items()}
        sheet = book.add_worksheet(SHEET)
        _set_up(sheet, columns, rows, styles)
        for place, row in enumerate(rows, start=1):
            _write_row(sheet, place, row, feed, styles)
        _explain(book, source_system, feed, rows)


def _set_up(sheet: Worksheet, columns: list[str], rows: Sequence[OpenRow], styles: Mapping[str, Format]) -> None:
    for place, width in enumerate(_WIDTHS):
        sheet.set_column(place, place, width)
    for place, name in enumerate(columns, start=len(ADDED)):
        longest = max([len(name), *(len((row.values or {}).get(name, "")) for row in rows)])
        sheet.set_column(place, place, min(2 * longest + 2, _VALUE_WIDTH_MAX), styles["plain"])
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(rows), len(ADDED) + len(columns) - 1)
    for place, name in enumerate([*ADDED, *columns]):
        sheet.write_string(0, place, name, styles["header_given" if place < len(ADDED) else "header"])


def _write_row(sheet: Worksheet, place: int, row: OpenRow, feed: Feed, styles: Mapping[str, Format]) -> None:
    values = row.values or {}
    unfilled = [column.source for column in feed.columns if is_unfilled(values.get(column.source, ""))]
    offending = frozenset[str]().union(*(reasons.columns(code, text, feed) for code, text in row.reasons))
    given = (str(row.number), *_reasons(row, unfilled), row.file_name, str(row.line_no))
    for column, text in enumerate(given):
        sheet.write_string(place, column, text, styles["given"])
    for column, name in enumerate((column.source for column in feed.columns), start=len(given)):
        style = "unfilled" if name in unfilled else "offending" if name in offending else "plain"
        if name in values:
            sheet.write_string(place, column, values[name], styles[style])
        else:
            sheet.write_blank(place, column, None, styles[style])


def is_unfilled(text: str) -> bool:
    """Whether a text is not the sender's own any more: masked, or cut off where it was kept."""
    return len(text) >= RAW_FIELD_LENGTH_MAX or re.search(IS_MASKED, text) is not None


def _reasons(row: OpenRow, unfilled: list[str]) -> tuple[str, str]:
    """All reasons in Chinese and in English, one a line."""
    chinese, english = [], []
    for code, text in row.reasons:
        zh, en, detail = reasons.parts(code, text)
        about = f" [{detail}]" if detail else ""
        chinese.append(f"{code} {zh}{about}" if code in CODES else zh)
        english.append(f"{code} {en}{about}" if code in CODES else en)
    if unfilled:
        chinese.append(_UNFILLED_ZH.format("、".join(unfilled)))
        english.append(_UNFILLED_EN.format(", ".join(unfilled)))
    return "\n".join(chinese)[:_REASON_LENGTH_MAX], "\n".join(english)[:_REASON_LENGTH_MAX]


def _explain(book: Workbook, source_system: str, feed: Feed, rows: Sequence[OpenRow]) -> None:
    sheet = book.add_worksheet(HOW_TO_SHEET)
    write_explanation(book, sheet, source_system, feed, [row for row in rows if row.values is None])
