"""The parameters as a workbook for accountants: a sheet a table, used rows locked, empty rows below to be filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import Workbook as Book
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from parameters import cells
from parameters.checks import FREE
from parameters.codes import is_open
from parameters.files import Content, Row
from parameters.problems import ParameterError, Problem
from parameters.tables import Column, Table, tables

GUIDE = "说明 Guide"
LINE = "行号\nline"
# Rows of a sheet: title, Chinese and English head; below them the rows in use, then empty ones.
_TITLE, _HEAD, _CODES, _FIRST = range(4)
_EMPTY_ROWS = 60
_LIST_CHARACTERS_MAX = 255
_MADE = datetime(2020, 1, 1, tzinfo=UTC)  # a fixed day, so that the same tables give the same bytes
_HOW = (
    ("已用的行（灰底）已锁定：参数只增不改。", "Rows in use (grey) are locked: parameters only grow."),
    (
        "在灰底行之下的空行填写新行；known_from 留空，由系统填写。",
        "Fill in new rows below them; leave known_from blank.",
    ),
    ("status 与 source 必填：依据状态、文号与条款；查不到的填 assumed 并说明。", "status and source must be given."),
    ("费率列按百分比显示：输入 8.3% 即 0.083。", "Rates show as per cent: type 8.3%."),
    (
        "导入：python -m parameters add --workbook 文件；先显示差异，加 --yes 才写入。",
        "Import: python -m parameters add --workbook FILE; it shows the difference, --yes writes it.",
    ),
)


@dataclass(frozen=True)
class Brought:
    """New rows of a table in a workbook; their lines are those of the worksheet."""

    table: Table
    rows: tuple[Row, ...]


def export(contents: Mapping[str, Content], path: Path, names: Sequence[str] = ()) -> Path:
    """Write the tables (all of the folder `policy` unless named) to an XLSX file. The same rows give the same bytes."""
    chosen = [content for content in contents.values() if _chosen(content.table, names)]
    with Workbook(str(path), {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": "政策参数 Policy parameters", "created": _MADE})
        _guide(book, chosen)
        for content in chosen:
            _sheet(book, content)
    return path


def brought(path: Path, contents: Mapping[str, Content]) -> tuple[list[Brought], list[Problem]]:
    """The new rows of a workbook, by table, and warnings of used rows that it lacks: those are not removed.

    ParameterError when a row in use was changed or the workbook can't be read.
    """
    try:
        book = load_workbook(path, data_only=True, read_only=True)
    except (OSError, ValueError, KeyError, BadZipFile, InvalidFileException) as error:
        why = f"不存在，或不是 .xlsx 工作簿（{error}） / there is none, or it is no .xlsx workbook ({error})"
        raise ParameterError(Problem(path.name, 1, "E-PARAM-WORKBOOK", detail=why)) from error
    problems: list[Problem] = []
    found = []
    for name in book.sheetnames:
        if name in tables():
            rows = list(_new_rows(path.name, book[name].iter_rows(values_only=True), contents[name], problems))
            found += [Brought(tables()[name], tuple(rows))] if rows else []
    if problems:
        raise ParameterError(*problems)
    return found, list(_missing(path.name, book, contents))


def _missing(file: str, book: Book, contents: Mapping[str, Content]) -> Iterator[Problem]:
    """Used rows and whole sheets that the guide lists and somebody has deleted; rows added since are missing too."""
    listed = {str(row[0]) for row in book[GUIDE].iter_rows(values_only=True) if row} if GUIDE in book.sheetnames else ()
    for content in contents.values():
        name = content.table.name
        if name not in book.sheetnames:
            if str(content.table.title) in listed:
                yield Problem(f"{file}!{name}", 1, "E-PARAM-MISSING", detail="整张表 the whole sheet")
            continue
        there = {str(row[0]) for row in book[name].iter_rows(min_row=_FIRST + 1, values_only=True) if row}
        if lost := [str(row.line) for row in content.rows if str(row.line) not in there]:
            yield Problem(f"{file}!{name}", 1, "E-PARAM-MISSING", detail=f"第 {', '.join(lost)} 行 line {lost[0]}…")


def _chosen(table: Table, names: Sequence[str]) -> bool:
    return table.name in names if names else table.file.startswith("policy/") and table.has("known_from")


def _guide(book: Workbook, contents: Sequence[Content]) -> None:
    sheet = book.add_worksheet(GUIDE)
    wrap, bold = book.add_format({"text_wrap": True, "valign": "top"}), book.add_format({"bold": True})
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 80)
    sheet.write_string(0, 0, "政策参数 / Policy parameters", bold)
    place = 1
    for place, (zh, en) in enumerate(_HOW, start=1):
        sheet.write_string(place, 0, zh, wrap)
        sheet.write_string(place, 1, en, wrap)
    for row, content in enumerate(contents, start=place + 2):
        table = content.table
        sheet.write_url(row, 0, f"internal:'{table.name}'!A1", string=str(table.title))
        sheet.write_string(row, 1, str(table.said), wrap)
    sheet.protect()


def _sheet(book: Workbook, content: Content) -> None:
    table = content.table
    sheet = book.add_worksheet(table.name)
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#DCE6F1", "border": 1})
    sheet.write_string(_TITLE, 0, f"{table.title}：{table.said}")
    sheet.write_string(_HEAD, 0, LINE, head)
    sheet.write_string(_CODES, 0, "", head)
    for place, column in enumerate(table.columns, start=1):
        sheet.write_string(_HEAD, place, column.said.zh, head)
        sheet.write_string(_CODES, place, column.name, head)
        sheet.write_comment(_CODES, place, _comment(column), {"x_scale": 2, "y_scale": 2})
        sheet.set_column(place, place, _width(column))
    used, free = _formats(book, table, locked=True), _formats(book, table, locked=False)
    for place, row in enumerate(content.rows, start=_FIRST):
        sheet.write_number(place, 0, row.line, used[""])
        for at, column in enumerate(table.columns, start=1):
            _write(sheet, place, at, column, row[column.name], used[column.name])
    last = _FIRST + len(content.rows)
    for place in range(last, last + _EMPTY_ROWS):
        for at, column in enumerate(table.columns, start=1):
            sheet.write_blank(place, at, None, free[column.name])
    for at, column in enumerate(table.columns, start=1):
        _restrict(sheet, (last, at, last + _EMPTY_ROWS - 1, at), column, content)
    sheet.freeze_panes(_FIRST, 1)
    sheet.protect("", {"format_columns": True, "format_rows": True, "sort": True, "autofilter": True})


def _formats(book: Workbook, table: Table, *, locked: bool) -> dict[str, Format]:
    base: dict[str, Any] = {"locked": locked, "border": 1, "border_color": "#BFBFBF"}
    base |= {"bg_color": "#EDEDED"} if locked else {"bg_color": "#FFFBE6"}
    formats = {"": book.add_format(base)}
    for column in table.columns:
        shown = {
            "date": "yyyy-mm-dd",
            "numeric": "0.00%" if column.is_fraction or column.is_change else "#,##0.00####",
        }.get(column.kind, "@")
        formats[column.name] = book.add_format({**base, "num_format": "0" if column.kind == "integer" else shown})
    return formats


def _write(sheet: Worksheet, row: int, at: int, column: Column, text: str, shown: Format) -> None:
    if not text:
        sheet.write_blank(row, at, None, shown)
    elif column.kind == "date":
        sheet.write_datetime(row, at, date.fromisoformat(text), shown)
    elif column.kind in ("numeric", "integer"):
        sheet.write_number(row, at, float(text), shown)
    else:
        sheet.write_string(row, at, text, shown)


def _restrict(sheet: Worksheet, cells_: tuple[int, int, int, int], column: Column, content: Content) -> None:
    """Drop-downs for codes, a range for fractions, days for dates."""
    if options := _options(column, content):
        told = {
            "validate": "list",
            "source": options,
            "error_title": "不可用的值",
            "error_message": "请从列表选择 pick one",
            # A key that rows hold may be a new one; words of the vocabulary may not, unless a column says otherwise.
            "error_type": "stop" if column.values and not is_open(content.table, column.name) else "warning",
        }
        sheet.data_validation(*cells_, told)
    elif column.is_change:
        limits = {"validate": "decimal", "criteria": "between", "minimum": -1, "maximum": 1}
        sheet.data_validation(*cells_, limits | {"error_message": "−100%–100%，如 5%"})
    elif column.is_fraction:
        limits = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 1}
        sheet.data_validation(*cells_, limits | {"error_message": "0%–100%，如 8.3%"})
    elif column.kind == "date":
        days = {
            "validate": "date",
            "criteria": "between",
            "minimum": date(1990, 1, 1),
            "maximum": date(2100, 1, 1),
        }
        sheet.data_validation(*cells_, days | {"error_message": "日期，如 2027-01-01"})


def _options(column: Column, content: Content) -> list[str]:
    if column.kind == "boolean":
        return ["true", "false"]
    found = list(column.values)
    if column.is_region:
        found = sorted({row["region_code"] for row in content.rows} - {""})
    elif not found and column.kind == "text" and column.name in content.table.key:
        found = sorted({row[column.name] for row in content.rows} - {""})
    return found if found and len(",".join(found)) <= _LIST_CHARACTERS_MAX else []


def _comment(column: Column) -> str:
    values = "".join(f"\n{code} {label}" for code, label in column.values.items())
    return f"{column.said.zh}\n{column.said.en}{values}"


def _width(column: Column) -> int:
    return 12 if column.kind != "text" else {"source": 48, "clause": 36}.get(column.name, 16)


def _new_rows(file: str, lines: Iterator[tuple[Any, ...]], content: Content, problems: list[Problem]) -> Iterator[Row]:
    table = content.table
    held = {row.line: row for row in content.rows}
    for place, given in enumerate(lines):
        if place == _CODES:
            names = [str(cell or "") for cell in given[1:]]
            if names[: len(table.names)] != table.names:
                problems.append(Problem(f"{file}!{table.name}", place + 1, "E-PARAM-HEADER", detail=", ".join(names)))
                return
        if place < _FIRST or all(cell in (None, "") for cell in given):
            continue
        row = _row(file, table, place + 1, given[1:], problems)
        if given[0] in (None, ""):
            yield row
        elif not _same(table, row, held.get(int(given[0]))):
            problems.append(Problem(f"{file}!{table.name}", place + 1, "E-PARAM-CHANGED", detail=str(given[0])))


def _row(file: str, table: Table, line: int, given: Sequence[Any], problems: list[Problem]) -> Row:
    texts = {}
    for column, cell in zip(table.columns, given, strict=False):
        text = cells.of_spreadsheet(column, cell)
        found = cells.read(column, text)
        if found.code and not found.is_mended:
            problems.append(Problem(f"{file}!{table.name}", line, found.code, column.name, text, found.detail))
        texts[column.name] = found.text
    return Row(line, texts)


def _same(table: Table, row: Row, held: Row | None) -> bool:
    return held is not None and all(
        row[column.name] == held[column.name]
        or (column.kind in ("numeric", "integer") and _equal(row[column.name], held[column.name]))
        for column in table.columns
        if column.name not in FREE
    )


def _equal(one: str, other: str) -> bool:
    return bool(one) and bool(other) and Decimal(one) == Decimal(other)
