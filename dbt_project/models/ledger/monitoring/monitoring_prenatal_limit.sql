-- noqa: disable=ST05
with limits as (
    {{ monitoring_limits('S07', ['pregnancy_days', 'tolerance']) }}
),

claim as (
    {{ monitored_claim("event.benefit_item = 'prenatal'") }}
),

placed as (
    select
        claim.*,
        limits.pregnancy_days,
        limits.tolerance,
        coalesce(birth.birth_on, claim.care_on) as birth_on,
        birth.birth_on is not null as has_birth
    from claim
    inner join limits on {{ with_limits('claim') }}
    left join lateral (
        select min(coalesce(event.service_on, event.discharged_on, event.occurred_on)) as birth_on
        from {{ source('events', 'event') }} as event
        where
            event.region_code = claim.region_code
            and event.person_no = claim.person_no
            and event.seq <= limits.seq
            and event.benefit_item in ('delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage')
            and event.event_type in ('claim.settled', 'claim.paid')
            and coalesce(event.service_on, event.discharged_on, event.occurred_on) >= claim.care_on
            and coalesce(event.service_on, event.discharged_on, event.occurred_on) <= claim.care_on + limits.pregnancy_days::integer
    ) as birth on true
),

-- without a birth, visits of so many days are those of one pregnancy
pregnancy as (
    select
        region_code,
        person_no,
        case when has_birth then birth_on end as birth_on,
        max(pregnancy_days) as pregnancy_days,
        max(tolerance) as tolerance,
        sum(pooled_amount) as amount,
        count(*) as visits,
        min(care_on) as first_on,
        max(care_on) as last_on,
        min(institution_code) as institution_code,
        min(employer_no) as employer_no,
        array_agg(claim_no order by claim_no) as claims
    from (
        select
            placed.*,
            case
                when not placed.has_birth then (placed.care_on - min(placed.care_on) over (
                    partition by placed.region_code, placed.person_no, placed.has_birth
                )) / placed.pregnancy_days::integer
            end as pregnancy_no
        from placed
    ) as numbered
    group by region_code, person_no, case when has_birth then birth_on end, pregnancy_no
),

-- the sum of the whole pregnancy, or where only stages have one, all of theirs
priced as (
    select
        pregnancy.*,
        price.price
    from pregnancy
    cross join lateral (
        select max(level.price) as price
        from (
            select coalesce(max(stated.price) filter (where stated.weeks_from is null), sum(stated.price)) as price
            from (
                select distinct on (rule.hospital_level, rule.weeks_from) rule.hospital_level, rule.weeks_from, rule.price
                from {{ ref('policy_price') }} as rule
                where
                    rule.region_code = pregnancy.region_code
                    and rule.benefit_item = 'prenatal'
                    and {{ in_force('rule', 'pregnancy.last_on') }}
                order by rule.hospital_level asc, rule.weeks_from asc, rule.known_from desc, rule.effective_from desc
            ) as stated
            group by stated.hospital_level
        ) as level
    ) as price
),

found as (
    select
        region_code,
        'S07'::text as rule_code,
        {{ hidden_key(['person_no', 'first_on']) }} as finding_key,
        institution_code,
        employer_no,
        array[person_no] as persons,
        claims,
        amount - price as amount,
        first_on,
        last_on,
        format(
            '同一孕期产前检查 %s 次共支付 %s 元，定额 %s 元', visits, {{ yuan_text('amount') }}, {{ yuan_text('price') }}
        ) as said_zh,
        format(
            '%s prenatal visits of one pregnancy, %s yuan paid, fixed sum %s', visits, {{ yuan_text('amount') }},
            {{ yuan_text('price') }}
        ) as said_en
    from priced
    where amount > price * (1 + tolerance)
)

{{ monitoring_found('found') }}
