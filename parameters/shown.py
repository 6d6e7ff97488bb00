"""What is in force on a day, and what tables there are, as text for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from parameters import periods
from parameters.files import Content, Row
from parameters.tables import PERIOD, PROVENANCE, Column, Table


def overview(contents: Mapping[str, Content], today: date) -> Iterator[str]:
    """One line a table: name, title, rows, how many are assumed, and when the next change comes into force."""
    yield "表 table | 名称 title | 行 rows | 假定 assumed | 下次变动 next change"
    for content in contents.values():
        table, rows = content.table, content.rows
        statuses = Counter(row["status"] for row in rows)
        changes = _next(table, rows, today) if table.is_dated else None
        assumed = str(statuses["assumed"]) if table.has("status") else "—"
        yield f"{table.name} | {table.title} | {len(rows)} | {assumed} | {changes or '—'}"


def in_force(content: Content, day: date, region: str | None, known_on: date | None = None) -> Iterator[str]:
    """Every row of a table in force on a day, with its source and when that changes; nothing where none is."""
    table = content.table
    rows = [
        row
        for row in content.rows
        if region is None or not table.has("region_code") or row["region_code"] in (region, "")
    ]
    groups = periods.by_key(table, rows).values() if table.is_dated else [[row] for row in rows]
    said = [line for of_key in groups for line in _row(table, of_key, day, known_on)]
    if said:
        yield ""
        yield f"{table.name} · {table.title}"
        yield from said


def _row(table: Table, of_key: list[Row], day: date, known_on: date | None) -> Iterator[str]:
    row = periods.in_force(of_key, day, known_on) if table.is_dated else of_key[0]
    if row is None:
        return
    values = [column for column in table.columns if column.name not in (*PROVENANCE, *PERIOD)]
    yield "  " + "  ".join(f"{column.name}={_value(column, row[column.name])}" for column in values)
    told = [f"第 {row.line} 行 line {row.line}"]
    if table.is_dated:
        told.insert(0, f"{row['effective_from']} – {row['effective_to'] or '今 open'}")
    for name in ("known_from", "status", "clause", "source"):
        if row[name]:
            told.append(f"{name}: {labelled(table.column(name), row[name])}")
    if table.is_dated and (change := periods.next_change(of_key, day)):
        after = periods.in_force(of_key, change)
        changed = _changed(table, row, after) if after else "无规则 nothing in force"
        told.append(f"下次变动 next change {change}: {changed}")
    yield "    " + " · ".join(told)


def _changed(table: Table, row: Row, after: Row) -> str:
    names = [name for name in table.names if name not in (*PROVENANCE, *PERIOD) and row[name] != after[name]]
    said = [
        f"{name} {_value(table.column(name), row[name])} → {_value(table.column(name), after[name])}" for name in names
    ]
    return ", ".join(said) or "数值不变，依据不同 the same figures by another source"


def labelled(column: Column, text: str) -> str:
    """A code with its meaning in both languages."""
    return f"{text}（{column.values[text]}）" if text in column.values else text


def _value(column: Column, text: str) -> str:
    if not text:
        return "*" if column.kind == "text" else "—"
    if column.is_fraction:
        return f"{text}（{(Decimal(text) * 100).normalize():f}%）"
    return labelled(column, text)


def _next(table: Table, rows: Iterable[Row], today: date) -> date | None:
    changes = [periods.next_change(of_key, today) for of_key in periods.by_key(table, rows).values()]
    return min((change for change in changes if change), default=None)
