-- noqa: disable=ST05
-- What the seeds say, taken apart so that a month and a day of knowledge meet exactly one row: of several rows in force the one that
-- names the employer type goes first, then the one known last (decision 0045).
with rate as (
    select own.*, {{ assessment_rule_id('policy_rate', 'own') }} as rule_id
    from {{ ref('policy_rate') }} as own
),

base_limit as (
    select own.*, {{ assessment_rule_id('policy_base', 'own') }} as rule_id
    from {{ ref('policy_base') }} as own
),

relief as (
    select own.*, {{ assessment_rule_id('policy_contribution_relief', 'own') }} as rule_id
    from {{ ref('policy_contribution_relief') }} as own
),

tolerance as (
    select *
    from {{ ref('policy_threshold') }}
    where indicator_code = 'assessment_tolerance'
),

dated as (
    select region_code, effective_from, effective_to, known_from from rate
    union all
    select region_code, effective_from, effective_to, known_from from base_limit
    union all
    select region_code, effective_from, effective_to, known_from from relief
    union all
    select region_code, effective_from, effective_to, known_from from tolerance
),

period as (
    select
        region_code,
        started_on,
        lead(started_on) over (partition by region_code order by started_on) - 1 as ended_on
    from (
        select region_code, effective_from as started_on from dated
        union
        select region_code, effective_to + 1
        from dated
        where effective_to is not null
    ) as boundary
),

learned as (
    select
        region_code,
        known_from,
        lead(known_from) over (partition by region_code order by known_from) as known_until
    from (select distinct region_code, known_from from dated) as day
),

kind as (
    select distinct rate.region_code, rate.enrollment_category, rate.insurance_type, listed.employer_type
    from rate
    left join (
        select unnest(array['enterprise', 'public_institution', 'government', 'unemployment_fund', 'other']) as employer_type
        union
        select own.employer_type
        from rate as own
        where own.employer_type is not null
    ) as listed on rate.enrollment_category = 'employee'
)

select
    kind.region_code,
    kind.employer_type,
    kind.enrollment_category,
    kind.insurance_type,
    period.started_on as effective_from,
    coalesce(period.ended_on, 'infinity'::date) as effective_to,
    learned.known_from,
    coalesce(learned.known_until, 'infinity'::date) as known_until,
    own_rate.employer_rate,
    own_rate.personal_rate,
    own_base.base_floor,
    own_base.base_ceiling,
    coalesce(own_relief.due_share, 1)::numeric(9, 6) as due_share,
    coalesce(own_relief.deferral_months, 0) as deferral_months,
    coalesce(own_tolerance.yellow_above, 0)::numeric(18, 6) as tolerance_amount,
    own_rate.rule_id as rate_rule,
    own_base.rule_id as base_rule,
    own_relief.rule_id as relief_rule,
    greatest(own_rate.known_from, own_base.known_from, own_relief.known_from) as rule_known_from
from kind
inner join period on kind.region_code = period.region_code
inner join learned on kind.region_code = learned.region_code
left join lateral (
    select rule.employer_rate, rule.personal_rate, rule.rule_id, rule.known_from
    from rate as rule
    where
        rule.region_code = kind.region_code
        and rule.enrollment_category = kind.enrollment_category
        and rule.insurance_type = kind.insurance_type
        and (rule.employer_type is null or rule.employer_type = kind.employer_type)
        and {{ in_force('rule', 'period.started_on') }}
        and rule.known_from <= learned.known_from
    order by rule.employer_type is null, rule.known_from desc, rule.effective_from desc
    limit 1
) as own_rate on true
left join lateral (
    select rule.base_floor, rule.base_ceiling, rule.rule_id, rule.known_from
    from base_limit as rule
    where
        rule.region_code = kind.region_code
        and {{ in_force('rule', 'period.started_on') }}
        and rule.known_from <= learned.known_from
    order by rule.known_from desc, rule.effective_from desc
    limit 1
) as own_base on true
left join lateral (
    select rule.due_share, rule.deferral_months, rule.rule_id, rule.known_from
    from relief as rule
    where
        rule.region_code = kind.region_code
        and kind.enrollment_category = 'employee'
        and rule.insurance_type = kind.insurance_type
        and (rule.employer_type is null or rule.employer_type = kind.employer_type)
        and {{ in_force('rule', 'period.started_on') }}
        and rule.known_from <= learned.known_from
    order by rule.employer_type is null, rule.known_from desc, rule.effective_from desc
    limit 1
) as own_relief on true
left join lateral (
    select rule.yellow_above
    from tolerance as rule
    where
        rule.region_code = kind.region_code
        and {{ in_force('rule', 'period.started_on') }}
        and rule.known_from <= learned.known_from
    order by rule.known_from desc, rule.effective_from desc
    limit 1
) as own_tolerance on true
where own_rate.rule_id is not null
