"""New rows: made from the row in force or read from a workbook, checked with all others, shown, then put to the files.

Rows that are there are never changed: a change is a row that is known from later.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from parameters import cells, codes, periods
from parameters.checks import FREE, check_contents
from parameters.files import Content, Row, appended
from parameters.problems import ParameterError, Problem
from parameters.tables import POSTING, Table

# Says where a row comes from: never taken over from the row before.
_OWN = frozenset({"effective_to", "status", "source", "clause"})


# By these an assessment is due: a row for the past asks for supplements and refunds.
_OF_ASSESSMENTS = frozenset({"policy_rate", "policy_base", "policy_contribution_relief"})


@dataclass(frozen=True)
class Draft:
    """A new row, and the columns of which the values were taken over from the row `base`, if there is one."""

    row: Row
    base: Row | None = None
    taken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Addition:
    """Rows to be added to a table, and what they take the place of: each beside the row in force on its first day.

    `untouched` are employer types with rows of their own, which a new row for all others leaves as they are; `warnings`
    stand against nothing.
    """

    table: Table
    rows: tuple[Row, ...]
    replaced: tuple[Row | None, ...]
    untouched: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    drafts: tuple[Draft, ...] = ()


def known_from(table: Table, today: date) -> date:
    """Day from which a new row is known: today, or tomorrow where postings rest on the table.

    Events of today may have been recorded by the rows there are; a version that is known from a day with recorded
    events is refused when it is deployed.
    """
    return today + timedelta(days=1) if table.name in POSTING else today


def row_from(table: Table, content: Content, given: Mapping[str, str], today: date) -> Draft:
    """A new row: what is given, and the rest as in the row of the same key in force on its first day.

    ParameterError for an unknown column or a value that can't be read. Nothing is taken over of where a row comes
    from: status and source must be given. Nor is anything when there is no row of the same key, or of all regions.
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
    known = known_from(table, today).isoformat() if table.has("known_from") else ""
    bare = Row(0, {name: texts.get(name, known if name == "known_from" else "") for name in table.names})
    base = before(table, content, bare)
    if base is None:
        return Draft(bare)
    left = _OWN | {*table.key, *table.own, "effective_from", "known_from", *texts}
    taken = tuple(name for name in table.names if name not in left and base[name])
    return Draft(Row(0, {**bare.cells, **{name: base[name] for name in taken}}), base, taken)


def before(table: Table, content: Content, new: Row) -> Row | None:
    """The row that a new one takes the place of: of the same key, or for a region without its own that of all."""
    groups = periods.by_key(table, content.rows)
    keys = [periods.key_of(table, new)]
    if "region_code" in table.key and new["region_code"]:
        keys.append(periods.key_of(table, Row(0, {**new.cells, "region_code": ""})))
    found = (periods.before(table, groups.get(key, []), new) for key in keys)
    return next((row for row in found if row is not None), None)


def addition(contents: Mapping[str, Content], table: Table, rows: Iterable[Row | Draft]) -> Addition:
    """Rows to be added, if they and all others stand together. ParameterError with whatever stands against it."""
    content = contents[table.name]
    last = max((row.line for row in content.rows), default=1)
    drafts = tuple(row if isinstance(row, Draft) else Draft(row) for row in rows)
    fresh = tuple(Row(last + place, draft.row.cells) for place, draft in enumerate(drafts, start=1))
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
    return Addition(
        table,
        fresh,
        tuple(before(table, content, row) for row in fresh),
        tuple(sorted(_untouched(table, content, fresh))),
        tuple(codes.new_codes(table, content.rows, fresh)),
        drafts,
    )


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
    if not table.has("known_from"):
        return
    groups = periods.by_key(table, content.rows)
    for row in fresh:
        rows = [
            other
            for other in groups.get(periods.key_of(table, row), [])
            if periods.step_of(table, other) == periods.step_of(table, row)
            and periods.first_day(other) <= periods.last_day(row)
            and periods.first_day(row) <= periods.last_day(other)
        ]
        newest = max((other["known_from"] for other in rows), default="")
        if row["known_from"] < newest:
            yield Problem(table.file, row.line, "E-PARAM-KNOWN", "known_from", row["known_from"], newest)


def described(added: Addition) -> Iterator[str]:
    """What is added, line by line, each beside what it takes the place of."""
    table = added.table
    yield f"{table.file} · {table.title}：新增 {len(added.rows)} 行 / {len(added.rows)} new row(s)"
    for row, draft, held in zip(added.rows, added.drafts, added.replaced, strict=True):
        yield from _beside(table, row, held)
        if draft.base is not None and draft.taken:
            said = ", ".join(f"{name}={row[name]}" for name in draft.taken)
            yield f"    沿用第 {draft.base.line} 行的值 taken over from line {draft.base.line}: {said}"
    yield from (f"  提示 warning {problem}" for problem in added.warnings)
    if table.name in _OF_ASSESSMENTS and any(row["effective_from"] < row["known_from"] for row in added.rows):
        yield (
            "  注意 note: 生效日在过去：已入账的不改写，已关账的月份不变，应补（退）的见 marts.supplementary_assessment"
            " / the first day lies in the past: nothing recorded is rewritten, closed months stay; what is owed or"
            " due back is listed by marts.supplementary_assessment"
        )
    if added.untouched:
        yield (
            "  注意 note: 另列的单位类型不受通用行影响，需要时各加一行"
            f" / types with rows of their own stay as they are: {', '.join(added.untouched)}"
        )


def _beside(table: Table, row: Row, held: Row | None) -> Iterator[str]:
    if held is None:
        yield "  原无规则 / nothing was in force"
        yield f"  + {_line(table, row)}"
        return
    follows = periods.step_of(table, held) != periods.step_of(table, row)
    kept = "此前 before it" if follows else "保留 kept"
    if held["region_code"] != row["region_code"]:
        kept = "适用于未另列的统筹区，保留 for regions without their own, kept"
    yield f"  - {_line(table, held)}  （第 {held.line} 行 line {held.line}，{kept}）"
    yield f"  + {_line(table, row)}"
    names = [name for name in table.names if name not in FREE and row[name] != held[name]]
    if names:
        yield "    变动 changes: " + ", ".join(f"{name} {held[name] or '—'} → {row[name] or '—'}" for name in names)


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
