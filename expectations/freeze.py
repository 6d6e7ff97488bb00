"""Freezes of publication: set by the nightly audit or a person, lifted by a named person; each act is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg2.extensions import cursor as Cursor

from expectations.suites import check_by_code
from ingestion.database import Connection, connect
from ingestion.settings import Settings

Outcome = Literal["frozen", "lifted", "already"]

# The lock of publishers: nothing is published between the look at a region and the act.
_LOCK = "select pg_advisory_xact_lock(hashtextextended('merged_fund.publish', 0))"
_ACT = """
    insert into quality.publication_freeze (region_code, action, run_id, acted_by, reason, codes)
    values (%s, %s, %s, %s, %s, %s)
"""
_FROZEN = """
    select region_code, frozen_at, frozen_by, reason, run_id, codes from quality.frozen_region order by region_code
"""
# Checks that fail in the newest audit of the region that recorded any.
_OPEN = """
    select coalesce(array_agg(code order by code), '{}')
    from (
        select distinct on (code) code, success, severity
        from quality.check_result
        where region_code = %(region)s and scope = 'audit' and run_id = (
            select newest.run_id from quality.check_result as newest
            where newest.region_code = %(region)s and newest.scope = 'audit' order by newest.started_at desc limit 1
        )
        order by code, started_at desc
    ) as result
    where not success and severity = 'fail'
"""
_FAILED = """
    select region_code, array_agg(code order by code)
    from (
        select distinct on (region_code, code) region_code, code, success, severity,
            coalesce(sample -> 0 ->> 'item', '') = 'exception' as could_not_run
        from quality.check_result where run_id = %s and scope = 'audit'
        order by region_code, code, started_at desc
    ) as result
    where not success and severity = 'fail' and not could_not_run
    group by region_code
    order by region_code
"""
# What verifying the log has found counts by itself, whatever became of the parts after it; what belongs to no region
# concerns all of them.
_LOG = """
    select known.region_code, array_agg(distinct found.code order by found.code)
    from (select distinct region_code from events.batch) as known
    inner join quality.log_finding as found on found.run_id = %s and found.region_code in (known.region_code, '-')
    group by known.region_code
    order by known.region_code
"""
_KNOWN = "select exists (select from events.batch where region_code = %s)"


class FreezeError(ValueError):
    """What was asked for can't be done; begins with a stable code and says in both languages what to do."""


@dataclass(frozen=True)
class Frozen:
    """A region whose publication is frozen, by whom (`nightly audit`, or a person), since when and why."""

    region_code: str
    frozen_at: datetime
    frozen_by: str
    reason: str
    run_id: str | None
    codes: tuple[str, ...]


def freeze(
    region: str, by: str, reason: str, settings: Settings, run_id: str | None = None, codes: Sequence[str] = ()
) -> Outcome:
    """Stop publication of a region. `run_id` and `codes`: of the audit that does it, which freezes once a run.

    `already` when a person freezes what is frozen, or the audit has frozen it in this run. FreezeError without a name
    or a reason, or for a region without a log.
    """
    _demand(by, reason)
    with closing(connect("fund_quality", settings=settings)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(_LOCK)
        _demand_region(cursor, region)
        if run_id is None:
            if region in _frozen(cursor):
                return "already"
            codes = _open_codes(cursor, region)
        elif _froze(cursor, region, run_id):
            return "already"
        cursor.execute(_ACT, (region, "freeze", run_id, by.strip(), reason.strip(), list(codes)))
    return "frozen"


def lift(region: str, by: str, reason: str, settings: Settings) -> tuple[Outcome, tuple[str, ...]]:
    """Let a region be published again; returns also the checks that failed in its newest audit, which are recorded.

    Publication itself waits for the next run, in which every check must be green. `already` when it is not frozen.
    FreezeError without a name or a reason.
    """
    _demand(by, reason)
    with closing(connect("fund_publisher", settings=settings)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(_LOCK)
        _demand_region(cursor, region)
        codes = _open_codes(cursor, region)
        if region not in _frozen(cursor):
            return "already", codes
        cursor.execute(_ACT, (region, "lift", None, by.strip(), reason.strip(), list(codes)))
    return "lifted", codes


def frozen_regions(connection: Connection) -> dict[str, Frozen]:
    """Regions that are frozen now, by code, as the connection's role may see them."""
    with connection.cursor() as cursor:
        return _frozen(cursor)


def failed_codes(connection: Connection, run_id: str) -> dict[str, tuple[str, ...]]:
    """Checks of severity `fail` that failed in an audit, by region; not those that could not be evaluated.

    What the log's verification has found counts even when no check has judged it.
    """
    failed: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        for query in (_FAILED, _LOG):
            cursor.execute(query, (run_id,))
            for region, codes in cursor.fetchall():
                failed.setdefault(region, set()).update(codes)
    return {region: tuple(sorted(codes)) for region, codes in sorted(failed.items())}


def freezing(codes: Sequence[str]) -> tuple[str, ...]:
    """Those of these checks whose failure freezes publication."""
    return tuple(code for code in codes if check_by_code(code).freezes)


def _frozen(cursor: Cursor) -> dict[str, Frozen]:
    cursor.execute(_FROZEN)
    return {
        region: Frozen(region, frozen_at, frozen_by, reason, run_id, tuple(codes))
        for region, frozen_at, frozen_by, reason, run_id, codes in cursor.fetchall()
    }


def _froze(cursor: Cursor, region: str, run_id: str) -> bool:
    cursor.execute(
        "select exists (select from quality.publication_freeze where region_code = %s and run_id = %s)",
        (region, run_id),
    )
    return bool((cursor.fetchone() or (False,))[0])


def _open_codes(cursor: Cursor, region: str) -> tuple[str, ...]:
    cursor.execute(_OPEN, {"region": region})
    (codes,) = cursor.fetchone() or ([],)
    return tuple(codes)


def _demand(by: str, reason: str) -> None:
    if not by.strip() or not reason.strip():
        raise FreezeError("Z-FREEZE-WHO: 姓名和原因不能为空 / the name of who acts and the reason must not be empty")


def _demand_region(cursor: Cursor, region: str) -> None:
    cursor.execute(_KNOWN, (region,))
    if cursor.fetchone() != (True,):
        raise FreezeError(
            f"Z-FREEZE-REGION: 统筹区没有日志，请核对代码 / no log of this region, check its code: {region}"
        )
