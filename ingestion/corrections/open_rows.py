"""Rows that are still open, as their sender has to see them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from psycopg2.extensions import cursor as Cursor

from ingestion.database import Connection
from ingestion.errors import FileRejected
from ingestion.profiles import Feed, Profile

_OPEN = """
SELECT q.quarantine_id, f.file_name, q.line_no, q.error_codes, q.messages, q.raw
FROM events.quarantine_open AS q
INNER JOIN events.file_registry AS f USING (file_id)
WHERE q.source_system = %(source)s AND (%(region)s::text IS NULL OR q.region_code = %(region)s)
ORDER BY q.quarantine_id
"""
_BY_REGION = """
SELECT a.region_code, a.region_readable, a.source_system, coalesce(a.family, '-'), sum(a.rows)::bigint, sum(a.amount),
       sum(a.rows_without_amount)::bigint, min(a.oldest_at), max(a.oldest_days)
FROM quality.quarantine_open_amount AS a
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2 DESC, 3, 4
"""
_LINE = "line"  # key of a row without shape, see `intake`


@dataclass(frozen=True)
class OpenRow:
    """An open entry. `values` are its source columns; None for a row without shape, whose `text` may not be kept."""

    number: int
    file_name: str
    line_no: int
    reasons: tuple[tuple[str, str], ...]  # (code, message)
    values: Mapping[str, str] | None
    text: str | None = None


@dataclass(frozen=True)
class RegionTotal:
    """What is open of a region, source and family; `unknown` rows have no readable amount.

    Rows that don't tell their region stand, not `readable`, under each region of their source; "-" when it has none.
    """

    region_code: str
    readable: bool
    source_system: str
    family: str
    rows: int
    amount: Decimal
    unknown: int
    oldest_at: datetime
    days: int


def totals(cursor: Cursor) -> list[RegionTotal]:
    """Open rows by region, source and family, as `quality.quarantine_open_amount` has them."""
    cursor.execute(_BY_REGION)
    return [RegionTotal(*row) for row in cursor.fetchall()]


def each_once(found: Iterable[RegionTotal]) -> list[RegionTotal]:
    """Those that add up: of rows that stand under several regions, one."""
    return list({(t.readable and t.region_code, t.source_system, t.family): t for t in found}.values())


def open_rows(
    connection: Connection, profile: Profile, source_system: str, region: str | None
) -> Iterator[tuple[OpenRow, int, Feed | None]]:
    """Each open row of a source, in the order in which they were set aside, with number and feed that read it.

    The feed is None when the profile knows the row's file no more, or not all of its columns.
    """
    with connection.cursor(name="open_rows") as cursor:  # on the server: there may be more of them than memory
        cursor.execute(_OPEN, {"source": source_system, "region": region})
        for number, file_name, line_no, codes, messages, raw in cursor:
            feed_no, feed = _place(profile, file_name)
            values, text = _content(raw, feed)
            row = OpenRow(number, file_name, line_no, tuple(zip(codes, messages, strict=True)), values, text)
            is_known = feed is not None and set(values or ()) <= {column.source for column in feed.columns}
            yield row, feed_no, feed if is_known else None


def _place(profile: Profile, file_name: str) -> tuple[int, Feed | None]:
    try:
        return profile.numbered_feed_of(file_name)
    except FileRejected:
        return 0, None


def _content(raw: str | None, feed: Feed | None) -> tuple[Mapping[str, str] | None, str | None]:
    """(values, None), or (None, text) of a row that could not be split into columns."""
    if raw is None:
        return None, None
    fields = {name: text for name, text in json.loads(raw).items() if text is not None}
    known = {column.source for column in feed.columns} if feed else set()
    if set(fields) == {_LINE} and _LINE not in known:
        return None, fields[_LINE]
    return fields, None
