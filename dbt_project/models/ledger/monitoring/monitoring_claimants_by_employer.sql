-- noqa: disable=ST05
with limits as (
    {{ monitoring_limits('S11', [
        'same_birth_days', 'birth_leave_days', 'min_claimants', 'min_share', 'z_limit', 'min_claimants_high', 'min_share_high', 'z_high'
    ]) }}
),

birth_claim as (
    {{ monitored_claim(is_birth_claim()) }}
),

birth as (
    {{ monitored_birth() }}
),

{{ employed_births() }},

spell as (
    select
        event.region_code,
        event.employer_no,
        event.person_no
    from limits
    inner join {{ source('events', 'event') }} as event
        on limits.region_code = event.region_code and limits.seq >= event.seq
    where
        event.event_type in ('enrollment.started', 'enrollment.changed')
        and event.employer_no is not null
        and event.enrollment_category = 'employee'
    group by event.region_code, event.employer_no, event.person_no
),

insured as (
    select
        region_code,
        employer_no,
        count(*) as persons
    from spell
    group by region_code, employer_no
),

employer as (
    select
        employed.region_code,
        employed.employer_no,
        count(distinct employed.person_no) as claimants,
        sum(employed.amount) as amount,
        min(employed.birth_on) as first_on,
        max(employed.birth_on) as last_on,
        array_agg(distinct employed.person_no order by employed.person_no) as persons
    from employed
    group by employed.region_code, employed.employer_no
),

region as (
    select
        counted.region_code,
        counted.persons,
        coalesce(mothers.persons, 0) as claimants
    from (
        select region_code, count(distinct person_no) as persons from spell
        group by region_code
    ) as counted
    left join (
        select region_code, count(distinct person_no) as persons from birth
        group by region_code
    ) as mothers
        on counted.region_code = mothers.region_code
),

compared as (
    select
        employer.*,
        insured.persons as insured_persons,
        employer.claimants::numeric / insured.persons as share,
        greatest(region.claimants - employer.claimants, 0)::numeric / nullif(region.persons - insured.persons, 0) as peer_share,
        limits.min_claimants,
        limits.min_share,
        limits.z_limit,
        limits.min_claimants_high,
        limits.min_share_high,
        limits.z_high
    from employer
    inner join limits on {{ with_limits('employer') }}
    inner join insured on employer.region_code = insured.region_code and employer.employer_no = insured.employer_no
    inner join region on employer.region_code = region.region_code
),

found as (
    select
        region_code,
        'S11'::text as rule_code,
        employer_no as finding_key,
        null::text as institution_code,
        employer_no,
        persons,
        (
            select array_agg(distinct part.claim_no order by part.claim_no)
            from employed
            cross join lateral unnest(employed.claims) as part (claim_no)
            where employed.region_code = compared.region_code and employed.employer_no = compared.employer_no
        ) as claims,
        amount,
        first_on,
        last_on,
        format(
            '曾参保 %s 人，其中 %s 人领取生育待遇，占 %s%%（限 %s%%，至少 %s 人；满 %s 人的限 %s%%），其他单位 %s%%', insured_persons,
            claimants,
            {{ percent_text('share') }},
            {{ percent_text('min_share') }},
            round(min_claimants),
            round(min_claimants_high),
            {{ percent_text('min_share_high') }},
            {{ percent_text('coalesce(peer_share, 0)') }}
        ) as said_zh,
        format(
            '%s of %s insured drew maternity benefits, %s%% (limit %s%%, at least %s persons; from %s on %s%%); other employers %s%%',
            claimants, insured_persons, {{ percent_text('share') }}, {{ percent_text('min_share') }}, round(min_claimants),
            round(min_claimants_high), {{ percent_text('min_share_high') }},
            {{ percent_text('coalesce(peer_share, 0)') }}
        ) as said_en
    from compared
    where
        -- more than chance would bring at the share of the others; among many insured a lower share is no chance either
        claimants >= min_claimants
        and share >= min_share
        and share > coalesce(peer_share, 0)
        + z_limit * sqrt(coalesce(peer_share, 0) * (1 - coalesce(peer_share, 0)) / insured_persons)
        or claimants >= min_claimants_high
        and share >= min_share_high
        and share > coalesce(peer_share, 0)
        + z_high * sqrt(coalesce(peer_share, 0) * (1 - coalesce(peer_share, 0)) / insured_persons)
)

{{ monitoring_found('found') }}
