"""Events of family control: what the pipeline itself has to say about a region's log, under the region's lock.

They are the only events without a file. A month is closed once, after all before it, and only when nothing that posts
to it has been recorded since it was checked; the lock makes sure that this still holds when the event is in the log.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import polars as pl
from psycopg2.extensions import cursor as Cursor

from ingestion.canonical import TIME_FORMAT, content_hash, hashed_columns
from ingestion.database import connect
from ingestion.errors import PeriodRefused
from ingestion.event_log import Appender
from ingestion.settings import Settings

SOURCE_SYSTEM = "merged_fund"
_LISTED_MAX = 20
_AMOUNTS = ("employer_amount", "personal_amount", "late_fee", "pooled_amount", "personal_account_amount", "amount")
# Amounts of these are not on their own row: a reversal takes its payment's, the merger what balances there are.
_AMOUNT_ELSEWHERE = ("claim.reversed", "fund.merged")
_MONEY = f"""
    event_type = ANY(%(types)s) AND event_type <> 'year.closed'
    AND ({" + ".join(f"coalesce({name}, 0)" for name in _AMOUNTS)} > 0 OR event_type = ANY(%(elsewhere)s))
"""
# All earlier months are closed, so what occurred before the month's end posts to the month, and nothing else does.
_MOVED = f"""
SELECT seq, event_type, source_system, source_event_key, occurred_on FROM events.event
WHERE region_code = %(region)s AND seq > %(seq)s AND occurred_on < %(until)s AND {_MONEY}
ORDER BY seq LIMIT {_LISTED_MAX + 1}
"""
_BEHIND = f"SELECT count(*) FROM events.event WHERE region_code = %(region)s AND seq > %(seq)s AND {_MONEY}"
_FIRST = f"SELECT min(occurred_on) FROM events.event WHERE region_code = %(region)s AND {_MONEY}"
_LAST_CLOSED = """
SELECT max(accounting_month) FROM events.event WHERE region_code = %s AND event_type = 'period.closed'
"""
_OF_MONTH = """
SELECT seq, report_sha256, ledger_sha256, prepared_by, approved_by, approved_at, checked_seq, source_event_key
FROM events.event
WHERE region_code = %s AND event_type = %s AND accounting_month = %s AND source_system = %s ORDER BY seq DESC
"""

_ADOPTED = """
SELECT seq FROM events.event WHERE region_code = %s AND event_type = 'rules.adopted' AND rules_sha256 = %s
ORDER BY seq LIMIT 1
"""


@dataclass(frozen=True)
class Closing:
    """Who closes what: a region's month, prepared and approved by whom, on the strength of which check.

    `ledger_sha256` is None in `year.closed`, after which only the figures of December are final.
    """

    region_code: str
    month: date
    prepared_by: str
    approved_by: str
    approved_at: datetime
    reason: str | None
    checks_run_id: str
    checked_seq: int
    report_sha256: str
    rules_sha256: str
    ledger_sha256: str | None = None


@dataclass(frozen=True)
class Closed:
    """An event that closes a month or a year, as it stands in the log."""

    seq: int
    report_sha256: str | None
    ledger_sha256: str | None
    prepared_by: str
    approved_by: str
    approved_at: datetime
    checked_seq: int
    source_event_key: str


@dataclass(frozen=True)
class Place:
    """Where in the region's log the event stands, and whether this call has put it there."""

    seq: int
    is_new: bool


def close_period(closing_: Closing, settings: Settings | None = None) -> Place:
    """Append `period.closed`. Called again for the same report it finds the event and appends nothing.

    PeriodRefused: E-PERIOD-ORDER, E-PERIOD-MOVED.
    """
    settings = settings or Settings.from_env()
    with closing(connect("fund_ingest", settings=settings)) as connection, connection, connection.cursor() as cursor:
        appender = Appender(cursor, None)
        appender.lock([closing_.region_code])
        if (found := closed_period(cursor, closing_.region_code, closing_.month)) is not None:
            if (found.report_sha256, found.ledger_sha256) == (closing_.report_sha256, closing_.ledger_sha256):
                return Place(found.seq, is_new=False)
            raise PeriodRefused("E-PERIOD-ORDER", f"已关账 / closed already: {closing_.month:%Y-%m}, seq {found.seq}")
        check_order(cursor, closing_.region_code, closing_.month, settings.business_date)
        _refuse_moved(cursor, closing_)
        return _append(appender, closing_, "period.closed", f"{closing_.month:%Y-%m}", settings.business_date)


