"""How it has been of late: runs of the gate, what came and what was held back by day. Reads only.

Amounts are yuan, times are aware, days are Beijing's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from expectations.suites import gate_checks
from ingestion.database import Connection
from reporting.quality import CheckResult, results, rows

RUNS = 30
DAYS = 30
# Results of a check that are looked at to find the newest runs: a run may have checked more than once.
_DEPTH = RUNS + 15


@dataclass(frozen=True)
class RunOfRegion:
    """What a run has found on a region. `found` and `amount` add up over its checks: an item counts once a check.
    A warning all of which somebody has accepted counts as passed.
    """

    region_code: str
    run_id: str
    checked_at: datetime
    head_seq: int
    decision: str | None
    passed: int
    warned: int
    failed: int
    found: int
    amount: Decimal


@dataclass(frozen=True)
class Changed:
    """A check whose outcome is another one than in the run before; `before` is None where it had none."""

    result: CheckResult
    before: CheckResult | None


@dataclass(frozen=True)
class Since:
    """What has changed on a region since the run before: events, and checks worse, better, or with other numbers."""

    region_code: str
    previous: RunOfRegion
    events: int
    worse: list[Changed]
    better: list[Changed]
    moved: list[Changed]

    @property
    def nothing(self) -> bool:
        """Whether all is as it was."""
        return not (self.events or self.worse or self.better or self.moved)


@dataclass(frozen=True)
class QuarantineDay:
    """Rows set aside on a day, rows settled on it, and rows that were open at its end."""

    day: date
    came: int
    settled: int
    open: int


@dataclass(frozen=True)
class FilesDay:
    """Files decided on a day, by outcome, and their rows."""

    day: date
    loaded: int
    duplicates: int
    rejected: int
    rows: int


# By the index of a check's results: about as many rows as shown, whatever the history. Audits and looks are no runs.
_RUNS = """
    with newest as (
        select of_region.region_code, of_check.code, result.*
        from unnest(%(regions)s::text[]) as of_region (region_code)
        cross join unnest(%(codes)s::text[]) as of_check (code)
        cross join lateral (
            select run_id, head_seq, started_at, severity, success, unexpected_count, unexpected_amount,
                not success and severity = 'warn' and accepted_count >= unexpected_count as accepted
            from quality.check_result as made
            where made.region_code = of_region.region_code and made.code = of_check.code and made.scope = 'gate'
            order by started_at desc limit %(depth)s
        ) as result
    ),
    once as (
        select distinct on (region_code, run_id, code) * from newest
        order by region_code, run_id, code, started_at desc
    ),
    run as (
        select region_code, run_id, max(started_at) as checked_at, max(head_seq) as head_seq,
            count(*) filter (where success or accepted) as passed,
            count(*) filter (where not success and severity = 'warn' and not accepted) as warned,
            count(*) filter (where not success and severity = 'fail') as failed,
            sum(unexpected_count)::bigint as found, coalesce(sum(unexpected_amount), 0) as amount,
            row_number() over (partition by region_code order by max(started_at) desc, run_id) as place
        from once group by region_code, run_id
    )
    select run.region_code, run.run_id, run.checked_at, run.head_seq, decided.decision, run.passed, run.warned,
        run.failed, run.found, run.amount
    from run
    left join lateral (
        select made.decision from quality.publication_decision as made
        where made.run_id = run.run_id and made.region_code = run.region_code order by made.decided_at desc limit 1
    ) as decided on true
    where run.place <= %(runs)s
    order by run.region_code, run.checked_at, run.run_id
