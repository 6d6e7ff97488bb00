"""Cells of a workbook: figures with live formulas and their values, neutral text, shared styles, reproducible bytes.

A figure is written once all are known: a formula keeps beside it the value that the books say, so that a viewer which
does not calculate shows the right figure, and one which does shows where formula and books part.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO
from typing import Any, NamedTuple

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

# Spreadsheets keep 15 significant digits: from here on cents would be lost, and the figure is written as text.
EXACT_BELOW = Decimal(10) ** 13
TEXT_LONGEST = 32_767
BALANCED, UNBALANCED = "平", "不平"
MONEY = '#,##0.00_ ;[Red]-#,##0.00_ ;"-"_ '
COUNT = '#,##0_ ;[Red]-#,##0_ ;"-"_ '
TEN_THOUSAND = Decimal(10_000)
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
_CUT_MARK = "…（已截断 / cut off）"
_MOST_ARGUMENTS = 200


class Ref(NamedTuple):
    """A cell; row and column count from 0."""

    sheet: str
    row: int
    col: int


@dataclass(frozen=True)
class Sum:
    """Sum of cells, each with its sign."""

    terms: tuple[tuple[int, Ref], ...]


@dataclass(frozen=True)
class TenThousands:
    """A cell in yuan, in 10,000 yuan to two decimals."""

    ref: Ref


Formula = Sum | TenThousands
Style = dict[str, Any]


@dataclass(frozen=True)
class _Figure:
    value: Decimal
    style: Format
    formula: Formula | None


@dataclass(frozen=True)
class _Comparison:
    left: Sum
    right: Sum
    style: Format


class Book:
    """A workbook under construction; `close` gives its bytes."""

    def __init__(self, properties: dict[str, str], created: datetime) -> None:
        self._file = BytesIO()
        options = {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self.xlsx = Workbook(self._file, options)
        shown = {name: neutral(text) for name, text in properties.items()}
        self.xlsx.set_properties({**shown, "created": created.replace(tzinfo=None, microsecond=0)})
        self._styles: dict[tuple[tuple[str, object], ...], Format] = {}
        self._figures: dict[Ref, _Figure] = {}
        self._comparisons: dict[Ref, _Comparison] = {}

    def sheet(self, name: str) -> Worksheet:
        """A new sheet at the end."""
        return self.xlsx.add_worksheet(name)

    def style(self, **properties: object) -> Format:
        """The format with these XlsxWriter properties, shared by all cells that ask for the same."""
        key = tuple(sorted(properties.items()))
        if key not in self._styles:
            base = {"font_name": "宋体", "font_size": 10, "valign": "vcenter"}
            self._styles[key] = self.xlsx.add_format({**base, **properties})
        return self._styles[key]

    def text(self, ref: Ref, text: str, to: tuple[int, int] | None = None, **style: object) -> None:
        """Text in a cell, or merged as far as row and column `to`; never a formula, number or link.

        Lines are kept apart only where the style wraps text.
        """
        shown = neutral(text, lines=bool(style.get("text_wrap")))
        chosen = self.style(**style, quote_prefix=True) if shown.startswith(_FORMULA_STARTS) else self.style(**style)
        sheet = self.xlsx.get_worksheet_by_name(ref.sheet)
        if to is not None and to != (ref.row, ref.col):
            sheet.merge_range(ref.row, ref.col, *to, "", chosen)
        if shown:
            sheet.write_string(ref.row, ref.col, shown, chosen)
        else:
            sheet.write_blank(ref.row, ref.col, None, chosen)

    def figure(self, ref: Ref, value: Decimal | int, formula: Formula | None = None, **style: object) -> None:
        """A figure of the books, with the formula that must come to it."""
        chosen = self.style(**{"num_format": MONEY, "align": "right", **style})
        self._figures[ref] = _Figure(Decimal(value), chosen, formula)

    def comparison(self, ref: Ref, left: Sum, right: Sum, **style: object) -> None:
        """平 or 不平: whether two sums of figures are the same to the cent."""
        self._comparisons[ref] = _Comparison(left, right, self.style(align="center", **style))

    def value(self, ref: Ref) -> Decimal:
        """The figure of a cell."""
        return self._figures[ref].value

    def total(self, formula: Sum) -> Decimal:
        """What a sum comes to."""
        return sum((sign * self.value(ref) for sign, ref in formula.terms), Decimal(0))

    def close(self) -> bytes:
        """Write all figures and return the file."""
        for ref, figure in self._figures.items():
            self._write_figure(ref, figure)
        for ref, comparison in self._comparisons.items():
            self._write_comparison(ref, comparison)
        self.xlsx.close()
        return self._file.getvalue()

    def balanced(self) -> dict[Ref, bool]:
        """Every comparison and whether it holds."""
        return {
            ref: self.total(comparison.left) == self.total(comparison.right)
            for ref, comparison in self._comparisons.items()
        }

    def _write_figure(self, ref: Ref, figure: _Figure) -> None:
        sheet = self.xlsx.get_worksheet_by_name(ref.sheet)
        if not is_exact(figure.value):
            sheet.write_string(ref.row, ref.col, f"{figure.value:,.2f}", figure.style)
        elif figure.formula is None or not self._computable(figure.formula):
            sheet.write_number(ref.row, ref.col, figure.value, figure.style)
        else:
            sheet.write_formula(
                ref.row, ref.col, "=" + expression(figure.formula, ref.sheet), figure.style, figure.value
            )

    def _write_comparison(self, ref: Ref, comparison: _Comparison) -> None:
        sheet = self.xlsx.get_worksheet_by_name(ref.sheet)
        left, right = comparison.left, comparison.right
        state = BALANCED if self.total(left) == self.total(right) else UNBALANCED
        if self._computable(left) and self._computable(right):
            difference = f"{expression(left, ref.sheet)}-({expression(right, ref.sheet)})"
            formula = f'=IF(ROUND({difference},2)=0,"{BALANCED}","{UNBALANCED}")'
            sheet.write_formula(ref.row, ref.col, formula, comparison.style, state)
        else:
            sheet.write_string(ref.row, ref.col, state, comparison.style)

    def _computable(self, formula: Formula) -> bool:
        """Whether a spreadsheet can compute it: no cell in it is written as text."""
        refs = [formula.ref] if isinstance(formula, TenThousands) else [ref for _, ref in formula.terms]
        return all(is_exact(self.value(ref)) for ref in refs)


def is_exact(value: Decimal) -> bool:
    """Whether a spreadsheet keeps every cent of a figure."""
    return abs(value) < EXACT_BELOW


def in_ten_thousands(value: Decimal) -> Decimal:
    """Yuan as 10,000 yuan, two decimals, half up."""
    rounded = (value / TEN_THOUSAND).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return rounded if rounded else Decimal("0.00")  # rounding keeps the sign of what it takes away


def neutral(text: str, lines: bool = False) -> str:
    """Text as a cell can hold it: control characters made visible, over-long text cut with a mark.

    The ends of lines stay only with `lines`.
    """
    visible = "".join(character if lines and character == "\n" else _visible(character) for character in text)
    # XlsxWriter would copy such a text into the file as markup.
    return _whole(f" {visible}" if visible.startswith("<r>") else visible)


def _whole(text: str) -> str:
    """A text that fits into a cell, whose length counts in units of UTF-16."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * TEXT_LONGEST:
        return text
    return units[: 2 * (TEXT_LONGEST - len(_CUT_MARK))].decode("utf-16-le", "ignore") + _CUT_MARK


