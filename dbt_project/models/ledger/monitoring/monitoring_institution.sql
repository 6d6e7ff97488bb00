-- Single births alone: several children at once are a reason for a caesarean, and some institutions take in all of them.
with limits as (
    {{ monitoring_limits('S01', ['z_limit']) }}
),

claim as (
    {{ monitored_claim("event.benefit_item in ('delivery_normal', 'delivery_assisted', 'delivery_caesarean')"
        " and event.institution_code is not null") }}
),

-- a payment does not repeat how many were born: asked of the claim as it was settled
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
        count(*) filter (where benefit_item = 'delivery_caesarean') as caesareans,
        avg(amount) as average_amount,
        avg(amount) filter (where benefit_item = 'delivery_caesarean') as caesarean_cost,
        min(care_on) as first_on,
        max(care_on) as last_on,
        array_agg(distinct person_no order by person_no) filter (where benefit_item = 'delivery_caesarean') as caesarean_persons,
        array_agg(claim_no order by claim_no) filter (where benefit_item = 'delivery_caesarean') as caesarean_claims
    from single_birth
    group by region_code, institution_code
),

region as (
    select
        region_code,
        count(*) as cases,
        count(*) filter (where benefit_item = 'delivery_caesarean') as caesareans,
        avg(amount) filter (where benefit_item <> 'delivery_caesarean') as normal_cost
    from single_birth
    group by region_code
),

-- Measured against the others: an institution with most of the cases would else be its own measure.
compared as (
    select
        institution.*,
        region.normal_cost,
        limits.z_limit,
        region.cases - institution.cases as peer_cases,
        institution.caesareans::numeric / institution.cases as caesarean_share,
        (region.caesareans - institution.caesareans)::numeric / nullif(region.cases - institution.cases, 0) as peer_share
    from institution
    inner join region on institution.region_code = region.region_code
    inner join limits on {{ with_limits('institution') }}
)

select
    region_code,
    institution_code,
    cases,
    caesareans,
    caesarean_share::numeric(9, 6) as caesarean_share,
    peer_cases,
    peer_share::numeric(9, 6) as peer_share,
    greatest(peer_share - z_limit * sqrt(peer_share * (1 - peer_share) / cases), 0)::numeric(9, 6) as lower_limit,
    least(peer_share + z_limit * sqrt(peer_share * (1 - peer_share) / cases), 1)::numeric(9, 6) as upper_limit,
    average_amount::numeric(18, 2) as average_amount,
    caesarean_cost::numeric(18, 2) as caesarean_cost,
    normal_cost::numeric(18, 2) as normal_cost,
    first_on,
    last_on,
    caesarean_persons,
    caesarean_claims
from compared
