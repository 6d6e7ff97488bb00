"""The review of policy as pages and summaries tell of it: when the newest was made, and what it found. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from expectations.validation import RAISED
from ingestion.database import Connection
from reporting.quality import rows

# A region at a time by the index of what is not of the gate; of its newest run, every check.
_NEWEST = f"""
    select of_region.region_code, made.run_id, max(made.started_at), max(made.head_seq), count(*),
        count(*) filter (where not made.success and not made.unable),
        coalesce(sum(made.unexpected_count - made.accepted_count) filter (where not made.unable), 0)::bigint,
        sum(made.unexpected_amount - coalesce(made.accepted_amount, 0)) filter (where not made.unable),
        coalesce(array_agg(made.code order by made.code) filter (where made.unable), '{{}}')
    from (select distinct region_code from ledger.publication) as of_region
    cross join lateral (
        select newest.run_id from quality.check_result as newest
        where newest.region_code = of_region.region_code and newest.scope = 'review'
        order by newest.started_at desc limit 1
    ) as run
    cross join lateral (
        select distinct on (result.code) result.*,
            result.sample -> 0 ->> 'item' is not distinct from '{RAISED}' as unable
        from quality.check_result as result
        where result.region_code = of_region.region_code and result.scope = 'review' and result.run_id = run.run_id
        order by result.code, result.started_at desc
    ) as made
    group by of_region.region_code, made.run_id
    order by of_region.region_code
"""


@dataclass(frozen=True)
class Review:
    """The newest review of a region: `checks` made, those that `found` something, and those `unable` to run.

    `findings` and `amount` (yuan) are those that nobody has accepted or dismissed; `head_seq` is what was published.
    """

    region_code: str
    run_id: str
    made_at: datetime
    head_seq: int
    checks: int
    found: int
    findings: int
    amount: Decimal | None
    unable: Sequence[str]


def newest(connection: Connection) -> list[Review]:
    """The newest review of every region that has had one, by code. Takes a connection of role auditor."""
    return [Review(*row) for row in rows(connection, _NEWEST)]
