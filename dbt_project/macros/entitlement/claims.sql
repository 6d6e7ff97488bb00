{#- What was paid of each cash benefit, and the birth or operation behind it. -#}

{#- The row of a policy seed that counts on a day: one of the region before one of any region, then the one known last. -#}
{% macro best_rule(rule) -%}
order by ({{ rule }}.region_code is not null) desc, {{ rule }}.known_from desc, {{ rule }}.effective_from desc
        limit 1
{%- endmacro %}

{#- A claim's payments and what came back of them; one row a region, claim and item. -#}
{% macro entitlement_claims(bound) -%}
claim as (
    select
        event.region_code,
        event.claim_no,
        event.benefit_item,
        head.seq as head_seq,
        min(event.seq) filter (where event.event_type = 'claim.paid') as event_seq,
        min(event.occurred_on) filter (where event.event_type = 'claim.paid') as first_paid_on,
        max(event.occurred_on) filter (where event.event_type = 'claim.paid') as paid_on,
        (array_agg(event.payee_type order by event.seq desc) filter (where event.event_type = 'claim.paid'))[1] as payee_type,
        (array_agg(payee.payee_type order by event.seq desc) filter (where event.event_type = 'claim.paid'))[1] as payee_demanded,
        coalesce(bool_or(
            event.event_type = 'claim.paid' and taken.unpaid_amount is null
            and event.payee_type is distinct from payee.payee_type
        ), false) as has_other_payee,
        sum(event.pooled_amount) filter (where event.event_type = 'claim.settled') as settled_amount,
        coalesce(sum(event.pooled_amount) filter (where event.event_type = 'claim.paid'), 0) as gross_amount,
        coalesce(sum(taken.unpaid_amount), 0) as unpaid_amount,
        coalesce(sum(taken.recovered_amount), 0) as recovered_amount,
        {{ stated('person_no') }} as person_no,
        {{ stated('employer_no') }} as employer_stated,
        {{ stated('service_on') }} as service_on,
        {{ stated('birth_count') }} as births_stated,
        {{ stated('gestation_weeks') }} as weeks_stated,
        {{ stated('leave_days') }} as stated_days,
        {{ stated('allowance_daily_base') }} as stated_base
    from {{ source('events', 'event') }} as event
    inner join head on event.region_code = head.region_code and event.seq <= head.seq
        {%- if bound == 'published' %} and {{ readable('event.region_code') }}{% endif %}
    -- what came back of a payment: never paid by the bank, recovered, or written back after its return
    left join lateral (
        select
            sum(case correction.event_type when 'claim.reversed' then event.pooled_amount end) as unpaid_amount,
            coalesce(sum(case correction.event_type when 'claim.recovered' then correction.pooled_amount end), 0)
            + coalesce(sum(written_back.amount), 0) as recovered_amount
        from {{ source('events', 'event') }} as correction
        left join {{ source('events', 'event') }} as written_back
            on
                correction.region_code = written_back.region_code
                and correction.seq = written_back.original_seq
                and head.seq >= written_back.seq
                and correction.event_type = 'payment.returned'
                and written_back.event_type = 'return.written_back'
        where
            correction.region_code = event.region_code
            and correction.original_seq = event.seq
            and correction.seq <= head.seq
            and event.event_type = 'claim.paid'
    ) as taken on true
    -- whom to pay goes by the day of each payment, what to pay by that of the birth; the subsidy is the woman's
    left join lateral (
        select case event.benefit_item when 'nutrition_subsidy' then 'person' else coalesce((
            select rule.payee_type
            from {{ ref('policy_allowance') }} as rule
            where rule.region_code = event.region_code and {{ in_force('rule', 'event.occurred_on') }}
            {{ best_rule('rule') }}
        ), 'no rule') end as payee_type
    ) as payee on event.event_type = 'claim.paid'
    where
        event.benefit_item in ('maternity_allowance', 'nutrition_subsidy')
        and event.event_type in ('claim.settled', 'claim.paid')
    group by event.region_code, event.claim_no, event.benefit_item, head.seq
),

paid as (
    select
        claim.*,
        claim.benefit_item = 'maternity_allowance' as is_allowance,
        claim.gross_amount - claim.unpaid_amount - claim.recovered_amount as paid_amount,
        -- settled and not yet paid: a claim in instalments is no underpayment
        greatest(coalesce(claim.settled_amount, 0) - (claim.gross_amount - claim.unpaid_amount), 0) as awaited_amount,
        search.care_within_days,
        search.care_before_payment_days
    from claim
    left join lateral (
        select rule.care_within_days, rule.care_before_payment_days
        from {{ ref('policy_allowance_method') }} as rule
        where
            (rule.region_code is null or rule.region_code = claim.region_code)
            and {{ in_force('rule', 'coalesce(claim.service_on, claim.first_paid_on)') }}
        {{ best_rule('rule') }}
    ) as search on true
    where claim.event_seq is not null and claim.gross_amount > claim.unpaid_amount
)
{%- endmacro %}

{#- The birth or operation behind a claim, and the day that it was: by the claim's own date the nearest one of the person within the days of
    the rule, without a date the last one before the payment. What the hospital says of children and weeks comes before what the
    claimant says. -#}
{% macro entitlement_cares() -%}
cared as (
    select
        paid.*,
        care.benefit_item as care_item,
        care.claim_no as care_claim_no,
        coalesce(paid.service_on, care.care_on, paid.first_paid_on) as rule_date,
        coalesce(paid.service_on, care.care_on) is not null as is_dated,
        coalesce(care.birth_count, paid.births_stated, 1) as births,
        coalesce(care.gestation_weeks, paid.weeks_stated) as weeks,
        coalesce(care.birth_count <> paid.births_stated, false) as is_other_births,
        coalesce(care.gestation_weeks <> paid.weeks_stated, false) as is_other_weeks
    from paid
    left join lateral (
        select
            event.benefit_item, event.claim_no, event.birth_count, event.gestation_weeks, day.care_on
        from {{ source('events', 'event') }} as event
        cross join lateral (select coalesce(event.service_on, event.discharged_on, event.occurred_on) as care_on) as day
        where
            event.region_code = paid.region_code
            and event.person_no = paid.person_no
            and event.seq <= paid.head_seq
            and event.benefit_item in (
                'delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage', 'family_planning'
            )
            and event.event_type in ('claim.settled', 'claim.paid')
            and day.care_on between
            coalesce(paid.service_on - paid.care_within_days, paid.first_paid_on - paid.care_before_payment_days)
            and coalesce(paid.service_on + paid.care_within_days, paid.first_paid_on)
        order by
            abs(day.care_on - coalesce(paid.service_on, paid.first_paid_on)),
            (event.event_type = 'claim.settled') desc, event.seq desc
        limit 1
    ) as care on true
),

-- Who it was: sex, and the enrolment on the day, in maternity insurance before the merger and in the merged one from then on, by what
-- ledger.enrollment_spell makes of all that was said of the person up to the head: which end ends what is decided there alone.
enrolled as (
    select
        cared.*,
        region.merger_date,
        date_trunc('month', cared.rule_date::timestamp)::date as rule_month,
        person.sex,
        person.sex = 'M' and coalesce(cared.care_item like 'delivery%', true) as is_nursing,
        case when told.batch_id is not null and cared.is_dated then enrolment.person_no is not null and not enrolment.is_over end
            as is_enrolled,
        enrolment.enrollment_category,
        coalesce(cared.employer_stated, enrolment.employer_no) as employer_no
    from cared
    left join {{ ref('stg_region') }} as region
        on cared.region_code = region.region_code and region.known_until = 'infinity'
    left join lateral (
        select event.sex
        from {{ source('events', 'event') }} as event
        where
            event.region_code = cared.region_code
            and event.person_no = cared.person_no
            and event.person_no is not null
            and event.family = 'registration'
            and event.sex is not null
            and event.seq <= cared.head_seq
        order by event.seq desc
        limit 1
    ) as person on true
    left join lateral (
        select max(version.batch_id) as batch_id
        from {{ ref('enrollment_spell') }} as version
        where
            version.region_code = cared.region_code
            and version.person_no = cared.person_no
            and version.last_seq <= cared.head_seq
    ) as told on true
    -- of an enrolment that is over, the category and the employer are still said
    left join lateral (
        select
            spell.person_no, spell.enrollment_category, spell.employer_no,
            coalesce(spell.valid_until <= cared.rule_date, false) as is_over
        from {{ ref('enrollment_spell') }} as spell
        where
            spell.region_code = cared.region_code
            and spell.person_no = cared.person_no
            and spell.batch_id = told.batch_id
            and spell.insurance_type = case when cared.rule_date < region.merger_date then '510' else '310' end
            and spell.valid_from <= cared.rule_date
        order by spell.valid_from desc
        limit 1
    ) as enrolment on true
)
{%- endmacro %}
