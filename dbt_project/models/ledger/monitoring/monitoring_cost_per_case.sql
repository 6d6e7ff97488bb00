with limits as (
    {{ monitoring_limits('S02', ['min_cases', 'min_ratio', 'min_ratio_inpatient', 'z_limit']) }}
),

claim as (
    {{ monitored_claim("event.benefit_item in ('delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage',"
        " 'maternity_complication', 'inpatient') and event.institution_code is not null and event.medical_fee_total > 0") }}
),

institution as (
    select
        region_code,
        institution_code,
        benefit_item,
        count(*) as cases,
        percentile_cont(0.5) within group (order by medical_fee_total)::numeric as median_fee,
        sum(amount) / sum(medical_fee_total) as paid_share,
        array_agg(distinct person_no order by person_no) as persons,
        array_agg(claim_no order by claim_no) as claims,
        min(care_on) as first_on,
        max(care_on) as last_on
    from claim
    group by region_code, institution_code, benefit_item
),

-- how far cases lie from their own institution's median: what one expensive institution does to all does not widen it
spread as (
    select
        claim.region_code,
        claim.benefit_item,
        1.4826 * percentile_cont(0.5) within group (order by abs(claim.medical_fee_total - institution.median_fee))::numeric
            as deviation
    from claim
    inner join institution
        on
            claim.region_code = institution.region_code
            and claim.institution_code = institution.institution_code
            and claim.benefit_item = institution.benefit_item
    group by claim.region_code, claim.benefit_item
),

compared as (
    select
        institution.*,
        limits.z_limit,
        case institution.benefit_item when 'inpatient' then limits.min_ratio_inpatient else limits.min_ratio end as min_ratio,
        peer.median_fee as peer_fee,
        (institution.median_fee - peer.median_fee)
        / nullif(1.2533 * spread.deviation / sqrt(institution.cases::numeric), 0) as z
    from institution
    inner join limits on {{ with_limits('institution') }}
    inner join spread
        on institution.region_code = spread.region_code and institution.benefit_item = spread.benefit_item
    cross join
        lateral (
            select percentile_cont(0.5) within group (order by other.median_fee)::numeric as median_fee
            from institution as other
            where
                other.region_code = institution.region_code
                and other.benefit_item = institution.benefit_item
                and other.institution_code <> institution.institution_code
                and other.cases >= limits.min_cases
        ) as peer
    where institution.cases >= limits.min_cases
),

found as (
    select
        region_code,
        'S02'::text as rule_code,
        institution_code || '/' || benefit_item as finding_key,
        institution_code,
        null::text as employer_no,
        persons,
        claims,
        round((median_fee - peer_fee) * cases * paid_share, 2) as amount,
        first_on,
        last_on,
        format(
            '%s %s 例，费用中位数 %s 元，同类机构 %s 元，为其 %s 倍（上限 %s 倍，z=%s，限 %s）', benefit_item, cases,
            {{ yuan_text('median_fee') }}, {{ yuan_text('peer_fee') }}, round(median_fee / peer_fee, 2), round(min_ratio, 2),
            coalesce(round(z, 1)::text, '∞'), round(z_limit, 1)
        ) as said_zh,
        format(
            '%s: %s cases, median fee %s yuan, peers %s, ratio %s (limit %s, z=%s, limit %s)', benefit_item, cases,
            {{ yuan_text('median_fee') }}, {{ yuan_text('peer_fee') }}, round(median_fee / peer_fee, 2), round(min_ratio, 2),
            coalesce(round(z, 1)::text, '∞'), round(z_limit, 1)
        ) as said_en
    from compared
    where median_fee >= min_ratio * peer_fee and coalesce(z, z_limit) >= z_limit
)

{{ monitoring_found('found', recovered='shown') }}
