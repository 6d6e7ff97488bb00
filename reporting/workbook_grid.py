"""A statement on a sheet: where its lines and columns stand, and the formula of each figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reporting.books import Line
from reporting.names import Name
from reporting.workbook_cells import Book, Formula, Ref, Style, Sum, TenThousands, in_ten_thousands
from reporting.workbook_page import LATIN, head_cell

LABELS = (Name("行次", "No."), Name("代码", "Code"), Name("项目", ""), Name("Item", ""))
LABEL_WIDTHS = (5.0, 6.5, 30.0, 30.0)
ROUNDING = "rounding"
_ROUNDING_NAME = Name("四舍五入尾差", "Rounding difference")
_TOTALS = frozenset({"I10", "I60", "I90", "E10", "E50", "E90", "S10", "S30", "A90", "L90", "N90", "T90"})


@dataclass(frozen=True)
class Grid:
    """Where the figures of a statement stand: `places` give each line's row and the column where its labels start."""

    name: str
    lines: tuple[Line, ...]
    places: Mapping[str, tuple[int, int]]
    columns: tuple[str, ...]
    labels: tuple[Name, ...] = LABELS

    def at(self, line_code: str, column: str) -> Ref:
        """The cell of a line in a column."""
        row, start = self.places[line_code]
        return Ref(self.name, row, start + len(self.labels) + self.columns.index(column))

    def one(self, line_code: str, column: str) -> Sum:
        """The same, as a sum of one cell."""
        return Sum(((1, self.at(line_code, column)),))

    def sum_of(self, line: Line, column: str) -> Sum | None:
        """What makes up a figure: the sub-funds of a total, else the lines of the line's formula."""
        if column.endswith("total"):
            parts = [column.replace("total", sub_fund) for sub_fund in ("pooled", "personal")]
            return Sum(tuple((1, self.at(line.line_code, part)) for part in parts))
        return Sum(tuple((sign, self.at(code, column)) for sign, code in line.terms)) if line.terms else None


def fill_yuan(book: Book, grid: Grid, values: Mapping[tuple[str, str], Decimal]) -> None:
    """The figures of the books, with the formulas that must come to them."""
    for line in grid.lines:
        for column in grid.columns:
            formula = grid.sum_of(line, column)
            book.figure(grid.at(line.line_code, column), values[line.line_code, column], formula, **_style(line))


def fill_ten_thousands(book: Book, grid: Grid, yuan: Grid) -> None:
    """A sheet in yuan in 10,000 yuan: items converted and rounded, the rest added up from what is shown."""
    lines = {line.line_code: line for line in grid.lines}

    def shown(line: Line, column: str) -> Decimal:
        ref, formula = grid.at(line.line_code, column), _converted(grid, yuan, line, column)
        if isinstance(formula, TenThousands):
            value = in_ten_thousands(book.value(formula.ref))
        else:
            parts = {grid.at(code, name): (code, name) for code in lines for name in grid.columns}
            terms = [(sign, *parts[part]) for sign, part in formula.terms]
            value = sum((sign * shown(lines[code], name) for sign, code, name in terms), Decimal(0))
        book.figure(ref, value, formula, **_style(line))
        return value

    for line in grid.lines:
        for column in grid.columns:
            shown(line, column)


def rounding_line(terms: tuple[tuple[int, str], ...]) -> Line:
    """The line that shows what rounding leaves between totals and balances."""
    return Line(ROUNDING, 0, _ROUNDING_NAME.zh, _ROUNDING_NAME.en, 0, False, terms)


def label_heads(book: Book, name: str, row: int, start: int, labels: Sequence[Name] = LABELS) -> None:
    """Heads of the label columns, two rows high."""
    for offset, label in enumerate(labels):
        head_cell(book, Ref(name, row, start + offset), label, (row + 1, start + offset))


def line_labels(book: Book, grid: Grid) -> None:
    """Number, code and names of every line, indented as the lines depend on one another."""
    number = 0
    for line in grid.lines:
        row, start = grid.places[line.line_code]
        number += line.line_code != ROUNDING
        shown = (str(number), line.line_code) if line.line_code != ROUNDING else ("", "")
        style: Style = {"border": 1, "bold": line.line_code in _TOTALS, "bg_color": _shade(line)}
        for offset, text in enumerate(shown):
            book.text(Ref(grid.name, row, start + offset), text, **style, align="center")
        _line_names(book, Ref(grid.name, row, start + 2), line, {**style, "indent": line.level}, len(grid.labels))


def _line_names(book: Book, ref: Ref, line: Line, style: Style, labels: int) -> None:
    """Both names, in one cell above one another where the sheet has no column for the second."""
    if labels == len(LABELS):
        book.text(ref, line.name_zh, **style, shrink=True)
        book.text(
            ref._replace(col=ref.col + 1), line.name_en, **{**style, "font_name": LATIN, "font_size": 9, "shrink": True}
        )
    else:
        book.text(ref, f"{line.name_zh}\n{line.name_en}", **style, text_wrap=True)


def money_width(values: Iterable[Decimal], least: float = 13.5) -> float:
    """A column's width in which the longest of these figures shows whole."""
    return max([least, *(len(f"{value:,.2f}") + 2 for value in values)])


def _converted(grid: Grid, yuan: Grid, line: Line, column: str) -> Formula:
    return grid.sum_of(line, column) or TenThousands(yuan.at(line.line_code, column))


def _style(line: Line) -> Style:
    return {"border": 1, "font_name": LATIN, "bold": line.line_code in _TOTALS, "bg_color": _shade(line)}


def _shade(line: Line) -> str:
    return "#F2F2F2" if line.line_code in _TOTALS else "#FFFFFF"
