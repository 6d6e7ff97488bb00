"""Rates and assessment: checks of the suite `policy` (P03, P04)."""

from __future__ import annotations

from expectations.check import REVIEW, Check

ACCOUNTING = "fund_accounting"

P03 = Check(
    code="P03",
    title_zh="核定金额等于上下限内基数 × 费率（减征后）",
    title_en="premiums are assessed as base within the limits times the rate, less a relief",
    severity="warn",
    owner=ACCOUNTING,
    clause="国办发〔2019〕10号 二（二）：费率为两险之和；社会保险法 第六十条；医保发〔2020〕6号",
    offending="""
        select
            concat_ws('/', coalesce(employer_no, '自行缴费'), to_char(contribution_month, 'YYYY-MM'), insurance_type,
                enrollment_category) as item,
            employer_no, contribution_month, insurance_type, enrollment_category, employer_type, event_seq,
            person_count, different_count, unresolved_count,
            due_employer_amount + due_personal_amount as due_amount,
            assessed_employer_amount + assessed_personal_amount as assessed_amount,
            difference_amount, over_amount, under_amount, unresolved_amount, reason_codes,
            concat_ws('；',
                case when different_count > 0
                    then different_count || ' 人核定与应缴不符 / persons assessed otherwise than due' end,
                case when unresolved_count > 0
                    then unresolved_count
                        || ' 人缺费率、基数上下限或单位类型，无从核对 / without a rate, limits or employer type' end
            ) as reason,
            over_amount + under_amount + unresolved_amount as amount
        from marts.employer_assessment_difference
        where region_code = $region and (different_count > 0 or unresolved_count > 0)
    """,
    examined="""
        select coalesce(sum(person_count), 0)::bigint from marts.employer_assessment_difference
        where region_code = $region
    """,
    population="""
        select count(*) from events.event
        where region_code = $region and seq <= $head and event_type = 'contribution.assessed'
    """,
    scopes=frozenset({REVIEW}),
    relists=True,
)

P04 = Check(
    code="P04",
    title_zh="规则追溯变更后应补（退）的核定已到达",
    title_en="supplementary assessments (or refunds) after a retroactive rule have arrived",
    severity="warn",
    owner=ACCOUNTING,
    clause="社会保险法 第六十条、第六十三条：应当按时足额缴纳，未足额的限期补足",
    offending="""
        select
            concat_ws('/', coalesce(employer_no, '自行缴费'), to_char(contribution_month, 'YYYY-MM'), insurance_type,
                enrollment_category) as item,
            employer_no, contribution_month, insurance_type, enrollment_category, min(event_seq) as event_seq,
            count(*) as person_count, min(assessed_on) as assessed_on, max(known_from) as known_from,
            sum(supplement_amount) as supplement_amount, sum(supplemented_amount) as supplemented_amount,
            sum(greatest(outstanding_employer_amount, 0) + greatest(outstanding_personal_amount, 0)) as supplement_due,
            sum(greatest(-outstanding_employer_amount, 0) + greatest(-outstanding_personal_amount, 0)) as refund_due,
            '规则在核定之后变更，补充核定尚未到达或不足'
                || ' / a rule changed after the assessment, and what makes up for it has not arrived' as reason,
            sum(abs(outstanding_employer_amount) + abs(outstanding_personal_amount)) as amount
        from marts.supplementary_assessment
        where region_code = $region and supplement_state in ('supplement_due', 'refund_due')
        group by employer_no, contribution_month, insurance_type, enrollment_category
    """,
    examined="""
        select count(*) from ledger.assessed_contribution where region_code = $region and last_seq <= $head
    """,
    population="""
        select count(*) from events.event
        where region_code = $region and seq <= $head and event_type = 'contribution.assessed'
    """,
    scopes=frozenset({REVIEW}),
    relists=True,
)

CHECKS: tuple[Check, ...] = (P03, P04)
