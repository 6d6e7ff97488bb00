"""Entitlement: benefits are not reduced by the merger, case by case (P05)."""

from __future__ import annotations

from expectations.check import REVIEW, Check

# Cash benefits of the region with a birth since the merger, and what the old and the new rules give for each.
_CASES = """marts.benefit_before_after_merger as compared
    where compared.region_code = $region and compared.event_seq <= $head"""

P05 = Check(
    code="P05",
    title_zh="待遇不因合并而降低：逐案按合并前后规则对照",
    title_en="no benefit was reduced by the merger: each case by the rules before and after it",
    severity="warn",
    owner="benefit_settlement",
    clause="国办发〔2019〕10号 二（五）；淮医保发〔2019〕87号 三（五）；宁政办发〔2019〕52号 二（五）：待遇不变",
    offending=f"""
        select
            concat_ws('/', kind, benefit_item, 'event', event_seq) as item, event_seq, claim_no, benefit_item,
            person_no, event_on, merger_date, days_old_rules, days_new_rules, amount_old_rules, amount_new_rules,
            amount_paid, amount_awaited, rules_old, rules_new,
            concat_ws(
                '；',
                case kind
                    when 'reduced_by_rules' then '合并后的规则低于合并前 / the rules since the merger give less'
                    else '合并后实付低于合并前规则应付 / paid less than the rules before the merger give'
                end,
                reason_zh, reason_en
            ) as reason,
            greatest(reduced_by_rules_amount, coalesce(paid_below_old_amount, 0)) as amount
        from {_CASES} and compared.kind in ('reduced_by_rules', 'paid_below_old_rules')
    """,
    examined=f"select count(*) from {_CASES}",
    population="""
        select count(distinct event.claim_no) from events.event as event
        where event.region_code = $region and event.seq <= $head and event.event_type = 'claim.paid'
            and event.benefit_item in ('maternity_allowance', 'nutrition_subsidy')
            and not exists (
                select from events.event as reversal
                where reversal.region_code = $region and reversal.original_seq = event.seq
                    and reversal.event_type = 'claim.reversed' and reversal.seq <= $head
            )
    """,
    scopes=frozenset({REVIEW}),
    relists=True,
)

CHECKS: tuple[Check, ...] = (P05,)
