"""The examples of docs/postings.md as data: a strict reading of its Markdown, so that a test can execute them.

An example is a section `### <name> · <Chinese> / <English>` with tables in this order: earlier facts (optional),
before, events, entries, after. What does not fit is an error that names the example and its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from runtime.layout import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "postings.md"

EARLIER, BEFORE, EVENTS, ENTRIES, AFTER = "Earlier facts", "Before", "Events", "Entries", "After"
_HEADERS = {
    EARLIER: ("编号 no.", "事件 event", "日期 date", "字段 columns"),
    BEFORE: ("基金 fund", "科目 account", "分账 sub-fund", "借方 debit", "贷方 credit"),
    EVENTS: ("编号 no.", "事件 event", "日期 date", "字段 columns"),
    ENTRIES: (
        "分录 entry",
        "基金 fund",
        "月份 month",
        "类别 kind",
        "科目 account",
        "分账 sub-fund",
        "借方 debit",
        "贷方 credit",
        "规则 rules",
    ),
    AFTER: ("基金 fund", "科目 account", "分账 sub-fund", "借方 debit", "贷方 credit"),
}
_TITLE = re.compile(r"### (?P<name>[a-z][a-z0-9-]*) · (?P<zh>[^/]+) / (?P<en>.+)")
_MERGER = re.compile(r"合并日 / merger date: (\d{4}-\d{2}-\d{2})")
_COLUMN = re.compile(r"`(\w+)` (\S.*)")
_MONTH = re.compile(r"(\d{4}-\d{2})(?: ← (\d{4}-\d{2}))?")
_MONEY = re.compile(r"(-?)(\d{1,3}(?:,\d{3})*\.\d{2})(（红）)?")
NOTHING = "（无）/ none"
DEFAULT_MERGER = date(2020, 1, 1)


class DocumentError(ValueError):
    """The document is not written as agreed; the message says in which example and line."""


@dataclass(frozen=True)
class Fact:
    """An event as the example gives it; `original` in its columns is the number of another fact of the example."""

    number: str
    event_type: str
    occurred_on: date
    columns: dict[str, str]


@dataclass(frozen=True, order=True)
class Balance:
    """What an account of a fund stands at, debit positive; never zero."""

    fund_code: str
    account_code: str
    sub_fund: str
    amount: Decimal


@dataclass(frozen=True, order=True)
class Line:
    """A journal line: the event's number and the entry within it, amounts with the sign of red."""

    entry: str
    fund_code: str
    month: str
    original_month: str
    kind: str
    account_code: str
    sub_fund: str
    debit: Decimal
    credit: Decimal
    rules: str


