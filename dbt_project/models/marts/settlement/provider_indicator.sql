-- noqa: disable=ST05
with head as (
    {{ ledger_head('published') }}
),

{{ price_difference_ctes() }},

period_kind as (
    select kind.period_kind, kind.unit
    from (values ('quarter', interval '3 months'), ('year', interval '1 year')) as kind (period_kind, unit)
),

-- Cases settled one by one, in the period of the treatment. Settlements of one claim in parts are one case.
care as (
    select
        region_code,
        institution_code,
        benefit_item,
        claim_no,
        rule_date,
        coalesce(medical_fee_total, settled_amount) as fee,
        settled_on - rule_date as days_to_settle
    from settled
    where institution_code is not null and settlement_kind = 'case'
),

direct as (
    select
        turnover.region_code,
        turnover.institution_code,
        turnover.accounting_month,
        sum(turnover.payment_amount) as payment_amount,
        sum(turnover.direct_amount) as direct_amount
    from {{ ref('institution_turnover') }} as turnover
    inner join head
        on turnover.region_code = head.region_code and turnover.last_seq <= head.seq and {{ readable('turnover.region_code') }}
    where
        (turnover.region_code, turnover.institution_code) in (
            select settled.region_code, settled.institution_code from settled
        )
    group by turnover.region_code, turnover.institution_code, turnover.accounting_month
),

part as (
    select
        care.region_code, care.institution_code, 'caesarean_share' as indicator_code, care.rule_date as day,
        (care.benefit_item = 'delivery_caesarean')::integer::numeric as numerator, 1::numeric as denominator
    from care
    where care.benefit_item like 'delivery%'
    union all
    select care.region_code, care.institution_code, 'cost_per_delivery', care.rule_date, care.fee, 1
    from care
    where care.benefit_item like 'delivery%'
    union all
    select care.region_code, care.institution_code, 'days_to_settle', care.rule_date, greatest(care.days_to_settle, 0), 1
    from care
    union all
    select
        direct.region_code, direct.institution_code, 'direct_settlement_share', direct.accounting_month, direct.direct_amount,
        direct.payment_amount
    from direct
    union all
    select
        compared.region_code, compared.institution_code, 'overcharge_share', compared.rule_date,
        case when compared.may_be_special then 0 else greatest(compared.difference, 0) end, compared.settled_amount
    from compared
    where compared.institution_code is not null and compared.missing is null
    union all
    select compared.region_code, compared.institution_code, 'prenatal_heads_per_delivery', compared.rule_date, compared.whole_prices, 0
    from compared
    where compared.institution_code is not null and compared.missing is null and compared.basis = 'heads'
    union all
    select care.region_code, care.institution_code, 'prenatal_heads_per_delivery', care.rule_date, 0, 1
    from care
    where care.benefit_item like 'delivery%'
),

summed as (
    select
        part.region_code,
        part.institution_code,
        part.indicator_code,
        period_kind.period_kind,
        date_trunc(period_kind.period_kind, part.day::timestamp)::date as period_from,
        (date_trunc(period_kind.period_kind, part.day::timestamp) + period_kind.unit - interval '1 day')::date as period_to,
        sum(part.numerator) as numerator,
        sum(part.denominator) as denominator
    from part
    cross join period_kind
    group by
        part.region_code, part.institution_code, part.indicator_code, period_kind.period_kind,
        date_trunc(period_kind.period_kind, part.day::timestamp), period_kind.unit
    -- where heads are paid for at all
    having part.indicator_code <> 'prenatal_heads_per_delivery' or sum(part.numerator) > 0
),

targeted as (
    select
        summed.*,
        term.name_zh as institution_name,
        term.hospital_level,
        goal.target,
        goal.comparison,
        goal.cases_min,
        goal.status as target_status,
        summed.numerator / nullif(summed.denominator, 0) as value
    from summed
    left join lateral (
        {{ term_on('summed.region_code', 'summed.institution_code', 'summed.period_to') }}
    ) as term on true
    left join lateral (
        select rule.target, rule.comparison, rule.cases_min, rule.status
        from {{ ref('provider_agreement_indicator') }} as rule
        where
            rule.region_code = summed.region_code and rule.indicator_code = summed.indicator_code
            and rule.period_kind = summed.period_kind
            and coalesce(rule.institution_code, summed.institution_code) = summed.institution_code
            and (rule.hospital_level is null or rule.hospital_level = term.hospital_level)
            and {{ in_force('rule', 'summed.period_to') }}
        order by
            rule.institution_code asc nulls last, rule.hospital_level asc nulls last, rule.known_from desc, rule.effective_from desc
        limit 1
    ) as goal on true
)

select
    region_code,
    institution_code,
    institution_name,
    hospital_level,
    indicator_code,
    period_kind,
    period_from,
    period_to,
    numerator::numeric(18, 2) as numerator,
    denominator::numeric(18, 2) as denominator,
    round(value, 4)::numeric(18, 4) as value,
    target::numeric(18, 4) as target,
    comparison,
    cases_min,
    target_status,
    case
        when target is null then 'no_target'
        when denominator < coalesce(cases_min, 0) or value is null then 'too_few'
        when comparison = 'at_most' and value <= target or comparison = 'at_least' and value >= target then 'met'
        else 'missed'
    end as outcome
from targeted
