"""What the pages of entitlement and of the merger show, from the marts: by region, nothing of a person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ingestion.database import Connection
from reporting import quality
from reporting.books import Row, rows
from reporting.statements.month import month_before

MONTHS = 12

# Only the claims of the months shown are computed: the newest one is known from the books.
_LATEST = """
select region_code, max(accounting_month) as month from marts.maternity_expenditure
where benefit_item in ('maternity_allowance', 'nutrition_subsidy') group by region_code order by region_code
"""
_PAYMENTS = """
select paid_month as month, benefit_item, kind, reason_zh, reason_en, rules_status, count(*) as claims,
    sum(amount_due) as due, sum(amount_paid) as paid, sum(greatest(difference, 0)) as over,
    sum(greatest(-difference, 0)) as under, count(*) filter (where not payee_as_due) as other_payee,
    count(*) filter (where base_source = 'stated') as base_stated, sum(months_made_up) as made_up
from marts.entitlement_payment
where region_code = %(region)s and paid_month >= %(first)s
group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4
"""
_ALLOWANCE = """
select distinct on (rule.effective_from) rule.effective_from, rule.effective_to, rule.divisor,
    rule.consecutive_months, rule.payee_type, rule.status, rule.source
from policy.policy_allowance as rule where rule.region_code = %(region)s
order by rule.effective_from, rule.known_from desc
"""
_DAYS = """
select distinct on (rule.allowance_case, rule.effective_from) rule.allowance_case, rule.effective_from,
    rule.effective_to, rule.allowance_days, rule.weeks_from, rule.weeks_below, rule.status, rule.source
from policy.policy_allowance_days as rule where rule.region_code = %(region)s
order by rule.allowance_case, rule.effective_from, rule.known_from desc
"""
_SUBSIDY = """
select distinct on (rule.effective_from) rule.effective_from, rule.effective_to, rule.average_yearly_wage,
    rule.subsidy_rate, rule.rounding, rule.subsidy_amount, rule.status, rule.source
from policy.policy_nutrition_subsidy as rule where rule.region_code = %(region)s
order by rule.effective_from, rule.known_from desc
"""
_METHOD = """
select rule.* from policy.policy_allowance_method as rule
where (rule.region_code is null or rule.region_code = %(region)s)
    and %(today)s between rule.effective_from and coalesce(rule.effective_to, 'infinity')
order by (rule.region_code is not null) desc, rule.known_from desc, rule.effective_from desc limit 1
"""
# What is "of which" stands below what it is part of, fund by fund.
_REVIEW = """
with placed (measure_code, measure_group, place) as (values
    ('persons_insured', 1, 1), ('institutions_paid', 2, 1), ('institutions_delivering', 3, 1), ('cases', 4, 1),
    ('income', 5, 1), ('expenditure', 6, 1), ('maternity_expenditure', 6, 2), ('balance', 7, 1),
    ('pooled_balance', 7, 2)
)
select review.* from marts.merger_review as review
left join placed on review.measure_code = placed.measure_code
order by review.region_code, placed.measure_group, review.fund_code nulls first, placed.place, review.measure_code,
    review.detail
"""
_SELF_CHECK = "select * from marts.merger_self_check order by region_code, item_order"
_CASES = """
select region_code, benefit_item, is_after_merger, kind, count(*) as cases, sum(amount_old_rules) as old_rules,
    sum(amount_new_rules) as new_rules, sum(amount_paid) as paid, sum(reduced_by_rules_amount) as reduced,
    sum(paid_below_old_amount) as paid_below
from marts.benefit_before_after_merger group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""
_AVERAGES = "select * from marts.benefit_average_before_after_merger order by region_code, benefit_item, side desc"


