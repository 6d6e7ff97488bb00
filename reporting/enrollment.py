"""Who is insured, who is not though he should be, and who is twice or late: by region, employers by name, no persons.

Reads only the marts. Months are their first day, amounts yuan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ingestion.database import Connection
from reporting.books import Row, rows
from reporting.recent import newest_months

# Months that the page shows; the marts hold all.
MONTHS = 24
EMPLOYERS_MAX = 40

_COUNTS = f"""
    select region_code, insured_month, insurance_type, enrollment_category, worker_group, person_count,
        person_in_month_count, joined_count, left_count, moved_in_count, moved_out_count, new_form_count, migrant_count,
        maternity_covered_count, employer_count, category_employer_count
    from {newest_months("insured_count", "insured_month", MONTHS)}
    order by region_code, insured_month, insurance_type, enrollment_category, worker_group nulls first
"""
_GAPS = """
    select region_code, gap_kind, employer_no, max(employer_name) as employer_name, max(employer_type) as employer_type,
        min(gap_month) as first_month, max(gap_month) as last_month, max(person_count) as persons,
        coalesce(max(person_still_open_count), 0) as still_open, sum(gap_days)::bigint as days,
        sum(base_amount) as bases, sum(missed_amount) as missed, sum(person_without_amount_count)::bigint as unpriced,
        count(*) over (partition by region_code) as employers
    from marts.enrollment_gap
    where is_gap
    group by region_code, gap_kind, employer_no
    order by region_code, still_open desc, days desc, gap_kind, employer_no
"""
_APART = """
    select distinct on (region_code, period) region_code, period, gap_month, person_at_month_end_count as persons
    from marts.enrollment_gap
    where not is_gap
    order by region_code, period desc, gap_month desc
"""
_KINDS = """
    select distinct gap_kind, gap_name_zh, gap_name_en, clause, is_gap from marts.enrollment_gap
    order by is_gap desc, gap_kind
"""
_TWICE = """
    select region_code, kind, other_region_code, count(distinct person_no) as persons, count(*) as overlaps,
        count(distinct person_no) filter (where not is_tolerated) as listed, min(overlap_from) as since,
        count(*) filter (where overlap_from is not null and overlap_until is null) as still_open,
        sum(overlap_days)::bigint as days, max(days_tolerated) as days_tolerated, max(clause) as clause
    from marts.double_participation
    group by region_code, kind, other_region_code
    order by region_code, kind, other_region_code
"""
_LATE = """
    select region_code, late_kind, employer_no, max(employer_name) as employer_name,
        count(distinct person_no) as persons, max(late_days) as most_days, max(days_allowed) as days_allowed,
        max(clause) as clause, count(*) over (partition by region_code) as employers
    from marts.late_joiner
    group by region_code, late_kind, employer_no
    order by region_code, persons desc, late_kind, employer_no
"""


@dataclass(frozen=True)
class MonthTotal:
    """A month of 310: persons at its end by category, what changed, and who is covered for maternity."""

    month: date
    employees: int
    flexible: int
    retirees: int
    joined: int
    left: int
    new_form: int
    migrants: int
    covered: int
    in_510: int
    employers: int

    @property
    def persons(self) -> int:
        """All who are insured at the month's end."""
        return self.employees + self.flexible + self.retirees


@dataclass(frozen=True)
class RegionEnrollment:
    """What the page says of a region; `counts` are the rows of its newest month."""

    region_code: str
    months: Sequence[MonthTotal]
    counts: Sequence[Row]
    gaps: Sequence[Row]
    apart: Sequence[Row]
    twice: Sequence[Row]
    late: Sequence[Row]


def regions(connection: Connection) -> list[RegionEnrollment]:
    """Every region with enrolments, by code."""
    counts = _by_region(rows(connection, _COUNTS))
    gaps, apart = _by_region(rows(connection, _GAPS)), _by_region(rows(connection, _APART))
    twice, late = _by_region(rows(connection, _TWICE)), _by_region(rows(connection, _LATE))
    return [
        RegionEnrollment(
            region_code=code,
            months=_totals(found),
            counts=[row for row in found if row["insured_month"] == found[-1]["insured_month"]],
            gaps=gaps.get(code, [])[:EMPLOYERS_MAX],
            apart=apart.get(code, []),
            twice=twice.get(code, []),
            late=late.get(code, [])[:EMPLOYERS_MAX],
        )
        for code, found in counts.items()
    ]


def kinds(connection: Connection) -> Sequence[Row]:
    """Kinds of gaps that occur, with their names and clauses."""
    return rows(connection, _KINDS)


def _by_region(found: Sequence[Row]) -> dict[str, list[Row]]:
    regions: dict[str, list[Row]] = {}
    for row in found:
        regions.setdefault(row["region_code"], []).append(row)
    return regions


def _totals(counts: Sequence[Row]) -> list[MonthTotal]:
    months = sorted({row["insured_month"] for row in counts})
    return [_total(month, [row for row in counts if row["insured_month"] == month]) for month in months]


def _total(month: date, counts: Sequence[Row]) -> MonthTotal:
    medical = [row for row in counts if row["insurance_type"] == "310"]

    def of(category: str) -> int:
        return sum(row["person_count"] for row in medical if row["enrollment_category"] == category)

    def added(column: str) -> int:
        return sum(row[column] for row in medical)

    return MonthTotal(
        month=month,
        employees=of("employee"),
        flexible=of("flexible"),
        retirees=of("retiree"),
        joined=added("joined_count"),
        left=added("left_count"),
        new_form=added("new_form_count"),
        migrants=added("migrant_count"),
        covered=sum(row["maternity_covered_count"] for row in counts),
        in_510=sum(row["person_count"] for row in counts if row["insurance_type"] == "510"),
        employers=max((row["category_employer_count"] for row in medical), default=0),
    )
