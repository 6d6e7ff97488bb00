{#- CTEs up to `judged`: decided allowances and reimbursements, one row a claim, with the working days from the application to the decision. -#}
{% macro time_limit_ctes() -%}
{{ business_calendar() }},

-- Reimbursements: medical claims paid to the person, and those settled with an application that are to be paid to the person.
manual_claim as (
    select event.region_code, event.claim_no
    from {{ source('events', 'event') }} as event
    inner join head
        on event.region_code = head.region_code and event.seq <= head.seq and {{ readable('event.region_code') }}
    where
        event.event_type = 'claim.paid' and event.payee_type = 'person'
        and event.benefit_item not in ('maternity_allowance', 'nutrition_subsidy') and event.claim_no is not null
    union
    select event.region_code, event.claim_no
    from {{ source('events', 'event') }} as event
    inner join head
        on event.region_code = head.region_code and event.seq <= head.seq and {{ readable('event.region_code') }}
    where
        event.event_type = 'claim.settled' and event.applied_on is not null and event.claim_no is not null
        and event.benefit_item not in ('maternity_allowance', 'nutrition_subsidy')
        and coalesce(event.payee_type, case when event.institution_code is null then 'person' end) = 'person'
),

settlement as (
    select manual_claim.region_code, manual_claim.claim_no, 'manual_claim' as matter, first.settled_seq as seq
    from manual_claim
    cross join lateral (
        select min(claim.settled_seq) as settled_seq
        from {{ ref('claim_turnover') }} as claim
        inner join head on claim.region_code = head.region_code and claim.last_seq <= head.seq
        where claim.region_code = manual_claim.region_code and claim.claim_no = manual_claim.claim_no
    ) as first
    where first.settled_seq is not null
    union all
    select event.region_code, event.claim_no, event.benefit_item, min(event.seq)
    from {{ source('events', 'event') }} as event
    inner join head
        on event.region_code = head.region_code and event.seq <= head.seq and {{ readable('event.region_code') }}
    where
        event.event_type = 'claim.settled' and event.benefit_item in ('maternity_allowance', 'nutrition_subsidy')
        and event.claim_no is not null
    group by event.region_code, event.claim_no, event.benefit_item
),

decided as (
    select
        settlement.region_code,
        settlement.matter,
        settlement.claim_no,
        event.seq as event_seq,
        event.benefit_item,
        event.person_no,
        event.employer_no,
        event.institution_code,
        event.applied_on,
        event.occurred_on as decided_on,
        coalesce(event.pooled_amount, 0) + coalesce(event.personal_account_amount, 0) as amount
    from settlement
    inner join {{ source('events', 'event') }} as event
        on settlement.region_code = event.region_code and settlement.seq = event.seq
),

-- The limit goes by the day of application, and where that is not known by the day of the decision.
counted as (
    select
        decided.*,
        rule.limit_value,
        rule.limit_status,
        case when decided.decided_on >= decided.applied_on then last_day.working_days - first_day.working_days end as working_days_used,
        first_day.is_known and last_day.is_known as is_calendar_known
    from decided
    cross join lateral (
        {{ time_limit_in_force(
            'decided.region_code', "'decide_' || decided.matter", 'coalesce(decided.applied_on, decided.decided_on)'
        ) }}
    ) as rule
    left join business_calendar as first_day on decided.applied_on = first_day.day
    left join business_calendar as last_day on decided.decided_on = last_day.day
),

judged as (
    select
        counted.*,
        date_trunc('month', counted.decided_on::timestamp)::date as decided_month,
        case
            when counted.applied_on is null then 'not_known'
            when counted.working_days_used is null then 'not_computable'
            when counted.working_days_used > counted.limit_value then 'late'
            else 'in_time'
        end as outcome
    from counted
)
{%- endmacro %}
