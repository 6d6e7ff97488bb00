with limits as (
    {{ monitoring_limits('S25', ['window_days', 'min_cases']) }}
),

claim as (
    {{ monitored_claim("event.benefit_item in ('miscarriage', 'family_planning')", identified=true) }}
),

placed as (
    select
        claim.*,
        limits.window_days,
        limits.min_cases,
        count(*) over (
            partition by claim.region_code, claim.person_key
            -- a frame takes no column: days are counted in windows
            order by (claim.care_on - date '2000-01-01') / limits.window_days
            range between 1.000001 preceding and current row
        ) as cases
    from claim
    inner join limits on {{ with_limits('claim') }}
),

found as (
    select
        region_code,
        'S25'::text as rule_code,
        {{ hidden_key(['min(person_no)']) }} as finding_key,
        min(institution_code) as institution_code,
        min(employer_no) as employer_no,
        array_agg(distinct person_no order by person_no) as persons,
        array_agg(claim_no order by claim_no) as claims,
        sum(amount) - min(amount) as amount,
        min(care_on) as first_on,
        max(care_on) as last_on,
        format('%s 天内流产或计划生育手术 %s 次（限 %s 次）', round(max(window_days)), max(cases), round(max(min_cases))) as said_zh,
        format(
            '%s miscarriages or operations within %s days (limit %s)', max(cases), round(max(window_days)), round(max(min_cases))
        ) as said_en
    from placed
    group by region_code, person_key
    having max(cases) >= max(min_cases)
)

{{ monitoring_found('found', recovered='whole') }}
