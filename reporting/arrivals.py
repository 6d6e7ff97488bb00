"""What has arrived and what is held back: files by source, and rows that wait in quarantine. Reads only.

Amounts are yuan and what a row would post; they are null where the row's amount can't be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from ingestion.database import Connection
from reporting.quality import rows

# Upper ends in days of the age classes of quarantined rows; the last class is open.
AGE_CLASSES = (7, 30, 90)


@dataclass(frozen=True)
class SourceFiles:
    """Files of one source system by state, and the rows of the decided ones."""

    source_system: str
    files: int
    loaded: int
    duplicates: int
    rejected: int
    waiting: int
    rows: int
    loaded_rows: int
    duplicate_rows: int
    quarantined_rows: int
    newest_at: datetime | None


@dataclass(frozen=True)
class ListedFile:
    """A rejected or waiting file. `replaced`: a file of the same source and name was loaded after the rejection."""

    source_system: str
    file_name: str
    state: str
    error_code: str | None
    message: str | None
    seen_at: datetime
    replaced: bool


@dataclass(frozen=True)
class OpenRows:
    """Open quarantine of one region (null where none can be read); `by_age` has rows and amount of each age class."""

    region_code: str | None
    rows: int
    amount: Decimal
    unreadable_amounts: int
    oldest_at: datetime
    by_age: tuple[tuple[int, Decimal], ...]


@dataclass(frozen=True)
class OpenRowsOfCode:
    """Open rows with one error code; a row with several codes counts under each."""

    region_code: str | None
    code: str
    rows: int
    amount: Decimal


@dataclass(frozen=True)
class OpenRow:
    """One open row: where it stands in which file, and what is wrong with it."""

    region_code: str | None
    source_system: str
    file_name: str
    line_no: int
    family: str | None
    source_event_key: str | None
    error_codes: list[str]
    messages: list[str]
    amount: Decimal | None
    quarantined_at: datetime


_SOURCES = """
    select source_system, count(*), count(*) filter (where state = 'loaded'),
        count(*) filter (where state = 'duplicate_file'), count(*) filter (where state = 'rejected'),
        count(*) filter (where state = 'waiting'), sum(rows)::bigint, sum(now_loaded)::bigint, sum(duplicate)::bigint,
        sum(quarantined)::bigint, max(finished_at)
    from events.file group by source_system order by source_system
"""

_LISTED = """
    select file.source_system, file.file_name, file.state, file.error_code, file.error_message,
        coalesce(file.finished_at, file.first_seen_at) as seen_at,
        exists (
            select from events.file as later
            where later.source_system = file.source_system and later.file_name = file.file_name
                and later.state in ('loaded', 'duplicate_file') and later.finished_at > file.finished_at
        ) as replaced
    from events.file as file
    where file.state in ('rejected', 'waiting')
    order by replaced, seen_at desc, file.source_system, file.file_name
    limit %(limit)s
"""

_OPEN = """
    select region_code, count(*), coalesce(sum(amount), 0), count(*) filter (where amount is null), min(quarantined_at)
    from events.quarantine_open group by region_code order by region_code
"""

_BY_AGE = """
    select region_code, width_bucket(%(today)s - (quarantined_at at time zone 'Asia/Shanghai')::date, %(starts)s),
        count(*), coalesce(sum(amount), 0)
    from events.quarantine_open group by 1, 2
"""

_BY_CODE = """
    select region_code, code, count(*), coalesce(sum(amount), 0)
    from events.quarantine_open cross join unnest(error_codes) as code
    group by region_code, code order by region_code, count(*) desc, code
"""

_OPEN_ROWS = """
    select region_code, source_system, file_name, line_no, family, source_event_key, error_codes, messages, amount,
        quarantined_at
    from (
        select open.*, file.file_name, row_number() over (
            partition by open.region_code order by open.amount desc nulls last, open.quarantined_at, open.quarantine_id
        ) as place
        from events.quarantine_open as open
        inner join events.file_registry as file on file.file_id = open.file_id
    ) as numbered
    where place <= %(limit)s
    order by region_code, place
"""


def source_files(connection: Connection) -> list[SourceFiles]:
    """Every source system that has sent a file, by name."""
    return [SourceFiles(*row) for row in rows(connection, _SOURCES)]


def listed_files(connection: Connection, limit: int) -> list[ListedFile]:
    """Rejected and waiting files, the newest first, those made good since last."""
    return [ListedFile(*row) for row in rows(connection, _LISTED, {"limit": limit})]


def open_rows(connection: Connection, today: date) -> list[OpenRows]:
    """Open quarantine by region; ages are counted to `today` in Beijing."""
    starts = [days + 1 for days in AGE_CLASSES]
    classes = {
        (region, number): (count, amount)
        for region, number, count, amount in rows(connection, _BY_AGE, {"today": today, "starts": starts})
    }
    nothing = (0, Decimal(0))
    found = []
    for region, count, amount, unreadable, oldest_at in rows(connection, _OPEN):
        by_age = tuple(classes.get((region, number), nothing) for number in range(len(starts) + 1))
        found.append(OpenRows(region, count, amount, unreadable, oldest_at, by_age))
    return found


def open_rows_by_code(connection: Connection) -> list[OpenRowsOfCode]:
    """Open rows by region and error code, the most frequent code first."""
    return [OpenRowsOfCode(*row) for row in rows(connection, _BY_CODE)]


def largest_open_rows(connection: Connection, limit: int) -> list[OpenRow]:
    """Of each region at most `limit` open rows, the largest amounts first."""
    return [OpenRow(*row) for row in rows(connection, _OPEN_ROWS, {"limit": limit})]
