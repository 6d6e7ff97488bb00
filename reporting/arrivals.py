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
    """Files of one source system by state, and their rows when decided: loaded, duplicate and quarantined add up to
    `rows`. `later_rows` are those of the quarantined that have been loaded since.
    """

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
    later_rows: int
    newest_at: datetime | None


@dataclass(frozen=True)
class ListedFile:
    """A rejected or waiting file. `replaced`: made good by a file loaded after the rejection, of the same source and
    of the same name, or of the same family and period.
    """

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


@dataclass(frozen=True)
class SourceDue:
    """Files of one source and family by the calendar: how punctual they came, and what is expected next.

    `last_period` and `last_arrived_on` are of the newest that has come, `next_due_on` of the first that has not.
    """

    source_system: str
    family: str
    due_rule: str
    region_code: str | None
    on_time: int
    early: int
    late: int
    missing: int
    awaited: int
    unreadable: bool
    last_period: str | None
    last_arrived_on: date | None
    next_period: str | None
    next_due_on: date | None


@dataclass(frozen=True)
class DueFile:
    """A due file that came late or has not come, by the calendar. Without a region the source itself owes it."""

    source_system: str
    family: str
    region_code: str | None
    period: str
    due_on: date
    state: str
    arrived_on: date | None
    file_name: str | None
    seen: str | None


@dataclass(frozen=True)
class Manifests:
    """Loaded files of one source by whether a manifest declared their rows, and whether the rows agree."""

    source_system: str
    with_manifest: int
    agreeing: int
    without_manifest: int


_DUE_SOURCES = """
    select source_system, family, due_rule, region_code,
        count(*) filter (where state = 'on_time'), count(*) filter (where state = 'early'),
        count(*) filter (where state = 'late'), count(*) filter (where state = 'missing'),
        count(*) filter (where state = 'awaited'), bool_or(state = 'unreadable'),
        (array_agg(period order by first_day desc) filter (where arrived_on is not null))[1],
        (array_agg(arrived_on order by first_day desc) filter (where arrived_on is not null))[1],
        (array_agg(period order by first_day) filter (where state in ('missing', 'awaited')))[1],
        min(due_on) filter (where state in ('missing', 'awaited'))
    from events.due_file(%(today)s)
    group by source_system, family, due_rule, region_code
    order by source_system, family, due_rule, region_code
"""

# The missing first, then what came late, the newest first.
_DUE_FILES = """
    select source_system, family, region_code, period, due_on, state, arrived_on, file_name, seen
    from events.due_file(%(today)s) where state in ('missing', 'late')
    order by state = 'late', due_on desc, source_system, family
    limit %(limit)s
"""

_MANIFESTS = """
    select source_system, count(*) filter (where declared_rows is not null),
        count(*) filter (where declared_rows = rows), count(*) filter (where declared_rows is null)
    from events.file where state = 'loaded' group by source_system order by source_system
"""

_SOURCES = """
    select source_system, count(*), count(*) filter (where state = 'loaded'),
        count(*) filter (where state = 'duplicate_file'), count(*) filter (where state = 'rejected'),
        count(*) filter (where state = 'waiting'), sum(rows)::bigint, sum(loaded)::bigint, sum(duplicate)::bigint,
        sum(quarantined)::bigint, sum(now_loaded - loaded)::bigint, max(finished_at)
    from events.file group by source_system order by source_system
"""

# The period of a file is told by its name, as for check C04. A rejected file may have no family: then its name up
# to the period stands for it.
_PERIOD = "(?:19|20)[0-9]{2}(?:Q[1-4]|-?(?:0[1-9]|1[0-2]))"
_NAMED = f"""
    select file.*, replace(substring(file_name from '({_PERIOD})'), '-', '') as period,
        substring(file_name from '^(.*?{_PERIOD})') as stem
    from events.file as file
"""

_JUDGED = f"""
    with named as materialized ({_NAMED})
    select file.*, file.state = 'rejected' and exists (
        select from named as later
        where later.source_system = file.source_system and later.state in ('loaded', 'duplicate_file')
            and later.finished_at > file.finished_at
            and (later.file_name = file.file_name
                or (later.period = file.period and (later.family = file.family or later.stem = file.stem)))
    ) as replaced
    from named as file
    where file.state in ('rejected', 'waiting')
"""

_LISTED = f"""
    select source_system, file_name, state, error_code, error_message, coalesce(finished_at, first_seen_at) as seen_at,
        replaced
    from ({_JUDGED}) as judged
    order by replaced, seen_at desc, source_system, file_name
    limit %(limit)s
"""

_REJECTED = f"select count(*) from ({_JUDGED}) as judged where state = 'rejected' and not replaced"

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


def rejected_files(connection: Connection) -> int:
    """How many rejected files have not been made good."""
    return int(rows(connection, _REJECTED)[0][0])


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


def due_sources(connection: Connection, today: date) -> list[SourceDue]:
    """Every source and family of the calendar, as of the business date."""
    return [SourceDue(*row) for row in rows(connection, _DUE_SOURCES, {"today": today})]


def due_files(connection: Connection, today: date, limit: int) -> list[DueFile]:
    """Due files that have not come or came late, as of the business date."""
    return [DueFile(*row) for row in rows(connection, _DUE_FILES, {"today": today, "limit": limit})]


def manifests(connection: Connection) -> list[Manifests]:
    """What loaded files declared, by source."""
    return [Manifests(*row) for row in rows(connection, _MANIFESTS)]
