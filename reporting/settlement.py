"""What the pages of settlement and of providers show, read from the marts: sums by region, nothing of a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import groupby

from ingestion.database import Connection
from reporting import quality
from reporting.books import Row, rows
from reporting.recent import newest_months

MONTHS = 12

_METHODS = f"""
select region_code, accounting_month as month, benefit_item, payment_method, method_demanded, is_as_demanded,
    rule_status, sum(claim_count)::bigint as claim_count, sum(unit_count) as unit_count, max(unit_basis) as unit_basis,
    sum(amount) as amount
from {newest_months("payment_method_expenditure", "accounting_month", MONTHS)}
group by 1, 2, 3, 4, 5, 6, 7 order by 1, 2, 3, 4, 5
"""
_PRICES = """
select region_code, benefit_item, hospital_level, basis, price_status, count(*) as claim_count,
    count(*) filter (where outcome = 'as_priced') as as_priced, count(*) filter (where outcome = 'over') as over,
    count(*) filter (where outcome = 'under') as under,
    count(*) filter (where outcome = 'not_computable') as not_computable,
    sum(settled_amount) as settled_amount, coalesce(sum(over_amount), 0) as over_amount,
    coalesce(sum(under_amount), 0) as under_amount,
    string_agg(distinct reason, '；') filter (where outcome = 'not_computable') as reasons
from marts.price_difference group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
"""
_TIMELINESS = f"""
select region_code, settled_month as month, max(limit_working_days) as limit_working_days, max(due_on) as due_on,
    bool_and(is_calendar_known) as is_calendar_known, sum(claim_count)::bigint as claim_count,
    sum(payable_amount) as payable, sum(paid_in_time_amount) as in_time, sum(paid_late_amount) as late,
    sum(unpaid_amount) as unpaid, max(working_days_max) as working_days_max,
    round(sum(paid_in_time_amount) / nullif(sum(payable_amount), 0), 4) as share
from {newest_months("settlement_timeliness", "settled_month", MONTHS)}
group by 1, 2 order by 1, 2
"""
_DIRECT = f"""
select region_code, paid_month as month, amount, direct_amount, reimbursed_amount, direct_settlement_share as share
from {newest_months("maternity_direct_settlement", "paid_month", MONTHS)} order by 1, 2
"""
_OPEN = """
select region_code, item_kind, institution_code, institution_name, opened_on, settlement_year, opened_amount,
    settled_amount, returned_amount, outstanding_amount, withholding_rate, age_days, limit_days, is_beyond_limit, as_of
from marts.advance_and_deposit order by region_code, item_kind, is_beyond_limit desc, outstanding_amount desc, item_key
"""
_LIMITS = f"""
select region_code, matter, decided_month as month, claim_count, in_time_count, late_count, not_known_count,
    in_time_share, working_days_average, working_days_max, limit_working_days
from {newest_months("time_limit_month", "decided_month", MONTHS)} order by 1, 2, 3
"""
_PLATFORM = """
select region_code, source_system, title_zh, title_en, migrated_on, migration_status, month, stated_amount,
    platform_amount, region_amount, platform_share, difference, outcome
from marts.legacy_platform order by region_code, source_system, month
"""
_AGREEMENTS = """
select region_code, institution_code, institution_name, institution_name_en, hospital_level, agreement_from,
    agreement_to, signed_on, agreement_status, outcome, claim_count, person_count, first_service_on, last_service_on,
    amount, amount_without
from marts.provider_agreement_status order by region_code, institution_code, first_service_on, outcome
"""
# Of each indicator and institution the newest period that has a target.
_INDICATORS = """
select distinct on (region_code, indicator_code, institution_code)
    region_code, institution_code, institution_name, indicator_code, period_kind, period_from, period_to, numerator,
    denominator, value, target, comparison, cases_min, target_status, outcome
from marts.provider_indicator where outcome <> 'no_target'
order by region_code, indicator_code, institution_code, period_to desc
"""
_MISSED = """
select region_code, count(*) as missed from marts.provider_indicator where outcome = 'missed' group by 1
"""


@dataclass
class SettlementOf:
    """What the page of settlement shows of a region; each part a list of rows, empty where there is nothing."""

    region_code: str
    methods: list[Row] = field(default_factory=list)
    prices: list[Row] = field(default_factory=list)
    timeliness: list[Row] = field(default_factory=list)
    direct: list[Row] = field(default_factory=list)
    open_items: list[Row] = field(default_factory=list)
    limits: list[Row] = field(default_factory=list)
    platform: list[Row] = field(default_factory=list)

    @property
    def months(self) -> list[tuple[date, Decimal, Decimal, Decimal]]:
        """Per month: paid by the demanded method, by another, and without a rule."""
        found: dict[date, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
        for row in self.methods:
            place = 2 if row["method_demanded"] is None else 0 if row["is_as_demanded"] else 1
            found[row["month"]][place] += row["amount"]
        return [(month, sums[0], sums[1], sums[2]) for month, sums in sorted(found.items())]

    @property
    def items(self) -> list[Row]:
        """The newest month by item and method."""
        newest = max((row["month"] for row in self.methods), default=None)
        return [row for row in self.methods if row["month"] == newest]

    @property
    def platforms(self) -> list[tuple[Row, list[Row]]]:
        """Old platforms, each with its months; one that went over with the merger has neither name nor months."""
        systems = groupby(self.platform, key=lambda row: row["source_system"])
        found = [list(months) for _, months in systems]
        return [(months[0], [row for row in months if row["month"] is not None]) for months in found]


@dataclass
class ProvidersOf:
    """What the page of providers shows of a region."""

    region_code: str
    agreements: list[Row] = field(default_factory=list)
    indicators: list[Row] = field(default_factory=list)
    missed: int = 0

    @property
    def without(self) -> Decimal:
        """Paid in all without a valid agreement, yuan."""
        return sum((row["amount_without"] for row in self.agreements), Decimal(0))


def settlements(connection: Connection) -> list[SettlementOf]:
    """Every region with published books; none before the models have been deployed."""
    found = {code: SettlementOf(code) for code in _regions(connection)}
    parts = {
        "methods": _METHODS,
        "prices": _PRICES,
        "timeliness": _TIMELINESS,
        "direct": _DIRECT,
        "open_items": _OPEN,
        "limits": _LIMITS,
        "platform": _PLATFORM,
    }
    for part, query in parts.items():
        for row in rows(connection, query) if found else ():
            getattr(found[row["region_code"]], part).append(row)
    return list(found.values())


def providers(connection: Connection) -> list[ProvidersOf]:
    """Every region with published books; none before the models have been deployed."""
    found = {code: ProvidersOf(code) for code in _regions(connection)}
    if found:
        for row in rows(connection, _AGREEMENTS):
            found[row["region_code"]].agreements.append(row)
        for row in rows(connection, _INDICATORS):
            found[row["region_code"]].indicators.append(row)
        for row in rows(connection, _MISSED):
            found[row["region_code"]].missed = row["missed"]
    return list(found.values())


def _regions(connection: Connection) -> Sequence[str]:
    if not quality.exists(connection, "marts.settlement_timeliness"):
        return []
    query = "select region_code from marts.published_head order by region_code"
    return [row["region_code"] for row in rows(connection, query)]
