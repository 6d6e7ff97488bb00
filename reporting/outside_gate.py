"""What checks outside the gate have found since it last made them: the nightly audit and the look at freshness.

Lights and verdicts are of the gate, which does not make all checks. The review of policy says nothing of the books and
is told of elsewhere (`reporting.reviews`). Reads only; amounts are yuan, times are aware.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from expectations.suites import all_checks
from ingestion.database import Connection
from reporting.quality import rows

# By the index of a check's results, newest first: whatever the history, one row a check.
_FAILING = """
    select of_region.region_code, of_check.code, newest.scope, newest.severity, newest.title_zh, newest.title_en,
        newest.owner, newest.unexpected_count - newest.accepted_count,
        newest.unexpected_amount - coalesce(newest.accepted_amount, 0), newest.started_at
    from unnest(%(regions)s::text[]) as of_region (region_code)
    cross join unnest(%(codes)s::text[]) with ordinality as of_check (code, place)
    cross join lateral (
        select * from quality.check_result as made
        where made.region_code = of_region.region_code and made.code = of_check.code
        order by made.started_at desc limit 1
    ) as newest
    where newest.scope not in ('gate', 'review') and not newest.success
        and (newest.severity = 'fail' or newest.accepted_count < newest.unexpected_count)
    order by newest.severity, of_region.region_code, of_check.place
"""


@dataclass(frozen=True)
class OutsideGate:
    """A check that failed or warned in an audit or a look; rows and amount are those that nobody has accepted."""

    region_code: str
    code: str
    scope: str
    severity: str
    title_zh: str
    title_en: str
    owner: str
    rows: int
    amount: Decimal | None
    started_at: datetime


def failing(connection: Connection, regions: Sequence[str]) -> list[OutsideGate]:
    """Checks whose newest result is no success and not of the gate, those that refuse first. Role auditor."""
    wanted = {"regions": list(regions), "codes": [check.code for check in all_checks()]}
    return [OutsideGate(*row) for row in rows(connection, _FAILING, wanted)]
