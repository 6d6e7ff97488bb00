"""Whether the tables can be used: cells, rows, periods, and what is in use already. No database is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from pathlib import Path

from expectations.rules_version import EDITABLE
from parameters import codes, periods
from parameters.files import Content, Row, parse, read_all, unknown_files
from parameters.problems import Problem
from parameters.tables import PERIOD, Column, Table, floors, ordered, tables, vocabulary

# What may be changed in a row that is in use, for no figure rests on it: that of the tables that posting reads, and
# titles, which those have none of.
FREE = EDITABLE | {"title_zh", "title_en"}
# Tables that say how something is shown or listed: rows are rewritten with the code, no figure rests on old ones.
_WITH_THE_CODE = (
    "reference/",
    "statements/",
    "policy/clause",
    "policy/age_band",
    "policy/risk_",
    "policy/enrollment_gap",
    "policy/freshness_limit",  # without known_from: a limit is changed where it stands, and only tells of delays
)


@dataclass(frozen=True)
class Found:
    """The tables as read, and everything that is wrong with them, in order of file and line."""

    contents: Mapping[str, Content]
    problems: tuple[Problem, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing stands against using them."""
        return all(problem.severity == "warning" for problem in self.problems)


def check(folder: Path, baseline: Mapping[str, bytes] | None = None, today: date | None = None) -> Found:
    """All tables below a folder; `baseline` are files of the rows in use, by name, if they are known.

    With `today` rows that nobody knows yet are told: a new row is known from tomorrow at the latest.
    """
    contents = read_all(folder)
    problems = [*unknown_files(folder), *check_contents(contents)]
    if today is not None:
        problems.extend(_known_later(contents, today + timedelta(days=1)))
    for name, raw in (baseline or {}).items():
        table = next((table for table in tables().values() if table.file == name), None)
        if table is not None and _is_unread(contents[table.name]):
            continue  # what a file that can't be read holds is told by its own problem
        if table is not None and not table.file.startswith(_WITH_THE_CODE):
            problems.extend(changed_rows(table, raw, contents[table.name]))
            problems.extend(codes.new_codes(table, parse(table, raw).rows, contents[table.name].rows))
    return Found(contents, tuple(sorted(problems)))


def _known_later(contents: Mapping[str, Content], tomorrow: date) -> Iterator[Problem]:
    for content in contents.values():
        for row in content.rows:
            if row["known_from"] > tomorrow.isoformat():
                yield Problem(
                    content.table.file, row.line, "E-PARAM-KNOWN-LATER", "known_from", row["known_from"], f"{tomorrow}"
                )


def _is_unread(content: Content) -> bool:
    return not content.rows and any(problem.code == "E-PARAM-FILE" for problem in content.problems)


def check_contents(contents: Mapping[str, Content]) -> Iterator[Problem]:
    """What is wrong within the tables themselves."""
    regions = {row["region_code"] for row in contents["policy_region"].rows}
    for content in contents.values():
        faulty = {(problem.line, problem.column) for problem in content.problems}
        yield from content.problems
        for row in content.rows:
            cells = _cells(content.table, row, regions)
            yield from (problem for problem in cells if (problem.line, problem.column) not in faulty)
            yield from _ordered(content.table, row)
            yield from _product(content.table, row)
        yield from (
            problem for problem in codes.unheld(contents, content) if (problem.line, problem.column) not in faulty
        )
        yield from _repeated(content)
        yield from _twice(content)
        if content.table.is_dated and not any(problem.column in PERIOD for problem in content.problems):
            yield from _periods(content)


def _cells(table: Table, row: Row, regions: set[str]) -> Iterator[Problem]:
    for column in table.columns:
        text = row[column.name]
        if not text:
            code, detail = _blank(column), ""
        elif codes.is_open(table, column.name):
            continue
        else:
            code, detail = _value(column, text, regions)
        if code:
            yield Problem(table.file, row.line, code, column.name, text, detail)


def _blank(column: Column) -> str:
    named = {"status": "E-PARAM-STATUS", "source": "E-PARAM-SOURCE"}
    return named.get(column.name, "E-PARAM-EMPTY") if column.is_required else ""


def _value(column: Column, text: str, regions: set[str]) -> tuple[str, str]:
    """Code and detail of what is wrong with a cell that is filled in; blank when nothing is."""
    if column.is_region and text not in regions:
        return "E-PARAM-REGION", ""
    if column.values and text not in column.values:
        return "E-PARAM-VALUE", codes.said(text, column.values)
    if column.is_fraction and not 0 <= Decimal(text) <= 1:
        return "E-PARAM-RANGE", _hint(text)
    if (least := floors().get(column.name)) is not None and Decimal(text) < least:
        return "E-PARAM-LEAST", str(least)
    if column.is_change and abs(Decimal(text)) > 1:
        return "E-PARAM-CHANGE", _hint(text)
    return "", ""