def close_year(closing_: Closing, settings: Settings | None = None) -> Place:
    """Append `year.closed` before the December of `closing_` is closed; one that still holds is found, not repeated.

    When December has received facts since an earlier one, a further one closes what they have left open.
    PeriodRefused: E-PERIOD-ORDER, E-PERIOD-MOVED.
    """
    settings = settings or Settings.from_env()
    region, month = closing_.region_code, closing_.month
    with closing(connect("fund_ingest", settings=settings)) as connection, connection, connection.cursor() as cursor:
        appender = Appender(cursor, None)
        appender.lock([region])
        check_order(cursor, region, month, settings.business_date)
        _refuse_moved(cursor, closing_)
        earlier = _closings(cursor, region, "year.closed", month)
        if earlier and not _moved(cursor, region, month, earlier[0].seq):
            return Place(earlier[0].seq, is_new=False)
        key = f"{month.year}-year-{len(earlier) + 1}"
        return _append(appender, closing_, "year.closed", key, date(month.year, 12, 31))


def adopt_rules(
    region: str, rules_sha256: str, prepared_by: str, reason: str, settings: Settings | None = None
) -> Place:
    """Append `rules.adopted`: from here on the region's books may be published under this version of the rules.

    A version that the region has adopted before is found, and nothing is appended.
    """
    settings = settings or Settings.from_env()
    with closing(connect("fund_ingest", settings=settings)) as connection, connection, connection.cursor() as cursor:
        appender = Appender(cursor, None)
        appender.lock([region])
        cursor.execute(_ADOPTED, (region, rules_sha256))
        if (found := cursor.fetchone()) is not None:
            return Place(found[0], is_new=False)
        frame = control_event(
            {
                "region_code": region,
                "event_type": "rules.adopted",
                "source_event_key": rules_sha256,
                "occurred_on": settings.business_date.isoformat(),
                "prepared_by": prepared_by,
                "reason": reason,
                "rules_sha256": rules_sha256,
            }
        )
        appender.add(frame)
        appender.seal()
        return Place(appender.last_seqs()[region], is_new=True)


def closed_period(cursor: Cursor, region: str, month: date) -> Closed | None:
    """The event that closed a month; None while it is open."""
    found = _closings(cursor, region, "period.closed", month)
    return found[0] if found else None


def check_order(cursor: Cursor, region: str, month: date, today: date) -> None:
    """PeriodRefused E-PERIOD-ORDER unless `month` is the region's earliest open month and is over."""
    if next_month(month) > today:
        raise PeriodRefused("E-PERIOD-ORDER", f"{month:%Y-%m} 尚未结束 / is not over yet on {today}")
    due = open_month(cursor, region)
    if due is None:
        raise PeriodRefused("E-PERIOD-ORDER", f"{region} 没有账目 / has no books")
    if month < due:
        raise PeriodRefused("E-PERIOD-ORDER", f"{month:%Y-%m} 已关账或早于账簿 / is closed, or before the books")
    if month > due:
        raise PeriodRefused("E-PERIOD-ORDER", f"请先关 {due:%Y-%m} / {due:%Y-%m} comes first")


def open_month(cursor: Cursor, region: str) -> date | None:
    """The earliest open month: after the last one closed, else that of the region's first money; None without any."""
    cursor.execute(_LAST_CLOSED, (region,))
    (last,) = cursor.fetchone()
    if last is not None:
        return next_month(last)
    cursor.execute(_FIRST, {"region": region, **_money()})
    (first,) = cursor.fetchone()
    return None if first is None else first.replace(day=1)


