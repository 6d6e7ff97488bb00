"""Findings in their current state: open, accepted, or resolved of late. Reads only.

The state is that of `quality.finding_status`, which carries it from run to run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ingestion.database import Connection
from reporting.quality import CUT_OFF, Finding, rows

VIEW = "quality.finding_status"


@dataclass(frozen=True)
class Current:
    """A finding with its state; what was accepted names who, why, and until when."""

    finding: Finding
    severity: str
    status: str
    accepted_by: str | None
    accepted_reason: str | None
    accepted_until: date | None


@dataclass(frozen=True)
class Total:
    """How many findings of a check and a state a region has, what they amount to, and the age of the oldest in days.

    Those beyond what is listed of a check count; `listed_only`: their amount is not known and is not in `amount`.
    """

    region_code: str
    code: str
    status: str
    count: int
    amount: Decimal
    age_days: int
    listed_only: bool = False


# What has been resolved stays on the page for a while, so that readers see what became of it.
_RESOLVED_DAYS = 30

_STATUS = f"""
    select region_code, code, finding_key, item, amount, first_seen_run, first_seen_at, age_days, severity, status,
        accepted_by, accepted_reason, accepted_until
    from {VIEW}
    where finding_key <> '{CUT_OFF}'
        and (status <> 'resolved' or resolved_at >= now() - interval '{_RESOLVED_DAYS} days')
"""

# Open before accepted before resolved, then the largest amounts: what is cut is what matters least.
_LISTED = """
    select region_code, code, finding_key, item::text, amount, first_seen_run, first_seen_at, age_days, severity,
        status, accepted_by, accepted_reason, accepted_until
    from (
        select state.*, row_number() over (
            partition by region_code, code
            order by array_position(array['open', 'accepted', 'resolved'], status), abs(amount) desc nulls last,
                finding_key
        ) as place
        from ({state}) as state
    ) as numbered
    where place <= %(limit)s
    order by array_position(array['open', 'accepted', 'resolved'], status), abs(amount) desc nulls last, region_code,
        code, finding_key
"""

# The row of what was cut off stands for many; once it is resolved nobody knows what became of each.
_TOTALS = f"""
    select region_code, code, status,
        sum(case when finding_key = '{CUT_OFF}'
            then greatest((item ->> 'found')::bigint - (item ->> 'listed')::bigint, 0) else 1 end)::bigint,
        coalesce(sum(amount), 0), max(age_days), bool_or(finding_key = '{CUT_OFF}' and amount is null)
    from (
        {{state}}
        union all
        select region_code, code, finding_key, item, amount, first_seen_run, first_seen_at, age_days, severity, status,
            accepted_by, accepted_reason, accepted_until
        from {VIEW} where finding_key = '{CUT_OFF}' and status <> 'resolved'
    ) as state
    group by region_code, code, status order by region_code, code, status
"""


def current(connection: Connection, limit: int) -> list[Current]:
    """At most `limit` findings of every region and check, the largest amounts first."""
    found = rows(connection, _LISTED.format(state=_STATUS), {"limit": limit})
    return [_current(row) for row in found]


def totals(connection: Connection) -> list[Total]:
    """All findings by region, check and state, those too that are not listed."""
    return [Total(*row) for row in rows(connection, _TOTALS.format(state=_STATUS))]


def _current(row: tuple[Any, ...]) -> Current:
    region, code, key, item, amount, run_id, first_seen_at, age_days, *state = row
    values = json.loads(item, parse_float=Decimal)  # the driver would make amounts floats
    return Current(Finding(region, code, key, values, amount, run_id, first_seen_at, age_days), *state)
