with limits as (
    {{ monitoring_limits('S01', ['min_cases', 'min_excess']) }}
),

compared as (
    select
        compared.*,
        limits.min_excess
    from limits
    inner join {{ ref('monitoring_institution') }} as compared on limits.region_code = compared.region_code
    where
        compared.cases >= limits.min_cases
        and compared.peer_cases >= limits.min_cases
        and compared.caesarean_share > compared.upper_limit
        and compared.caesarean_share - compared.peer_share >= limits.min_excess
),

found as (
    select
        region_code,
        'S01'::text as rule_code,
        institution_code as finding_key,
        institution_code,
        null::text as employer_no,
        caesarean_persons as persons,
        caesarean_claims as claims,
        -- the cases beyond the peers' share, at what a caesarean costs more here than a normal delivery
        round((caesareans - cases * peer_share) * greatest(caesarean_cost - normal_cost, 0), 2) as amount,
        first_on,
        last_on,
        format(
            '单胎分娩 %s 例，剖宫产 %s 例占 %s%%；其他机构 %s%%，控制限 %s%%，高出须达 %s 个百分点',
            cases, caesareans, {{ percent_text('caesarean_share') }}, {{ percent_text('peer_share') }},
            {{ percent_text('upper_limit') }}, {{ percent_text('min_excess') }}
        ) as said_zh,
        format(
            '%s deliveries of one child, %s caesarean, %s%%; other institutions %s%%, control limit %s%%, excess of at least %s points',
            cases, caesareans, {{ percent_text('caesarean_share') }}, {{ percent_text('peer_share') }},
            {{ percent_text('upper_limit') }}, {{ percent_text('min_excess') }}
        ) as said_en
    from compared
)

{{ monitoring_found('found', recovered='shown') }}
