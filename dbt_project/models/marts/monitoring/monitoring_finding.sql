-- noqa: disable=ST05
-- Judged when read, from what is published: rules and region named in the condition are all that is computed.
select
    hit.region_code,
    hit.rule_code,
    rule.precedence,
    rule.title_zh,
    rule.title_en,
    rule.owner,
    hit.finding_key,
    case
        when decided.decision in ('accepted', 'dismissed') and judged.lapse is null then 'dismissed'
        when decided.decision = 'confirmed' then 'confirmed'
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
    (hit.amount - hit.recovered_amount)::numeric(18, 2) as open_amount,
    hit.first_on,
    hit.last_on,
    hit.said_zh,
    hit.said_en,
    decided.decided_by,
    decided.reason as decided_reason,
    decided.decided_on,
    judged.lapse,
    hit.evidence
from {{ ref('monitoring_hit') }} as hit
inner join {{ ref('monitoring_rule') }} as rule on hit.rule_code = rule.rule_code
left join {{ source('quality', 'decision_newest') }} as decided
    on
        hit.region_code = decided.region_code
        and hit.rule_code = decided.code
        and hit.finding_key = decided.finding_key
        and decided.decision <> 'withdrawn'
left join lateral (
    select
        case
            when decided.evidence <> hit.evidence then 'facts_changed'
            when decided.valid_until < (now() at time zone 'Asia/Shanghai')::date then 'expired'
            when hit.amount > decided.amount_max then 'over_budget'
        end as lapse
) as judged on decided.decision in ('accepted', 'dismissed')
where {{ readable('hit.region_code') }}