def _hint(text: str) -> str:
    number = Decimal(text)
    if 1 < abs(number) <= 100:
        return f"{text}% = {number / 100:f}"
    return "5% = 0.05" if number > 0 else "比例不得为负 / never negative"


def _ordered(table: Table, row: Row) -> Iterator[Problem]:
    for low, high in ordered():
        if row[low] and row[high] and table.has(low) and table.has(high) and Decimal(row[low]) > Decimal(row[high]):
            yield Problem(
                table.file, row.line, "E-PARAM-ORDER", low, row[low], f"{low} {row[low]} > {high} {row[high]}"
            )
    if table.is_dated and periods.first_day(row) > periods.last_day(row):
        told = (row["effective_to"], row["effective_from"])
        yield Problem(table.file, row.line, "E-PARAM-PERIOD", "effective_to", *told)


def _product(table: Table, row: Row) -> Iterator[Problem]:
    """An amount that is stated beside what it is computed from, and is another."""
    names = vocabulary()["products"].get(table.name)
    if names is None or not all(row[name] for name in names):
        return
    wage, rate, rounding, stated = (row[name] for name in names)
    mode = ROUND_DOWN if rounding == "down" else ROUND_HALF_UP
    due = (Decimal(wage) * Decimal(rate)).quantize(Decimal(1), mode)
    if Decimal(stated) != due:
        yield Problem(table.file, row.line, "E-PARAM-PRODUCT", names[3], stated, f"{wage} × {rate} = {due}")


def _repeated(content: Content) -> Iterator[Problem]:
    table = content.table
    seen: dict[tuple[str, ...], int] = {}
    for row in content.rows:
        named = tuple(row[name] for name in table.unique or table.names)
        if named in seen:
            yield Problem(table.file, row.line, "E-PARAM-DUPLICATE", detail=str(seen[named]))
        seen.setdefault(named, row.line)


def _twice(content: Content) -> Iterator[Problem]:
    """Rows of one key that hold for no period and of which neither wins."""
    table = content.table
    if table.is_dated or table.unique:
        return
    seen: dict[tuple[str, ...], Row] = {}
    for row in content.rows:
        named = tuple(row[name] for name in (*table.key, *table.steps, "known_from"))
        earlier = seen.setdefault(named, row)
        if _says(table, row) != _says(table, earlier):
            yield Problem(table.file, row.line, "E-PARAM-TWICE", table.key[0], detail=str(earlier.line))


def _periods(content: Content) -> Iterator[Problem]:
    table = content.table
    for rows in periods.by_key(table, content.rows).values():
        sound = [row for row in rows if periods.first_day(row) <= periods.last_day(row)]
        for row, other in periods.overlapping(sound):
            if _says(table, row) != _says(table, other):
                later, earlier = max(row, other, key=lambda one: one.line), min(row, other, key=lambda one: one.line)
                same = row["effective_from"] == other["effective_from"]
                code = "E-PARAM-OVERLAP" if same else "E-PARAM-OVERLAP-START"
                yield Problem(table.file, later.line, code, "effective_from", detail=str(earlier.line))
        for row, first, last in periods.gaps(sound):
            yield Problem(table.file, row.line, "E-PARAM-GAP", "effective_to", detail=f"{first} – {last}")


def _says(table: Table, row: Row) -> list[str]:
    return [row[name] for name in table.names if name not in FREE]


def changed_rows(table: Table, used: bytes, content: Content) -> Iterator[Problem]:
    """Rows in use that are no longer there; a table whose columns are others than they were is not compared."""
    before = parse(table, used)
    if any(problem.code == "E-PARAM-HEADER" for problem in [*before.problems, *content.problems]):
        return
    there = {tuple(_plain(table, row)) for row in content.rows}
    lines = {row.line: row for row in content.rows}
    for row in before.rows:
        if tuple(_plain(table, row)) not in there:
            at = row.line if row.line in lines else 1
            said = ", ".join(text for text in (row[name] for name in table.key) if text)
            period = f" {row['effective_from']}" if table.is_dated else ""
            yield Problem(table.file, at, "E-PARAM-CHANGED", detail=f"{said}{period}")


def _plain(table: Table, row: Row) -> Iterable[str]:
    """What the row says, numbers without the zeros that a spreadsheet adds or drops."""
    for column in table.columns:
        if column.name not in FREE:
            text = row[column.name]
            is_number = text and column.kind in ("numeric", "integer")
            yield f"{Decimal(text).normalize():f}" if is_number else text


def at_file(problem: Problem, folder: Path) -> Problem:
    """The problem with the whole path of its file; one of a workbook stays with the workbook's name."""
    return replace(problem, file=str(folder / problem.file)) if problem.file.endswith(".csv") else problem
