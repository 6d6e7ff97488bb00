"""Claims monitoring as the page tells of it: what the newest review has found, by rule, month and whom it concerns.

Reads what the review has recorded, never the rules themselves, and names no person and no claim. Amounts are yuan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from expectations.record import CUT_OFF
from expectations.suites.monitoring import rules
from ingestion.database import Connection
from reporting.quality import rows

CONCERNED_MAX = 20

_STANDING = f"""
    select status.*, (status.item ->> 'recovered_amount')::numeric as recovered
    from quality.finding_status as status
    where status.code = any(%(codes)s) and status.status <> 'resolved' and status.finding_key <> '{CUT_OFF}'
"""
_BY_RULE = f"""
    select standing.region_code, standing.code, count(*),
        count(*) filter (where standing.status = 'open' and standing.lapse is distinct from 'rejected'),
        count(*) filter (where standing.lapse = 'rejected'), count(*) filter (where standing.status = 'accepted'),
        coalesce(sum(standing.amount), 0), coalesce(sum(standing.recovered), 0),
        sum(coalesce(jsonb_array_length(standing.item -> 'persons'), 0))::bigint,
        count(distinct standing.item ->> 'institution_code'), count(distinct standing.item ->> 'employer_no')
    from ({_STANDING}) as standing
    group by standing.region_code, standing.code order by standing.region_code, standing.code
"""
_BY_MONTH = f"""
    select date_trunc('month', (standing.item ->> 'last_on')::timestamp)::date as month, count(*),
        count(*) filter (where standing.status = 'open')
    from ({_STANDING}) as standing
    where standing.item ->> 'last_on' is not null
    group by 1 order by 1
"""
_CONCERNED = f"""
    select concerned.kind, standing.region_code, concerned.code, count(*), coalesce(sum(standing.amount), 0),
        array_agg(distinct standing.code order by standing.code)
    from ({_STANDING}) as standing
    cross join lateral (values
        ('institution', standing.item ->> 'institution_code'), ('employer', standing.item ->> 'employer_no')
    ) as concerned (kind, code)
    where concerned.code is not null and standing.status = 'open'
    group by concerned.kind, standing.region_code, concerned.code
    order by concerned.kind desc, 5 desc, standing.region_code, concerned.code
"""
_COMPARED = """
    select region_code, institution_code, cases, caesareans, caesarean_share, peer_share, lower_limit, upper_limit,
        position, average_amount
    from marts.institution_comparison order by region_code, caesarean_share desc, institution_code
"""
_STATES = (
    "select region_code, rule_code, state, missing from marts.monitoring_rule_state where state <> 'on' order by 1, 2"
)


@dataclass(frozen=True)
class OfRule:
    """What stands of a rule in a region: findings in all, of these open, confirmed, dismissed; amounts in yuan."""

    region_code: str
    code: str
    found: int
    open: int
    confirmed: int
    dismissed: int
    amount: Decimal
    recovered: Decimal
    persons: int
    institutions: int
    employers: int


@dataclass(frozen=True)
class OfMonth:
    """Findings whose last day lies in a month (its first day), and those of them that are open."""

    month: date
    found: int
    open: int


@dataclass(frozen=True)
class Concerned:
    """An institution or employer with open findings, what they amount to, and of which rules they are."""

    kind: str
    region_code: str
    code: str
    found: int
    amount: Decimal
    rules: Sequence[str]


@dataclass(frozen=True)
class Compared:
    """An institution's share of caesareans beside that of the others, with the limits of the funnel (fractions)."""

    region_code: str
    institution_code: str
    cases: int
    caesareans: int
    share: Decimal
    peer_share: Decimal | None
    lower_limit: Decimal | None
    upper_limit: Decimal | None
    position: str | None
    average_amount: Decimal


@dataclass(frozen=True)
class Idle:
    """A rule that finds nothing in a region: state `off`, or `incomplete` with the parameters that it lacks."""

    region_code: str
    code: str
    state: str
    missing: Sequence[str] | None


@dataclass(frozen=True)
class Monitoring:
    """All that the page shows."""

    of_rules: Sequence[OfRule]
    of_months: Sequence[OfMonth]
    concerned: Sequence[Concerned]
    compared: Sequence[Compared]
    idle: Sequence[Idle] = ()


def read(connection: Connection) -> Monitoring:
    """What stands after the newest reviews. Takes a connection of role auditor."""
    wanted = {"codes": [rule.code for rule in rules()]}
    concerned = [Concerned(*row) for row in rows(connection, _CONCERNED, wanted)]
    return Monitoring(
        of_rules=[OfRule(*row) for row in rows(connection, _BY_RULE, wanted)],
        of_months=[OfMonth(*row) for row in rows(connection, _BY_MONTH, wanted)],
        concerned=[
            one
            for kind in ("institution", "employer")
            for one in [each for each in concerned if each.kind == kind][:CONCERNED_MAX]
        ],
        compared=[Compared(*row) for row in rows(connection, _COMPARED)],
        idle=[Idle(*row) for row in rows(connection, _STATES)],
    )
