with limits as (
    {{ monitoring_limits('S24', [
        'care_days', 'opening_days', 'opening_share', 'birth_leave_days', 'after_days', 'undated_days'
    ]) }}
),

benefit as (
    {{ monitored_claim("event.benefit_item in ('maternity_allowance', 'nutrition_subsidy')") }}
),

-- what was reversed is not among the claims; what has come back in full was not had either
care_claim as (
    {{ monitored_claim("event.benefit_item in ('delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage',"
        " 'family_planning')") }}
),

care as (
    select given.*
    from care_claim as given
    inner join limits on {{ with_limits('given') }}
    left join lateral (
        select sum(turned.taken_back_pooled_amount + turned.taken_back_personal_amount) as amount
        from {{ ref('claim_turnover') }} as turned
        where turned.region_code = given.region_code and turned.claim_no = given.claim_no and turned.last_seq <= limits.seq
    ) as taken on true
    where coalesce(taken.amount, 0) < given.amount or given.amount = 0
),

-- a benefit that names no day is about care before its settlement, as far back as it may be claimed
dated as (
    select
        benefit.*,
        coalesce(benefit.service_on, benefit.settled_on) as due_on,
        case when benefit.service_on is null then limits.undated_days else limits.care_days end as before_days,
        limits.after_days,
        benefit.benefit_item = 'nutrition_subsidy'
        or benefit.birth_count >= 1
        or benefit.leave_days >= limits.birth_leave_days as is_of_birth
    from benefit
    inner join limits on {{ with_limits('benefit') }}
    where benefit.amount > 0
),

unfounded as (
    select dated.*
    from dated
    inner join limits on {{ with_limits('dated') }}
    left join lateral (
        select (array_agg(event.sex order by event.seq desc))[1] as sex
        from {{ source('events', 'event') }} as event
        where
            event.region_code = dated.region_code
            and event.person_no = dated.person_no
            and event.event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
            and event.sex is not null
            and event.seq <= limits.seq
    ) as person on true
    left join lateral (
        select known.allowance_days as days
        from {{ ref('policy_allowance_days') }} as known
        where
            known.region_code = dated.region_code
            and known.allowance_case = 'nursing_leave'
            and {{ in_force('known', 'dated.due_on') }}
        order by known.known_from desc, known.effective_from desc
        limit 1
    ) as of_fathers on true
    where
        -- the birth that a father's leave is about stands under the number of his wife, who may be insured elsewhere
        coalesce(person.sex = 'M' and dated.benefit_item = 'maternity_allowance' and dated.leave_days = of_fathers.days, false) = false
        -- care from before the log began, or from before claims are looked at, is not in it
        and dated.due_on >= limits.opening_on + greatest(limits.opening_days, dated.before_days)::integer
        and dated.due_on - dated.before_days::integer >= limits.since
        and not exists (
            select from care
            where
                care.region_code = dated.region_code
                and care.person_no = dated.person_no
                and care.care_on >= dated.due_on - dated.before_days::integer
                and care.care_on <= dated.due_on + dated.after_days::integer
                -- the leave of a birth does not follow from an operation
                and (care.benefit_item <> 'family_planning' or dated.is_of_birth is not true)
        )
),

found as (
    select
        region_code,
        'S24'::text as rule_code,
        {{ hidden_key(['person_no', 'min(due_on)']) }} as finding_key,
        null::text as institution_code,
        min(employer_no) as employer_no,
        array[person_no] as persons,
        array_agg(claim_no order by claim_no) as claims,
        sum(amount) as amount,
        min(due_on) as first_on,
        max(settled_on) as last_on,
        format(
            '生育现金待遇 %s 笔共 %s 元，此前 %s 天至此后 %s 天内没有相应的分娩、流产或计划生育结算', count(*),
            {{ yuan_text('sum(amount)') }}, round(max(before_days)), round(max(after_days))
        ) as said_zh,
        format(
            '%s cash benefits, %s yuan, with no care of their kind from %s days before to %s days after', count(*),
            {{ yuan_text('sum(amount)') }}, round(max(before_days)), round(max(after_days))
        ) as said_en
    from unfounded
    group by region_code, person_no
)

{{ monitoring_found('found') }}
