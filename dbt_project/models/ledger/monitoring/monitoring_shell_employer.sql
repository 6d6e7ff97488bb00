-- noqa: disable=ST05
with limits as (
    {{ monitoring_limits('S12', ['same_birth_days', 'birth_leave_days', 'min_claimants', 'min_share', 'paid_ratio']) }}
),

birth_claim as (
    {{ monitored_claim(is_birth_claim()) }}
),

birth as (
    {{ monitored_birth() }}
),

{{ employed_births() }},

employer as (
    select
        region_code,
        employer_no,
        count(distinct person_no) as claimants,
        sum(amount) as amount,
        min(birth_on) as first_on,
        max(birth_on) as last_on,
        array_agg(distinct person_no order by person_no) as persons
    from employed
    where employer_no is not null
    group by region_code, employer_no
),

active as (
    select
        employer.*,
        insured.persons as insured_persons,
        coalesce(premium.collected_amount, 0) as collected_amount,
        coalesce(premium.months, 0) as months,
        limits.min_claimants,
        limits.min_share,
        limits.paid_ratio
    from employer
    inner join limits on {{ with_limits('employer') }}
    cross join
        lateral (
            select count(distinct event.person_no) as persons
            from {{ source('events', 'event') }} as event
            where
                event.region_code = employer.region_code
                and event.employer_no = employer.employer_no
                and event.family = 'registration'
                and event.event_type in ('enrollment.started', 'enrollment.changed')
                and event.seq <= limits.seq
        ) as insured
    left join lateral (
        select
            sum(turned.collected_amount) - coalesce(sum(turned.refunded_amount), 0) as collected_amount,
            count(distinct turned.contribution_month) filter (where turned.collected_amount > 0) as months
        from {{ ref('contribution_turnover') }} as turned
        where
            turned.region_code = employer.region_code
            and turned.employer_no = employer.employer_no
            and turned.last_seq <= limits.seq
    ) as premium on true
),

found as (
    select
        region_code,
        'S12'::text as rule_code,
        employer_no as finding_key,
        null::text as institution_code,
        employer_no,
        persons,
        (
            select array_agg(distinct part.claim_no order by part.claim_no)
            from employed
            cross join lateral unnest(employed.claims) as part (claim_no)
            where employed.region_code = active.region_code and employed.employer_no = active.employer_no
        ) as claims,
        amount,
        first_on,
        last_on,
        format(
            '参保 %s 人中 %s 人领取生育待遇 %s 元（限占 %s%%），缴费 %s 个月共 %s 元，待遇须达缴费 %s 倍', insured_persons, claimants,
            {{ yuan_text('amount') }}, {{ percent_text('min_share') }}, months, {{ yuan_text('collected_amount') }}, round(paid_ratio, 1)
        ) as said_zh,
        format(
            '%s of %s insured drew %s yuan of maternity benefits (limit %s%%); premiums of %s months, %s yuan (limit %s times)',
            claimants, insured_persons, {{ yuan_text('amount') }}, {{ percent_text('min_share') }}, months,
            {{ yuan_text('collected_amount') }}, round(paid_ratio, 1)
        ) as said_en
    from active
    where
        claimants >= min_claimants
        and claimants >= min_share * insured_persons
        and amount >= paid_ratio * collected_amount
)

{{ monitoring_found('found') }}
