-- noqa: disable=ST05
with rule as (
    select
        own.*,
        concat_ws(' ', own.rate_rule, own.base_rule, own.relief_rule) as rules,
        lag(concat_ws(' ', own.rate_rule, own.base_rule, own.relief_rule)) over each_kind as rules_before,
        lag(own.effective_to) over each_kind as ended_before
    from {{ ref('assessment_rule') }} as own
    where own.known_until = 'infinity' and {{ readable('own.region_code') }}
    window each_kind as (
        partition by own.region_code, own.employer_type, own.enrollment_category, own.insurance_type
        order by own.effective_from
    )
),

-- A new period begins where another row of a seed comes into force.
numbered as (
    select
        rule.*,
        count(*) filter (
            where rule.rules is distinct from rule.rules_before or rule.ended_before is distinct from rule.effective_from - 1
        ) over (
            partition by rule.region_code, rule.employer_type, rule.enrollment_category, rule.insurance_type
            order by rule.effective_from
        ) as period_no
    from rule
),

period as (
    select
        region_code,
        employer_type,
        enrollment_category,
        insurance_type,
        min(effective_from) as effective_from,
        nullif(max(effective_to), 'infinity') as effective_to,
        min(employer_rate) as employer_rate,
        min(personal_rate) as personal_rate,
        min(base_floor) as base_floor,
        min(base_ceiling) as base_ceiling,
        min(due_share) as due_share,
        min(deferral_months) as deferral_months,
        min(rate_rule) as rate_rule,
        min(base_rule) as base_rule,
        min(relief_rule) as relief_rule
    from numbered
    group by region_code, employer_type, enrollment_category, insurance_type, period_no
),

merger as (
    select distinct on (region_code) region_code, merger_date
    from {{ ref('policy_region') }}
    order by region_code asc, known_from desc
)

select
    period.region_code,
    period.employer_type,
    period.enrollment_category,
    period.insurance_type,
    period.effective_from,
    period.effective_to,
    period.employer_rate::numeric(9, 6) as employer_rate,
    period.personal_rate::numeric(9, 6) as personal_rate,
    maternity.employer_rate::numeric(9, 6) as separate_maternity_rate,
    (period.employer_rate + coalesce(maternity.employer_rate, 0))::numeric(9, 6) as employer_rate_total,
    period.due_share::numeric(9, 6) as due_share,
    (period.employer_rate * period.due_share)::numeric(9, 6) as employer_rate_due,
    period.deferral_months,
    period.base_floor::numeric(18, 2) as base_floor,
    period.base_ceiling::numeric(18, 2) as base_ceiling,
    at_merger.rate_sum::numeric(9, 6) as sum_before_merger,
    coalesce(
        period.employer_rate = at_merger.rate_sum and period.personal_rate = at_merger.personal_rate, at_merger.is_false
    ) as is_sum_of_both,
    rate.employer_type as rule_employer_type,
    rate.known_from,
    rate.status,
    rate.source,
    base_limit.known_from as base_known_from,
    base_limit.status as base_status,
    base_limit.source as base_source,
    relief.known_from as relief_known_from,
    relief.status as relief_status,
    relief.clause as relief_clause,
    relief.source as relief_source,
    period.rate_rule,
    period.base_rule,
    period.relief_rule
from period
left join merger on period.region_code = merger.region_code
left join {{ ref('policy_rate') }} as rate
    on period.rate_rule = {{ assessment_rule_id('policy_rate', 'rate') }}
left join {{ ref('policy_base') }} as base_limit
    on period.base_rule = {{ assessment_rule_id('policy_base', 'base_limit') }}
left join {{ ref('policy_contribution_relief') }} as relief
    on period.relief_rule = {{ assessment_rule_id('policy_contribution_relief', 'relief') }}
left join rule as maternity
    on
        period.region_code = maternity.region_code
        and period.enrollment_category = maternity.enrollment_category
        and period.employer_type is not distinct from maternity.employer_type
        and period.insurance_type = '310'
        and maternity.insurance_type = '510'
        and period.effective_from between maternity.effective_from and maternity.effective_to
-- the sum rule is judged where the merger falls into the period; employees without a maternity rate before it have no sum
left join lateral (
    select
        max(own.employer_rate) filter (where own.insurance_type = '310')
        + coalesce(
            max(own.employer_rate) filter (where own.insurance_type = '510'),
            case when period.enrollment_category <> 'employee' then 0 end
        ) as rate_sum,
        max(own.personal_rate) filter (where own.insurance_type = '310') as personal_rate,
        false as is_false
    from rule as own
    where
        own.region_code = period.region_code
        and own.employer_type is not distinct from period.employer_type
        and own.enrollment_category = period.enrollment_category
        and merger.merger_date - 1 between own.effective_from and own.effective_to
    having
        period.insurance_type = '310'
        and period.enrollment_category in ('employee', 'flexible')
        and merger.merger_date between period.effective_from and coalesce(period.effective_to, 'infinity')
) as at_merger on true