@dataclass
class EntitlementOf:
    """What the page of entitlement shows of a region: payments of the newest months in sums, and the rules."""

    region_code: str
    payments: list[Row] = field(default_factory=list)
    allowance: list[Row] = field(default_factory=list)
    days: list[Row] = field(default_factory=list)
    subsidy: list[Row] = field(default_factory=list)
    method: Row | None = None

    @property
    def months(self) -> list[tuple[date, Decimal, Decimal, Decimal]]:
        """Per month: paid, overpaid, underpaid."""
        found: dict[date, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
        for row in self.payments:
            for place, name in enumerate(("paid", "over", "under")):
                found[row["month"]][place] += row[name] or 0
        return [(month, sums[0], sums[1], sums[2]) for month, sums in sorted(found.items())]

    @property
    def differs(self) -> bool:
        """Whether anything was paid too much or too little in the months shown."""
        return any(over or under for _, _, over, under in self.months)

    @property
    def lines(self) -> list[tuple[date, str, Mapping[str, Decimal], Counter[str]]]:
        """Per month and item, newest month first: sums (due, paid, over, under …) and claims by kind."""
        sums: dict[tuple[date, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        kinds: dict[tuple[date, str], Counter[str]] = defaultdict(Counter)
        for row in self.payments:
            key = (row["month"], row["benefit_item"])
            kinds[key][row["kind"]] += row["claims"]
            for name in ("due", "paid", "over", "under", "claims", "other_payee", "base_stated", "made_up"):
                sums[key][name] += row[name] or 0
        ordered = sorted(sums, key=lambda key: (-key[0].toordinal(), key[1]))
        return [(*key, sums[key], kinds[key]) for key in ordered]

    @property
    def reasons(self) -> list[tuple[str, str, str, int, Decimal]]:
        """Kind, reason in both languages, claims and amount of all that is not as due, the largest amount first."""
        found: dict[tuple[str, str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for row in self.payments:
            if row["reason_zh"] is not None:
                counted = found[(row["kind"], row["reason_zh"], row["reason_en"])]
                counted[0] += row["claims"]
                counted[1] += (row["over"] or 0) + (row["under"] or 0)
        rows_ = [(*key, int(counted[0]), counted[1]) for key, counted in found.items()]
        return sorted(rows_, key=lambda row: (-row[4], -row[3], row[1]))


@dataclass
class MergerOf:
    """What the page of the merger shows of a region."""

    region_code: str
    review: list[Row] = field(default_factory=list)
    self_check: list[Row] = field(default_factory=list)
    cases: list[Row] = field(default_factory=list)
    averages: list[Row] = field(default_factory=list)

    @property
    def results(self) -> Counter[str]:
        """Items of the self-check by result."""
        return Counter(row["result"] for row in self.self_check)

    @property
    def lowered(self) -> int:
        """Cases whose benefit was reduced."""
        return sum(row["cases"] for row in self.cases if row["kind"] in ("reduced_by_rules", "paid_below_old_rules"))


def entitlements(connection: Connection, today: date) -> list[EntitlementOf]:
    """Every region with published cash benefits; none before the models have been deployed."""
    if not quality.exists(connection, "marts.entitlement_payment"):
        return []
    return [_entitlement(connection, row["region_code"], row["month"], today) for row in rows(connection, _LATEST)]


def _entitlement(connection: Connection, region: str, latest: date, today: date) -> EntitlementOf:
    given = {"region": region, "first": month_before(latest, MONTHS - 1), "today": today}
    queries = (_PAYMENTS, _ALLOWANCE, _DAYS, _SUBSIDY)
    payments, allowance, days, subsidy = (rows(connection, query, given) for query in queries)
    return EntitlementOf(region, payments, allowance, days, subsidy, next(iter(rows(connection, _METHOD, given)), None))


def mergers(connection: Connection) -> list[MergerOf]:
    """Every region with a self-check; none before the models have been deployed."""
    if not quality.exists(connection, "marts.merger_self_check"):
        return []
    found: dict[str, MergerOf] = {}
    for query, part in ((_SELF_CHECK, "self_check"), (_REVIEW, "review"), (_CASES, "cases"), (_AVERAGES, "averages")):
        for row in rows(connection, query):
            region = found.setdefault(row["region_code"], MergerOf(row["region_code"]))
            getattr(region, part).append(row)
    return [found[code] for code in sorted(found)]