def money_events_after(cursor: Cursor, region: str, seq: int) -> int:
    """How many events that carry money a region's log has after `seq`."""
    cursor.execute(_BEHIND, {"region": region, "seq": seq, **_money()})
    return int(cursor.fetchone()[0])


def next_month(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _refuse_moved(cursor: Cursor, closing_: Closing) -> None:
    moved = _moved(cursor, closing_.region_code, closing_.month, closing_.checked_seq)
    if moved:
        more = " …" if len(moved) > _LISTED_MAX else ""
        raise PeriodRefused("E-PERIOD-MOVED", "; ".join(moved[:_LISTED_MAX]) + more)


def _moved(cursor: Cursor, region: str, month: date, seq: int) -> list[str]:
    """Events after `seq` that carry money and post to `month`, the region's earliest open one."""
    cursor.execute(_MOVED, {"region": region, "seq": seq, "until": next_month(month), **_money()})
    return [
        f"seq {at}: {event_type} {source}/{key} {occurred_on}"
        for at, event_type, source, key, occurred_on in cursor.fetchall()
    ]


def _closings(cursor: Cursor, region: str, event_type: str, month: date) -> list[Closed]:
    cursor.execute(_OF_MONTH, (region, event_type, month, SOURCE_SYSTEM))
    return [Closed(*row) for row in cursor.fetchall()]


def _append(appender: Appender, closing_: Closing, event_type: str, key: str, occurred_on: date) -> Place:
    appender.add(_frame(closing_, event_type, key, occurred_on))
    appender.seal()
    return Place(appender.last_seqs()[closing_.region_code], is_new=True)


def _frame(closing_: Closing, event_type: str, key: str, occurred_on: date) -> pl.DataFrame:
    return control_event(
        {
            "region_code": closing_.region_code,
            "event_type": event_type,
            "source_event_key": key,
            "occurred_on": occurred_on.isoformat(),
            "accounting_month": f"{closing_.month:%Y-%m}",
            "prepared_by": closing_.prepared_by,
            "approved_by": closing_.approved_by,
            "approved_at": closing_.approved_at.astimezone(UTC).strftime(TIME_FORMAT),
            "reason": closing_.reason,
            "checks_run_id": closing_.checks_run_id,
            "checked_seq": str(closing_.checked_seq),
            "report_sha256": closing_.report_sha256,
            "ledger_sha256": closing_.ledger_sha256,
            "rules_sha256": closing_.rules_sha256,
            "decision": "approved",
        }
    )


def control_event(given: Mapping[str, str | None], schema_version: int = 1) -> pl.DataFrame:
    """One row as the appender takes it: the canonical texts, whose hash is taken, and the columns beside them."""
    columns = hashed_columns("control", schema_version)
    own = {"family": "control", "schema_version": str(schema_version), "source_system": SOURCE_SYSTEM}
    texts: Mapping[str, str | None] = {**dict.fromkeys(columns), **own, **given}
    digest = content_hash(texts[name] for name in columns).hex()
    month = texts["accounting_month"]
    stored = {**texts, "accounting_month": month and f"{month}-01", "line_no": "1", "content_hash": digest}
    frame = pl.DataFrame({name: pl.Series([value], dtype=pl.String) for name, value in stored.items()})
    return frame.with_columns(pl.col("line_no").cast(pl.Int32))


def _money() -> dict[str, Sequence[str]]:
    return {"types": _money_types(Settings.from_env().seeds_dir), "elsewhere": list(_AMOUNT_ELSEWHERE)}


@cache
def _money_types(seeds_dir: Path) -> list[str]:
    """Event types that carry money, by the seed that posting reads."""
    with (seeds_dir / "accounts" / "event_type.csv").open(encoding="utf-8", newline="") as handle:
        return [row["event_type"] for row in csv.DictReader(handle) if row["carries_money"] == "true"]