@dataclass(frozen=True)
class Example:
    """One business case with its books before and after, in a region of its own."""

    name: str
    merger_date: date
    earlier: tuple[Fact, ...]
    before: tuple[Balance, ...]
    events: tuple[Fact, ...]
    entries: tuple[Line, ...]
    after: tuple[Balance, ...]

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Everything that goes into the log, in order: openings that stand for `before`, earlier facts, events."""
        return (*self._openings(), *self.earlier, *self.events)

    def _openings(self) -> Iterator[Fact]:
        """Balances to start from, unless earlier facts tell how they came about."""
        if self.earlier:
            return
        opened_on = date(min(fact.occurred_on for fact in self.events).year, 1, 1)
        for number, balance in enumerate(self.before, start=1):
            if (symbol := _OPENED_AS.get(balance.account_code)) is not None:
                columns = {
                    "fund_code": balance.fund_code,
                    "account": symbol,
                    "amount": str(abs(balance.amount)),
                }
                yield Fact(f"opening {number}", "balance.opened", opened_on, columns)


_OPENED_AS = {
    "1001": "cash",
    "1002": "income",
    "100301": "special_demand",
    "100302": "special_time",
    "1004": "expenditure",
    "1005": "treasury",
    "1101": "temporary_payment",
    "1201": "bond",
    "2001": "temporary_receipt",
    "2101": "loan",
    "3002": "personal_balance",
}


@dataclass
class _Section:
    """Lines of one example under their headings."""

    name: str
    line_no: int
    merger_date: date = DEFAULT_MERGER
    tables: dict[str, list[tuple[int, list[str]]]] = field(default_factory=dict)


def examples(path: Path = DOCUMENT) -> list[Example]:
    """All examples of the document, in its order. DocumentError for what is not as agreed."""
    found = [_example(section) for section in _sections(path.read_text("utf-8").splitlines())]
    names = [example.name for example in found]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise DocumentError(f"examples of the same name: {', '.join(sorted(doubled))}")
    return found


def _sections(lines: Sequence[str]) -> Iterator[_Section]:
    section: _Section | None = None
    table: str | None = None
    for line_no, line in enumerate(lines, start=1):
        if line.startswith("#"):
            if section is not None:
                yield section
            title = _TITLE.fullmatch(line)
            if line.startswith("### ") and title is None:
                raise DocumentError(f"line {line_no}: a title reads `### name · 中文 / English`: {line}")
            section, table = (_Section(title["name"], line_no) if title else None), None
        elif section is not None:
            table = _take(section, table, line_no, line)
    if section is not None:
        yield section


def _take(section: _Section, table: str | None, line_no: int, line: str) -> str | None:
    """Put one line where it belongs; returns the table that is open after it."""
    if merger := _MERGER.fullmatch(line):
        section.merger_date = date.fromisoformat(merger[1])
    if line.startswith("**"):
        name = line.strip("*").rpartition(" / ")[2]
        if name not in _HEADERS:
            raise DocumentError(f"{section.name}, line {line_no}: no such table: {line}")
        section.tables[name] = []
        return name
    if line.startswith("|"):
        if table is None:
            raise DocumentError(f"{section.name}, line {line_no}: a table without a heading")
        section.tables[table].append((line_no, [cell.strip() for cell in line.strip("|").split("|")]))
    return table


def _example(section: _Section) -> Example:
    wanted = [name for name in _HEADERS if name != EARLIER or name in section.tables]
    if list(section.tables) != wanted:
        raise DocumentError(f"{section.name}: tables must be {wanted}, found {list(section.tables)}")
    earlier = tuple(_fact(section, *row) for row in _rows(section, EARLIER)) if EARLIER in section.tables else ()
    events = tuple(_fact(section, *row) for row in _rows(section, EVENTS))
    return Example(
        name=section.name,
        merger_date=section.merger_date,
        earlier=earlier,
        before=tuple(_balance(section, *row) for row in _rows(section, BEFORE)),
        events=events,
        entries=tuple(_line(section, *row) for row in _rows(section, ENTRIES)),
        after=tuple(_balance(section, *row) for row in _rows(section, AFTER)),
    )


def _rows(section: _Section, table: str) -> Iterator[tuple[int, list[str]]]:
    """Rows below the header, which must be the agreed one; the row that says there is none gives no row."""
    (line_no, header), *rest = section.tables[table] or [(section.line_no, [])]
    if tuple(header) != _HEADERS[table] or not rest or set("".join(rest[0][1])) - set("-:"):
        raise DocumentError(f"{section.name}, line {line_no}: the columns of {table} must be {_HEADERS[table]}")
    for line_no, cells in rest[1:]:
        if len(cells) != len(header):
            raise DocumentError(f"{section.name}, line {line_no}: {len(cells)} cells under {len(header)} columns")
        if cells[0] != NOTHING:
            yield line_no, cells


def _fact(section: _Section, line_no: int, cells: list[str]) -> Fact:
    number, event_type, occurred_on, columns = cells
    named = {}
    for part in columns.split(" · ") if columns else []:
        column = _COLUMN.fullmatch(part)
        if column is None:
            raise DocumentError(f"{section.name}, line {line_no}: a column reads `name` value: {part}")
        value = column[2]
        named[column[1]] = value.replace(",", "") if _MONEY.fullmatch(value) else value
    return Fact(number, event_type.strip("`"), date.fromisoformat(occurred_on), named)


def _balance(section: _Section, line_no: int, cells: list[str]) -> Balance:
    fund_code, account, sub_fund, debit, credit = cells
    amount = _money(section, line_no, debit) - _money(section, line_no, credit)
    if not amount or (debit and credit):
        raise DocumentError(f"{section.name}, line {line_no}: a balance stands on one side and is not zero")
    return Balance(fund_code, _code(account), _code(sub_fund), amount)


def _line(section: _Section, line_no: int, cells: list[str]) -> Line:
    entry, fund_code, month, kind, account, sub_fund, debit, credit, rules = cells
    months = _MONTH.fullmatch(month)
    if months is None:
        raise DocumentError(f"{section.name}, line {line_no}: a month reads 2020-03 or 2020-04 ← 2020-03: {month}")
    return Line(
        entry=entry,
        fund_code=fund_code,
        month=months[1],
        original_month=months[2] or "",
        kind=_code(kind),
        account_code=_code(account),
        sub_fund=_code(sub_fund),
        debit=_money(section, line_no, debit),
        credit=_money(section, line_no, credit),
        rules=rules,
    )


def _code(cell: str) -> str:
    """The code that a cell begins with; what follows is its name."""
    return cell.split(" ", maxsplit=1)[0]


def _money(section: _Section, line_no: int, cell: str) -> Decimal:
    """Yuan; an empty cell is zero. A negative amount must be marked red, and nothing else may be."""
    if not cell:
        return Decimal(0)
    found = _MONEY.fullmatch(cell)
    if found is None or bool(found[1]) != bool(found[3]):
        raise DocumentError(f"{section.name}, line {line_no}: an amount reads 1,234.50, red -1,234.50（红）: {cell}")
    return Decimal(found[1] + found[2].replace(",", ""))
