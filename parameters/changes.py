"""New rows: made from the row in force or read from a workbook, checked with all others, shown, then put to the files.

Rows that are there are never changed: a change is a row that is known from later.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from parameters import cells, periods
from parameters.checks import FREE, check_contents
from parameters.files import Content, Row, appended
from parameters.problems import ParameterError, Problem
from parameters.tables import POSTING, Table

NEW = "（新行 new）"


@dataclass(frozen=True)
class Addition:
    """Rows to be added to a table, and what they take the place of: each beside the row in force on its first day.

    `untouched` are employer types with rows of their own, which a new row for all others leaves as they are.
    """

    table: Table
    rows: tuple[Row, ...]
    replaced: tuple[Row | None, ...]
    untouched: tuple[str, ...] = ()


def known_from(table: Table, today: date) -> date:
    """Day from which a new row is known: today, or tomorrow where postings rest on the table.

    Events of today may have been recorded by the rows there are; a version that is known from a day with recorded
    events is refused when it is deployed.
    """
    return today + timedelta(days=1) if table.name in POSTING else today


def row_from(table: Table, content: Content, given: Mapping[str, str], today: date) -> Row:
    """A new row: what is given, and the rest as in the row of the same key in force on its first day.

    ParameterError for an unknown column or a value that can't be read. Nothing is taken over of where a row comes
    from: status and source must be given.
    """
    if unknown := sorted(set(given) - set(table.names)):
        raise ParameterError(
            Problem(table.file, 1, "E-PARAM-HEADER", detail=f"没有这些列 no such column: {', '.join(unknown)}")
        )
    read = {name: cells.read(table.column(name), text) for name, text in given.items()}
    faults = [
        Problem(table.file, 1, found.code, name, given[name], found.detail)
        for name, found in read.items()
        if found.code and not found.is_mended
    ]
    if faults:
        raise ParameterError(*faults)
    texts = {name: found.text for name, found in read.items()}
    base = _like(table, content, texts)
    taken = {name: base[name] for name in table.names if name not in ("effective_to", "status", "source", "clause")}
    texts = {**(taken if base.line else {}), "known_from": known_from(table, today).isoformat(), **texts}
    return Row(0, {name: texts.get(name, "") for name in table.names})


def _like(table: Table, content: Content, texts: Mapping[str, str]) -> Row:
    """The row of the same key in force on the new row's first day: keys that are not given are blank ones first."""
    day = date.fromisoformat(texts["effective_from"]) if texts.get("effective_from") else date.max
    matching = [row for row in content.rows if all(row[name] == texts[name] for name in table.key if name in texts)]
    keys = periods.by_key(table, matching)
    if len(keys) > 1:
        blank = {key: rows for key, rows in keys.items() if all(not text for text in _open(table, key, texts))}
        keys = blank or keys
    if len(keys) != 1:
        return Row(0, {})
    (rows,) = keys.values()
    return periods.in_force(rows, day) or rows[-1]


def _open(table: Table, key: periods.Key, texts: Mapping[str, str]) -> list[str]:
    return [text for name, text in zip(table.key, key, strict=True) if name not in texts]


def addition(contents: Mapping[str, Content], table: Table, rows: Iterable[Row]) -> Addition:
    """Rows to be added, if they and all others stand together. ParameterError with whatever stands against it."""
    content = contents[table.name]
    last = max((row.line for row in content.rows), default=1)
    fresh = tuple(Row(last + place, row.cells) for place, row in enumerate(rows, start=1))
    if not fresh:
        raise ParameterError(Problem(table.file, 1, "E-PARAM-NOTHING", detail=table.name))
    together = {**contents, table.name: Content(table, [*content.rows, *fresh], list(content.problems))}
    new = {row.line for row in fresh}
    problems = [
        problem
        for problem in check_contents(together)
        if problem.severity == "error" and problem.file == table.file and problem.line in new
    ]
    problems += _known_too_early(table, content, fresh)
    if problems:
        raise ParameterError(*sorted(problems))
    groups = periods.by_key(table, content.rows)
    replaced = tuple(
        periods.in_force(groups.get(periods.key_of(table, row), []), periods.first_day(row)) if table.is_dated else None
        for row in fresh
    )
    return Addition(table, fresh, replaced, tuple(sorted(_untouched(table, content, fresh))))


def _untouched(table: Table, content: Content, fresh: Iterable[Row]) -> set[str]:
    """Employer types whose own row goes on being in force beside a new row for any type not listed."""
    if "employer_type" not in table.key:
        return set()
    others = [name for name in table.key if name != "employer_type"]
    general = [row for row in fresh if not row["employer_type"]]
    return {
        row["employer_type"]
        for new in general
        for row in content.rows
        if row["employer_type"]
        and all(row[name] == new[name] for name in others)
        and periods.last_day(row) >= periods.first_day(new)
    } - {row["employer_type"] for row in fresh}


def _known_too_early(table: Table, content: Content, fresh: Iterable[Row]) -> Iterator[Problem]:
    """A row must be known later than what it replaces, or the older one would go on winning."""
    if not (table.is_dated and table.has("known_from") and table.key):
        return
    groups = periods.by_key(table, content.rows)
    for row in fresh:
        rows = [
            other
            for other in groups.get(periods.key_of(table, row), [])
            if periods.first_day(other) <= periods.last_day(row) and periods.first_day(row) <= periods.last_day(other)
        ]
        newest = max((other["known_from"] for other in rows), default="")
        if row["known_from"] < newest:
            yield Problem(table.file, row.line, "E-PARAM-KNOWN", "known_from", row["known_from"], newest)


def described(added: Addition) -> Iterator[str]:
    """What is added, line by line, each beside what it takes the place of."""
    table = added.table
    yield f"{table.file} · {table.title}：新增 {len(added.rows)} 行 / {len(added.rows)} new row(s)"
    for row, before in zip(added.rows, added.replaced, strict=True):
        if before is None:
            yield "  原无规则 / nothing was in force"
        else:
            yield f"  - {_line(table, before)}  （第 {before.line} 行，保留 line {before.line}, kept）"
        yield f"  + {_line(table, row)}"
        names = [name for name in table.names if name not in FREE and before is not None and row[name] != before[name]]
        if before is not None and names:
            yield "    变动 changes: " + ", ".join(
                f"{name} {before[name] or '—'} → {row[name] or '—'}" for name in names
            )

    if added.untouched:
        yield (
            "  注意 note: 另列的单位类型不受通用行影响，需要时各加一行"
            f" / types with rows of their own stay as they are: {', '.join(added.untouched)}"
        )


def _line(table: Table, row: Row) -> str:
    return ",".join(row[name] for name in table.names)


def write(added: Addition, folder: Path) -> Path:
    """Append the rows to the table's file, which is replaced as a whole or not at all."""
    path = folder / added.table.file
    return replace_with(path, appended(path, added.table, added.rows))


def replace_with(path: Path, content: bytes) -> Path:
    """Put these bytes in the file's place at once: whoever reads meets the old or the new ones."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    unfinished.write_bytes(content)
    unfinished.chmod(path.stat().st_mode)
    unfinished.replace(path)
    return path
