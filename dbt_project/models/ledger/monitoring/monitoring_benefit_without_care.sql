with limits as (
    {{ monitoring_limits('S24', ['care_days', 'opening_days', 'opening_share']) }}
),

benefit as (
    {{ monitored_claim("event.benefit_item in ('maternity_allowance', 'nutrition_subsidy')") }}
),

unfounded as (
    select
        benefit.*,
        limits.care_days
    from benefit
    inner join limits on benefit.region_code = limits.region_code
    where
        benefit.amount > 0
        -- care from before the log began is not in it
        and benefit.care_on >= limits.opening_on + limits.opening_days::integer
        and not exists (
            select from {{ source('events', 'event') }} as event
            where
                event.region_code = benefit.region_code
                and event.person_no = benefit.person_no
                and event.seq <= limits.seq
                and event.benefit_item in (
                    'delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage', 'family_planning'
                )
                and event.event_type in ('claim.settled', 'claim.paid')
                and abs(coalesce(event.service_on, event.discharged_on, event.occurred_on) - benefit.care_on) <= limits.care_days
        )
),

found as (
    select
        region_code,
        'S24'::text as rule_code,
        {{ hidden_key(['person_no', 'min(care_on)']) }} as finding_key,
        null::text as institution_code,
        min(employer_no) as employer_no,
        array[person_no] as persons,
        array_agg(claim_no order by claim_no) as claims,
        sum(amount) as amount,
        min(care_on) as first_on,
        max(settled_on) as last_on,
        format(
            '生育现金待遇 %s 笔共 %s 元，前后 %s 天内没有分娩、流产或计划生育的结算', count(*), {{ yuan_text('sum(amount)') }},
            round(max(care_days))
        ) as said_zh,
        format(
            '%s cash benefits, %s yuan, with no delivery, miscarriage or family planning settled within %s days', count(*),
            {{ yuan_text('sum(amount)') }}, round(max(care_days))
        ) as said_en
    from unfounded
    group by region_code, person_no
)

{{ monitoring_found('found') }}
