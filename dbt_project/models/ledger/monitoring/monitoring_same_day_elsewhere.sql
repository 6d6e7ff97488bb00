with limits as (
    {{ monitoring_limits('S19', ['min_institutions', 'min_visits']) }}
),

claim as (
    {{ monitored_claim("event.benefit_item <> 'pharmacy' and event.institution_code is not null", identified=true) }}
),

crowded as (
    select
        region_code,
        array_agg(distinct person_no order by person_no) as persons,
        care_on as first_on,
        care_on as last_on,
        array_agg(claim_no order by claim_no) as claims,
        sum(amount) - max(amount) as amount,
        count(distinct institution_code) as places,
        min(institution_code) as institution_code,
        'day'::text as kind
    from claim
    group by region_code, person_key, care_on
    having count(distinct institution_code) >= (
        select limits.min_institutions from limits
        where limits.region_code = claim.region_code
    )
),

outside as (
    select
        stay.region_code,
        array(
            select distinct part.person_no from unnest(array_agg(visit.person_no) || stay.person_no) as part (person_no)
            order by part.person_no
        ) as persons,
        stay.admitted_on as first_on,
        stay.discharged_on as last_on,
        array_agg(visit.claim_no order by visit.claim_no) || stay.claim_no as claims,
        sum(visit.amount) as amount,
        count(*) as places,
        stay.institution_code,
        'stay'::text as kind
    from claim as stay
    inner join limits on {{ with_limits('stay') }}
    inner join claim as visit
        on
            stay.region_code = visit.region_code
            and stay.person_key = visit.person_key
            and stay.institution_code <> visit.institution_code
            and stay.admitted_on < visit.care_on
            and stay.discharged_on > visit.care_on
            and visit.admitted_on is null
    where stay.admitted_on is not null and stay.discharged_on is not null
    group by
        stay.region_code, stay.person_no, stay.admitted_on, stay.discharged_on, stay.claim_no, stay.institution_code,
        limits.min_visits
    having count(*) >= limits.min_visits
),

found as (
    select
        found.region_code,
        'S19'::text as rule_code,
        {{ hidden_key(['found.persons[1]', 'found.kind', 'found.first_on', 'found.institution_code']) }} as finding_key,
        found.institution_code,
        null::text as employer_no,
        found.persons,
        found.claims,
        found.amount,
        found.first_on,
        found.last_on,
        case found.kind
            when 'day' then format('一日在 %s 家机构就医（限 %s 家）', found.places, round(limits.min_institutions))
            else format('住院期间在其他机构门诊 %s 次（限 %s 次）', found.places, round(limits.min_visits))
        end as said_zh,
        case found.kind
            when 'day' then format('care in %s institutions on one day (limit %s)', found.places, round(limits.min_institutions))
            else format('%s visits elsewhere during a stay (limit %s)', found.places, round(limits.min_visits))
        end as said_en
    from (
        select * from crowded
        union all
        select * from outside
    ) as found
    inner join limits on {{ with_limits('found') }}
)

{{ monitoring_found('found', recovered='whole') }}
