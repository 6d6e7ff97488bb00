"""How findings stand from one check to the next: when one began, was accepted, came back, was gone.

`quality.finding_period` has one row a period; it is ended once. Only what has changed is written, so that a day costs
by what has changed in it, and what stands is read without the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from expectations.check import Candidate
from expectations.validation import CheckResult

_OVERTAKEN = """
    select checked.code from unnest(%s, %s) as checked (code, started_at)
    where exists (
        select from quality.check_result as newer
        where newer.scope = %s and newer.region_code = %s and newer.code = checked.code
            and newer.started_at > checked.started_at
    )
"""

# Gone: not among what a complete result lists. The audit, which looks at everything, speaks for gate and look as well,
# of what stood before it began. A check that looks only at what came after the published head says
# nothing of an event before it; an item without an event is gone when the check has looked at anything at all.
_RESOLVE = """
    update quality.finding_period as period
    set ended_run = %(run)s, ended_at = greatest(%(found_at)s, period.began_at), outcome = 'resolved'
    from unnest(%(codes)s, %(afters)s, %(examined)s, %(starts)s) as checked (code, after, examined, started_at)
    where period.region_code = %(region)s and period.code = checked.code and period.ended_at is null
        and (period.scope = %(scope)s or (%(scope)s = 'audit' and period.began_at < checked.started_at))
        and not exists (
            select from quality.finding as found
            where found.scope = %(scope)s and found.region_code = period.region_code
                and found.code = period.code
                and found.finding_key = period.finding_key and found.found_at = %(found_at)s
        )
        and (checked.after = 0 or (
            select case
                when seen.item ->> 'event_seq' is null then checked.examined
                else (seen.item ->> 'event_seq')::bigint > checked.after
            end
            from quality.finding as seen
            where seen.scope = period.scope and seen.region_code = period.region_code
                and seen.code = period.code
                and seen.finding_key = period.finding_key
            order by seen.found_at desc limit 1
        ))
"""

_BEGIN = """
    insert into quality.finding_period (scope, region_code, code, finding_key, state, cause, severity, amount,
        decided_seq, began_run, began_at, first_seen_run, first_seen_at)
    select found.scope, found.region_code, found.code, found.finding_key,
        case when found.decided_seq is null then 'open' else 'accepted' end,
        case when before.finding_key is null then 'found' else 'returned' end,
        found.severity, found.amount, found.decided_seq, found.run_id, found.found_at, found.first_seen_run,
        found.first_seen_at
    from quality.finding as found
    left join lateral (
        select earlier.finding_key from quality.finding_period as earlier
        where earlier.scope = found.scope and earlier.region_code = found.region_code
            and earlier.code = found.code
            and earlier.finding_key = found.finding_key
        limit 1
    ) as before on true
    where found.region_code = %(region)s and found.found_at = %(found_at)s and found.run_id = %(run)s
        and found.code = any(%(told)s)
        and not exists (
            select from quality.finding_period as standing
            where standing.scope = found.scope and standing.region_code = found.region_code
                and standing.code = found.code
                and standing.finding_key = found.finding_key and standing.ended_at is null
        )
    order by found.code, found.finding_key
"""

# What stands otherwise than its period says: accepted meanwhile, no longer accepted, or turned from warning to failure.
_CHANGED = """
    with status as materialized (
        select * from quality.finding_status where region_code = %s and status in ('open', 'accepted')
    )
    select period.period_id, period.scope, status.region_code, status.code, status.finding_key, status.status,
        case
            when status.status = 'accepted' then 'accepted'
            when status.severity = 'fail' then 'failing'
            else coalesce(status.lapse, 'withdrawn')
        end,
        status.severity, status.amount, status.decided_seq, status.first_seen_run, status.first_seen_at
    from status
    inner join quality.finding_period as period using (period_id)
    where period.state <> status.status or period.severity = 'warn' and status.severity = 'fail'
    order by status.code, status.finding_key
"""
_END = """
    update quality.finding_period set ended_run = %s, ended_at = greatest(%s, began_at), outcome = 'changed'
    where period_id = any(%s)
"""
_FOLLOW = """
    insert into quality.finding_period (scope, region_code, code, finding_key, state, cause, severity, amount,
        decided_seq, first_seen_run, first_seen_at, began_run, began_at)
    values %s
"""


def overtaken(cursor: Cursor, candidate: Candidate, results: Sequence[CheckResult]) -> set[str]:
    """Codes of which a newer result is on record already: the older one says nothing of how things stand."""
    codes, starts = [result.check.code for result in results], [result.started_at for result in results]
    cursor.execute(_OVERTAKEN, (codes, starts, candidate.scope, candidate.region_code))
    return {code for (code,) in cursor.fetchall()}


def move_on(
    cursor: Cursor, run_id: str, candidate: Candidate, results: Sequence[CheckResult], found_at: datetime
) -> None:
    """End, begin and change periods by results whose findings are recorded under `found_at`."""
    complete = [result for result in results if result.is_complete]
    bounds = [candidate.published_seq if result.check.looks_at_increment_only else 0 for result in complete]
    parameters = {
        "run": run_id,
        "scope": candidate.scope,
        "region": candidate.region_code,
        "found_at": found_at,
        "told": [result.check.code for result in results],
        "codes": [result.check.code for result in complete],
        "afters": bounds,
        "examined": [result.rows_examined > 0 for result in complete],
        "starts": [result.started_at for result in complete],
    }
    if complete:
        cursor.execute(_RESOLVE, parameters)
    cursor.execute(_BEGIN, parameters)
    _change(cursor, run_id, candidate.region_code, found_at)


def _change(cursor: Cursor, run_id: str, region_code: str, found_at: datetime) -> None:
    cursor.execute(_CHANGED, (region_code,))
    changed = cursor.fetchall()
    if changed:
        cursor.execute(_END, (run_id, found_at, [row[0] for row in changed]))
        execute_values(cursor, _FOLLOW, [(*row[1:], run_id, found_at) for row in changed])
