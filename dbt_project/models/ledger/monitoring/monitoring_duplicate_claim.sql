with limits as (
    {{ monitoring_limits('S15', ['same_birth_days', 'same_miscarriage_days']) }}
),

claim as (
    {{ monitored_claim("true", identified=true) }}
),

-- what makes two claims one: a birth and its cash benefits are had once; a stay, an operation or a visit once a day, at the
-- counter only where the fee is the same to the fen
sorted as (
    select
        claim.*,
        limits.same_birth_days,
        case
            when claim.benefit_item like 'delivery%' then 'delivery'
            when claim.benefit_item in ('maternity_allowance', 'nutrition_subsidy', 'miscarriage') then claim.benefit_item
            when claim.benefit_item in ('inpatient', 'maternity_complication', 'family_planning')
                then concat_ws('/', claim.benefit_item, claim.admitted_on, claim.discharged_on)
            when claim.benefit_item = 'prenatal' and claim.gestation_weeks is not null
                then concat_ws('/', claim.benefit_item, claim.gestation_weeks)
            else concat_ws('/', claim.benefit_item, claim.institution_code, claim.medical_fee_total, claim.amount)
        end as sameness,
        case
            when claim.benefit_item like 'delivery%' or claim.benefit_item in ('maternity_allowance', 'nutrition_subsidy')
                then limits.same_birth_days
            when claim.benefit_item = 'miscarriage' then limits.same_miscarriage_days
            -- the days of a stay tell it apart, whenever it is settled
            when claim.admitted_on is not null and claim.discharged_on is not null then limits.same_birth_days
            else 1
        end as apart_days
    from claim
    inner join limits on claim.region_code = limits.region_code
),

numbered as (
    select
        parted.*,
        count(*) filter (where parted.is_other) over (
            partition by parted.region_code, parted.person_key, parted.sameness order by parted.care_on, parted.claim_no
        ) as care_no
    from (
        select
            sorted.*,
            sorted.care_on - lag(sorted.care_on) over (
                partition by sorted.region_code, sorted.person_key, sorted.sameness order by sorted.care_on, sorted.claim_no
            ) >= sorted.apart_days as is_other
        from sorted
    ) as parted
),

found as (
    select
        region_code,
        'S15'::text as rule_code,
        {{ hidden_key(['min(person_no)', 'sameness', 'min(care_on)']) }} as finding_key,
        min(institution_code) as institution_code,
        min(employer_no) as employer_no,
        array_agg(distinct person_no order by person_no) as persons,
        array_agg(claim_no order by claim_no) as claims,
        -- all but the largest
        sum(amount) - max(amount) as amount,
        min(care_on) as first_on,
        max(care_on) as last_on,
        format(
            '同一人同一项目 %s 结算 %s 次，%s 家机构，相隔 %s 天，合计 %s 元', min(benefit_item), count(*),
            count(distinct institution_code), max(care_on) - min(care_on), {{ yuan_text('sum(amount)') }}
        ) as said_zh,
        format(
            'the same %s of one person settled %s times, %s institutions, %s days apart, %s yuan in all', min(benefit_item), count(*),
            count(distinct institution_code), max(care_on) - min(care_on), {{ yuan_text('sum(amount)') }}
        ) as said_en
    from numbered
    group by region_code, person_key, sameness, care_no
    having count(*) > 1 and sum(amount) > max(amount)
)

{{ monitoring_found('found', recovered='whole') }}