"""

_QUARANTINE = """
    with day as (
        select generate_series(%(first)s::date, %(last)s::date, interval '1 day')::date as day
    ),
    came as (
        select (quarantined_at at time zone 'Asia/Shanghai')::date as day, count(*) as rows
        from events.quarantine where quarantined_at >= %(first)s::timestamp at time zone 'Asia/Shanghai' group by 1
    ),
    settled as (
        select (resolved_at at time zone 'Asia/Shanghai')::date as day, count(*) as rows
        from events.quarantine_resolution
        where resolved_at >= %(first)s::timestamp at time zone 'Asia/Shanghai' group by 1
    ),
    daily as (
        select day.day, coalesce(came.rows, 0) as came, coalesce(settled.rows, 0) as settled
        from day left join came using (day) left join settled using (day)
    )
    select day, came, settled,
        (select count(*) from events.quarantine_open)
        - coalesce(sum(came - settled) over (order by day desc rows between unbounded preceding and 1 preceding), 0)
    from daily order by day
"""

_FILES = """
    select (finished_at at time zone 'Asia/Shanghai')::date as day,
        count(*) filter (where state = 'loaded'), count(*) filter (where state = 'duplicate_file'),
        count(*) filter (where state = 'rejected'), coalesce(sum(rows), 0)::bigint
    from events.file
    where finished_at >= %(first)s::timestamp at time zone 'Asia/Shanghai'
    group by 1 order by 1
"""


def runs(connection: Connection, regions: Sequence[str]) -> list[RunOfRegion]:
    """The newest runs of the gate that have checked each region, `RUNS` at most, the oldest first."""
    codes = [check.code for check in gate_checks()]
    wanted = {"regions": list(regions), "codes": codes, "depth": _DEPTH, "runs": RUNS}
    return [RunOfRegion(*row) for row in rows(connection, _RUNS, wanted)]


def since(connection: Connection, run_id: str, made: Sequence[RunOfRegion], now: Sequence[CheckResult]) -> list[Since]:
    """What `run_id`, whose results are `now`, has changed on every region that it and a run before it have checked."""
    found = []
    earlier: dict[str, dict[tuple[str, str], CheckResult]] = {}
    for region in sorted({run.region_code for run in made}):
        of_region = [run for run in made if run.region_code == region]
        place = next((number for number, run in enumerate(of_region) if run.run_id == run_id), 0)
        if place == 0:
            continue
        current, previous = of_region[place], of_region[place - 1]
        if previous.run_id not in earlier:
            of_run = results(connection, previous.run_id)
            earlier[previous.run_id] = {(result.region_code, result.code): result for result in of_run}
        before = earlier[previous.run_id]
        changes = [Changed(result, before.get((region, result.code))) for result in now if result.region_code == region]
        found.append(_since(region, current, previous, changes))
    return found


def _since(region: str, current: RunOfRegion, previous: RunOfRegion, changes: list[Changed]) -> Since:
    rank = [(_rank(change.before), _rank(change.result), change) for change in changes]
    return Since(
        region_code=region,
        previous=previous,
        events=max(current.head_seq - previous.head_seq, 0),
        worse=[change for before, after, change in rank if after > before],
        better=[change for before, after, change in rank if after < before],
        moved=[change for before, after, change in rank if after == before and after and _moved(change)],
    )


def _rank(result: CheckResult | None) -> int:
    if result is None or result.success or result.is_accepted:
        return 0
    return 2 if result.severity == "fail" else 1


def _moved(change: Changed) -> bool:
    return change.before is not None and change.before.unexpected_count != change.result.unexpected_count


def quarantine_days(connection: Connection, last: date) -> list[QuarantineDay]:
    """Every one of the `DAYS` days up to `last`."""
    wanted = {"first": last - timedelta(days=DAYS - 1), "last": last}
    return [
        QuarantineDay(day, came, settled, int(left))
        for day, came, settled, left in rows(connection, _QUARANTINE, wanted)
    ]


def files_days(connection: Connection, last: date) -> list[FilesDay]:
    """Every one of the `DAYS` days up to `last`, those without files too."""
    first = last - timedelta(days=DAYS - 1)
    found = {row[0]: FilesDay(*row) for row in rows(connection, _FILES, {"first": first})}
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return [found.get(day, FilesDay(day, 0, 0, 0, 0)) for day in days]
