"""Rates in force and assessments beside what is due, as the page shows them: by region, sums by employer, no persons.

Reads only the marts. Rates are fractions, amounts yuan, months their first day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import groupby

from ingestion.database import Connection
from reporting.books import Row, rows
from reporting.statements.month import month_before

# Contribution months that the page compares, the newest ones; the checks P03 and P04 look at all there are.
MONTHS = 12
MONTHS_OF_SUPPLEMENTS = 36
EMPLOYERS_MAX = 40

_RATES = """
    select region_code, enrollment_category, insurance_type, employer_type, effective_from, effective_to,
        employer_rate, personal_rate, separate_maternity_rate, employer_rate_total, due_share, employer_rate_due,
        deferral_months, base_floor, base_ceiling, sum_before_merger, is_sum_of_both, status, source,
        base_status, base_source, relief_status, relief_clause, relief_source
    from marts.rate_in_force
    order by region_code, enrollment_category, insurance_type, employer_type, effective_from
"""
_LATEST = """
    select region_code, max(contribution_month) as latest from marts.contribution_arrears
    where assessed_amount <> 0 group by region_code
"""
_MONTHS = """
    select contribution_month, sum(person_count)::bigint as persons,
        sum(due_employer_amount + due_personal_amount) as due,
        sum(assessed_employer_amount + assessed_personal_amount) as assessed,
        sum(difference_amount) as difference, sum(over_amount) as over, sum(under_amount) as under,
        sum(different_count)::bigint as different, sum(unresolved_count)::bigint as unresolved,
        sum(unresolved_amount) as unresolved_amount, sum(withdrawn_count)::bigint as withdrawn
    from marts.employer_assessment_difference
    where region_code = %s and contribution_month >= %s group by 1 order by 1
"""
_EMPLOYERS = """
    select employer_no, max(employer_type) as employer_type, min(contribution_month) as first_month,
        max(contribution_month) as last_month, sum(different_count)::bigint as different,
        sum(unresolved_count)::bigint as unresolved, sum(over_amount) as over, sum(under_amount) as under,
        sum(unresolved_amount) as unresolved_amount,
        array(
            select distinct reason
            from unnest(string_to_array(string_agg(array_to_string(reason_codes, ','), ','), ',')) as reason order by 1
        ) as reasons,
        count(*) over () as employers
    from marts.employer_assessment_difference
    where region_code = %s and contribution_month >= %s and (different_count > 0 or unresolved_count > 0)
    group by employer_no
    order by sum(over_amount + under_amount + unresolved_amount) desc, employer_no limit %s
"""
_SUPPLEMENTS = """
    select employer_no, min(contribution_month) as first_month, max(contribution_month) as last_month,
        count(distinct person_no)::bigint as persons, max(known_from) as known_from,
        sum(supplement_amount) as supplement, sum(supplemented_amount) as supplemented,
        sum(outstanding_amount) as outstanding, count(*) over () as employers
    from marts.supplementary_assessment
    where region_code = %s and contribution_month >= %s and supplement_state in ('supplement_due', 'refund_due')
    group by employer_no order by abs(sum(outstanding_amount)) desc, employer_no limit %s
"""


@dataclass(frozen=True)
class Kind:
    """Who pays by the same rates: a category, an insurance, and employer types (none: no employer)."""

    enrollment_category: str
    insurance_type: str
    employer_types: tuple[str, ...]
    periods: tuple[Row, ...]


@dataclass(frozen=True)
class RegionRates:
    """What the page says of a region; the sums are of the newest months."""

    region_code: str
    kinds: tuple[Kind, ...]
    latest: date | None = None
    months: Sequence[Row] = field(default=())
    employers: Sequence[Row] = field(default=())
    supplements: Sequence[Row] = field(default=())

    @property
    def employee_kinds(self) -> tuple[Kind, ...]:
        """Employees' medical insurance, by employer types with the same rates."""
        return tuple(k for k in self.kinds if (k.enrollment_category, k.insurance_type) == ("employee", "310"))

    @property
    def outstanding(self) -> Decimal:
        """Outstanding supplements less refunds of the employers listed."""
        return sum((row["outstanding"] for row in self.supplements), Decimal(0))


def regions(connection: Connection) -> list[RegionRates]:
    """All regions with a rate, by code; one without assessments has no months."""
    latest = {row["region_code"]: row["latest"] for row in rows(connection, _LATEST)}
    found = groupby(rows(connection, _RATES), key=lambda row: str(row["region_code"]))
    return [_region(connection, region, list(rates), latest.get(region)) for region, rates in found]


def _region(connection: Connection, region: str, rates: list[Row], latest: date | None) -> RegionRates:
    kinds = tuple(_kinds(rates))
    if latest is None:
        return RegionRates(region, kinds)
    since = month_before(latest, MONTHS - 1)
    return RegionRates(
        region,
        kinds,
        latest,
        rows(connection, _MONTHS, (region, since)),
        rows(connection, _EMPLOYERS, (region, since, EMPLOYERS_MAX)),
        rows(connection, _SUPPLEMENTS, (region, month_before(latest, MONTHS_OF_SUPPLEMENTS - 1), EMPLOYERS_MAX)),
    )


def _kinds(rates: list[Row]) -> list[Kind]:
    """Employer types that have every period in common are one kind: what a period shares alone doesn't make it so."""
    histories: dict[tuple[str, str, str], list[Row]] = {}
    for row in rates:
        key = (row["enrollment_category"], row["insurance_type"], row["employer_type"] or "")
        histories.setdefault(key, []).append(row)
    kinds: dict[tuple[str, str, tuple[object, ...]], tuple[list[str], list[Row]]] = {}
    for (category, insurance, employer_type), periods in sorted(histories.items()):
        said = tuple(tuple(row[name] for name in row if name != "employer_type") for row in periods)
        kinds.setdefault((category, insurance, said), ([], periods))[0].append(employer_type)
    return [
        Kind(category, insurance, tuple(filter(None, types)), tuple(periods))
        for (category, insurance, _), (types, periods) in kinds.items()
    ]
