-- Assisted among vaginal deliveries of one child: a higher price, and days of leave on top of it.
with limits as (
    {{ monitoring_limits('S28', ['min_cases', 'min_excess', 'z_limit']) }}
),

claim as (
    {{ monitored_claim("event.benefit_item in ('delivery_normal', 'delivery_assisted') and event.institution_code is not null") }}
),

single_birth as (
    select *
    from claim
    where coalesce(birth_count, 1) = 1
),

institution as (
    select
        region_code,
        institution_code,
        count(*) as cases,
        count(*) filter (where benefit_item = 'delivery_assisted') as assisted,
        avg(amount) filter (where benefit_item = 'delivery_assisted') as assisted_cost,
        min(care_on) as first_on,
        max(care_on) as last_on,
        array_agg(distinct person_no order by person_no) filter (where benefit_item = 'delivery_assisted') as persons,
        array_agg(claim_no order by claim_no) filter (where benefit_item = 'delivery_assisted') as claims
    from single_birth
    group by region_code, institution_code
),

region as (
    select
        region_code,
        count(*) as cases,
        count(*) filter (where benefit_item = 'delivery_assisted') as assisted,
        avg(amount) filter (where benefit_item = 'delivery_normal') as normal_cost
    from single_birth
    group by region_code
),

-- against the others, as with caesareans
compared as (
    select
        institution.*,
        region.normal_cost,
        limits.min_cases,
        limits.min_excess,
        limits.z_limit,
        region.cases - institution.cases as peer_cases,
        institution.assisted::numeric / institution.cases as share,
        (region.assisted - institution.assisted)::numeric / nullif(region.cases - institution.cases, 0) as peer_share
    from institution
    inner join region on institution.region_code = region.region_code
    inner join limits on {{ with_limits('institution') }}
),

limited as (
    select
        compared.*,
        compared.peer_share + compared.z_limit * sqrt(compared.peer_share * (1 - compared.peer_share) / compared.cases) as upper_limit
    from compared
),

found as (
    select
        region_code,
        'S28'::text as rule_code,
        institution_code as finding_key,
        institution_code,
        null::text as employer_no,
        persons,
        claims,
        round((assisted - cases * peer_share) * greatest(assisted_cost - coalesce(normal_cost, 0), 0), 2) as amount,
        first_on,
        last_on,
        format(
            '单胎阴道分娩 %s 例，助产 %s 例占 %s%%；其他机构 %s%%，控制限 %s%%，高出须达 %s 个百分点', cases, assisted,
            {{ percent_text('share') }},
            {{ percent_text('peer_share') }},
            {{ percent_text('upper_limit') }},
            {{ percent_text('min_excess') }}
        ) as said_zh,
        format(
            '%s vaginal deliveries of one child, %s assisted, %s%%; other institutions %s%%, limit %s%%, excess of at least %s points',
            cases, assisted, {{ percent_text('share') }}, {{ percent_text('peer_share') }}, {{ percent_text('upper_limit') }},
            {{ percent_text('min_excess') }}
        ) as said_en
    from limited
    where cases >= min_cases and peer_cases >= min_cases and share > upper_limit and share - peer_share >= min_excess
)

{{ monitoring_found('found', recovered='shown') }}
