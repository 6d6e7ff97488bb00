"""A small spreadsheet: computes the formulas that a workbook uses, from the cells that hold none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from openpyxl import Workbook
from openpyxl.utils import get_column_letter, range_boundaries

Value = Decimal | str | bool | None

_TOKEN = re.compile(
    r"(?P<text>\"[^\"]*\")|(?P<ref>(?:'[^']+'!)?[A-Z]{1,3}\d+(?::[A-Z]{1,3}\d+)?)|(?P<name>[A-Z]+)(?=\()"
    r"|(?P<number>\d+(?:\.\d+)?)|(?P<sign>[-+/(),=])"
)


class Sheets:
    """Computes cells of a workbook that was read with its formulas."""

    def __init__(self, workbook: Workbook) -> None:
        self.workbook = workbook
        self.known: dict[tuple[str, str], Value] = {}

    def value(self, sheet: str, address: str) -> Value:
        """What a cell comes to: a Decimal, or a text."""
        if (sheet, address) not in self.known:
            self.known[sheet, address] = self._compute(sheet, self.workbook[sheet][address].value)
        return self.known[sheet, address]

    def _compute(self, sheet: str, content: object) -> Value:
        if isinstance(content, str) and content.startswith("="):
            names = {"area": lambda address: list(self._area(sheet, address)), "Decimal": Decimal, **_FUNCTIONS}
            return eval(_python(content[1:]), {"__builtins__": {}}, names)
        return Decimal(repr(content)) if isinstance(content, int | float) else content

    def _area(self, home: str, address: str) -> Iterator[Value]:
        sheet, _, cells = address.rpartition("!")
        left, top, right, bottom = range_boundaries(cells)
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                yield self.value(sheet.strip("'") or home, f"{get_column_letter(column)}{row}")


def _python(formula: str) -> str:
    """A formula in the words of Python; refuses whatever it does not know."""
    shown, place = [], 0
    while place < len(formula):
        token = _TOKEN.match(formula, place)
        assert token, f"can't read {formula!r} at {place}"
        shown.append(_word(token))
        place = token.end()
    return "".join(shown)


def _word(token: re.Match[str]) -> str:
    text = token.group()
    if token.lastgroup == "ref":
        return f"area({text!r})" if ":" in text else f"area({text!r})[0]"
    if token.lastgroup == "number":
        return f"Decimal({text!r})"
    return "==" if text == "=" else text


def _sum(*parts: Value | list[Value]) -> Decimal:
    values = [value for part in parts for value in (part if isinstance(part, list) else [part])]
    return sum((value for value in values if isinstance(value, Decimal)), Decimal(0))


_FUNCTIONS = {
    "SUM": _sum,
    "ROUND": lambda value, places: value.quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP),
    "IF": lambda condition, then, otherwise: then if condition else otherwise,
    "COUNTIF": lambda cells, wanted: Decimal(cells.count(wanted)),
}
