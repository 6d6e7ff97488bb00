-- noqa: disable=ST05
-- Judged when read, from what is published: the rules named in the condition are all that is computed. A region named there stays
-- outside, which the window sees to: inside it is taken for the two-hundredth part of the claims, and loops follow.
select
    hit.region_code,
    hit.rule_code,
    rule.precedence,
    rule.title_zh,
    rule.title_en,
    rule.owner,
    hit.finding_key,
    case
        when made.decision in ('accepted', 'dismissed') and made.lapse is null then 'dismissed'
        when made.decision = 'confirmed' then 'confirmed'
        else 'open'
    end as status,
    hit.institution_code,
    hit.employer_no,
    cardinality(hit.persons) as person_count,
    cardinality(hit.claims) as claim_count,
    hit.persons,
    hit.claims,
    hit.amount,
    hit.recovered_amount,
    greatest(hit.amount - hit.recovered_amount, 0)::numeric(18, 2) as open_amount,
    hit.first_on,
    hit.last_on,
    hit.said_zh,
    hit.said_en,
    made.decided_by,
    made.reason as decided_reason,
    made.decided_on,
    made.lapse,
    hit.evidence
from (
    select
        each_hit.*,
        sum(abs(each_hit.amount)) over each_rule as rule_amount,
        count(*) over each_rule as rule_rows
    from {{ ref('monitoring_hit') }} as each_hit
    window each_rule as (partition by coalesce(each_hit.region_code, ''), each_hit.rule_code)
) as hit
inner join {{ ref('monitoring_rule') }} as rule on hit.rule_code = rule.rule_code
left join {{ source('quality', 'decision_newest') }} as own
    on
        hit.region_code = own.region_code
        and hit.rule_code = own.code
        and hit.finding_key = own.finding_key
        and own.decision <> 'withdrawn'
-- what was decided on the item itself goes before what was decided on all of the rule together
left join {{ source('quality', 'decision_newest') }} as general
    on
        hit.region_code = general.region_code
        and hit.rule_code = general.code
        and general.finding_key = '*'
        and general.decision = 'accepted'
left join lateral (
    select
        own.decision,
        own.decided_by,
        own.reason,
        own.decided_on,
        case
            when own.decision = 'confirmed' then null
            when own.evidence <> hit.evidence then 'facts_changed'
            else quality.lapse(
                own.decision, own.valid_until, own.amount_max, null, 'warn', hit.amount, null, quality.business_date()
            )
        end as lapse
    where own.decision is not null
    union all
    select
        general.decision,
        general.decided_by,
        general.reason,
        general.decided_on,
        quality.lapse(
            general.decision, general.valid_until, general.amount_max, general.rows_max, 'warn', hit.rule_amount, hit.rule_rows,
            quality.business_date()
        ) as lapse
    where own.decision is null and general.decision is not null
) as made on true
where {{ readable('hit.region_code') }}