def expression(formula: Formula, home: str) -> str:
    """A formula as seen from a sheet, without the sign of equality."""
    if isinstance(formula, TenThousands):
        return f"ROUND({_address(formula.ref, home)}/10000,2)"
    if len(formula.terms) <= 3 or any(sign < 0 for sign, _ in formula.terms):
        return _signed(formula.terms, home)
    ranges = _ranges([ref for _, ref in formula.terms], home)
    chunks = [ranges[start : start + _MOST_ARGUMENTS] for start in range(0, len(ranges), _MOST_ARGUMENTS)]
    return "+".join(f"SUM({','.join(chunk)})" for chunk in chunks)


def _signed(terms: Sequence[tuple[int, Ref]], home: str) -> str:
    joined = "".join(("-" if sign < 0 else "+") + _address(ref, home) for sign, ref in terms)
    return joined.removeprefix("+") or "0"


def _ranges(refs: Sequence[Ref], home: str) -> list[str]:
    """Cells that stand below one another, as ranges."""
    runs: list[list[Ref]] = []
    for ref in refs:
        if runs and runs[-1][-1] == ref._replace(row=ref.row - 1):
            runs[-1].append(ref)
        else:
            runs.append([ref])
    return [
        _address(run[0], home) + (f":{xl_rowcol_to_cell(run[-1].row, run[-1].col)}" if len(run) > 1 else "")
        for run in runs
    ]


def _address(ref: Ref, home: str) -> str:
    cell: str = xl_rowcol_to_cell(ref.row, ref.col)
    return cell if ref.sheet == home else f"'{ref.sheet}'!{cell}"


def _visible(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if re.match(r"[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufdd0-\ufdef]", character):
        return f"<U+{code:04X}>"
    return f"<U+{code:04X}>" if code & 0xFFFE == 0xFFFE or 0xD800 <= code < 0xE000 else character
