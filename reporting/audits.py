"""The nightly audit as the pages tell of it: how the newest one ended, part by part. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingestion.database import Connection
from reporting.names import Name
from reporting.quality import rows

PARTS: dict[str, Name] = {
    "log": Name("日志与链头", "log and heads"),
    "rebuilt": Name("重算等于增量", "rebuilt = incremental"),
    "checks": Name("全部历史的检查", "checks over all history"),
    "audit": Name("结论", "conclusion"),
}

# Of the newest audit that has come to a conclusion; before the first, of the newest that has left a trace.
_NEWEST = """
    select part, outcome, detail, started_at, ended_at
    from (
        select distinct on (part) step.* from quality.audit_step as step
        where step.run_id = coalesce(
            (select done.run_id from quality.audit_step as done where done.part = 'audit'
                order by done.ended_at desc limit 1),
            (select begun.run_id from quality.audit_step as begun order by begun.ended_at desc limit 1)
        )
        order by part, ended_at desc
    ) as of_run
    order by ended_at
"""
# When the audits of which parts have ended after the newest conclusion began, and none has concluded.
_BEGUN = """
    select min(step.started_at) from quality.audit_step as step
    where step.started_at > (select max(done.ended_at) from quality.audit_step as done where done.part = 'audit')
        and step.part <> 'audit'
"""
_GREEN = "select max(ended_at) from quality.audit_step where part = 'audit' and outcome = 'green'"


@dataclass(frozen=True)
class Step:
    """A part of an audit that has come to its end: `green`, `red`, or `broken`, and why."""

    part: Name
    outcome: str
    detail: str | None
    took: timedelta


@dataclass(frozen=True)
class Audit:
    """The newest audit that has a conclusion; `outcome` is None before the first has.

    `green_at`: when one was last green; `begun_at`: when a newer one began that has no conclusion yet.
    """

    steps: tuple[Step, ...]
    outcome: str | None
    detail: str | None
    ended_at: datetime
    green_at: datetime | None
    begun_at: datetime | None = None


def newest(connection: Connection) -> Audit | None:
    """The newest audit; None before there has been one. Takes a connection of role auditor."""
    found = rows(connection, _NEWEST)
    if not found:
        return None
    steps = [Step(PARTS[part], outcome, detail, ended - began) for part, outcome, detail, began, ended in found]
    concluded = [step for step in steps if step.part == PARTS["audit"]]
    ((green_at,),), ((begun_at,),) = rows(connection, _GREEN), rows(connection, _BEGUN)
    return Audit(
        steps=tuple(step for step in steps if step not in concluded),
        outcome=concluded[0].outcome if concluded else None,
        detail=concluded[0].detail if concluded else None,
        ended_at=found[-1][-1],
        green_at=green_at,
        begun_at=begun_at,
    )
