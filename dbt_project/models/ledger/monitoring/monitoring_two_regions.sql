with limits as (
    {{ monitoring_limits('S16', ['same_birth_days', 'min_overlap_days', 'min_days', 'min_visits'], all_regions=true) }}
),

number as (
    select distinct
        event.region_code,
        event.person_no,
        event.certificate_pseudonym
    from limits
    inner join {{ source('events', 'event') }} as event
        on
            limits.region_code = event.region_code
            -- one condition, as in the claims
            and coalesce(limits.seq >= event.seq, false)
    where event.certificate_pseudonym is not null and event.person_no is not null
),

counted as (
    select
        number.*,
        count(*) over (partition by number.certificate_pseudonym) as numbers
    from number
),

-- certificates with several numbers: few, and nobody else's claims are read
holder as materialized (
    select
        region_code,
        person_no,
        certificate_pseudonym
    from counted
    where numbers > 1
),

claim as (
    {{ monitored_claim("(event.region_code, event.person_no) in (select holder.region_code, holder.person_no from holder)"
        " and event.benefit_item <> 'pharmacy'") }}
),

identified as (
    select
        claim.*,
        holder.certificate_pseudonym,
        case when claim.benefit_item like 'delivery%' then 'delivery' else claim.benefit_item end as item,
        case
            when claim.admitted_on < claim.discharged_on then daterange(claim.admitted_on, claim.discharged_on)
        end as stay,
        (
            select coalesce(sum(turned.taken_back_pooled_amount + turned.taken_back_personal_amount), 0)
            from {{ ref('claim_turnover') }} as turned
            where turned.region_code = claim.region_code and turned.claim_no = claim.claim_no and turned.last_seq <= limits.seq
        ) as taken_back_amount
    from claim
    inner join holder on claim.region_code = holder.region_code and claim.person_no = holder.person_no
    inner join limits on {{ with_limits('claim') }}
),

twice as (
    select
        own.*,
        other.region_code as other_region,
        other.person_no as other_person_no,
        other.claim_no as other_claim_no,
        abs(own.care_on - other.care_on) as days
    from identified as own
    inner join limits on {{ with_limits('own') }}
    inner join identified as other
        on
            own.certificate_pseudonym = other.certificate_pseudonym
            -- two numbers of one region are one finding, that of the greater
            and (own.region_code <> other.region_code or own.person_no > other.person_no)
    where
        -- what the other region has taken back is had here alone
        (other.taken_back_amount < other.amount or other.amount = 0)
        and (
            own.item in (
                'delivery', 'miscarriage', 'maternity_allowance', 'nutrition_subsidy', 'inpatient', 'maternity_complication',
                'family_planning'
            )
            and own.item = other.item
            and abs(own.care_on - other.care_on) < case
                -- nobody gives birth here and a few months later there
                when own.item = 'delivery' and own.region_code <> other.region_code then limits.min_days
                when own.item in ('delivery', 'maternity_allowance', 'nutrition_subsidy', 'miscarriage') then limits.same_birth_days
                else 1
            end
            -- nobody lies in two hospitals; the day of a transfer is one of discharge here and of admission there
            or own.region_code <> other.region_code
            and own.stay && other.stay
            and upper(own.stay * other.stay) - lower(own.stay * other.stay) >= limits.min_overlap_days
        )
),

-- seen there, several times, on days between admission and discharge here
visit as (
    select
        stay.region_code as stay_region,
        stay.person_no as stay_person_no,
        stay.claim_no as stay_claim_no,
        stay.institution_code as stay_institution,
        stay.amount as stay_amount,
        seen.region_code,
        seen.person_no,
        min(seen.institution_code) as institution_code,
        array_agg(seen.claim_no order by seen.claim_no) as claims,
        sum(seen.amount) as amount,
        count(*) as visits,
        min(seen.care_on) as first_on,
        max(seen.care_on) as last_on
    from identified as stay
    inner join identified as seen
        on
            stay.certificate_pseudonym = seen.certificate_pseudonym
            and stay.region_code <> seen.region_code
            and lower(stay.stay) < seen.care_on
            and upper(stay.stay) > seen.care_on
    inner join limits on {{ with_limits('stay') }}
    where
        seen.stay is null
        and seen.admitted_on is null
        and seen.benefit_item not in ('maternity_allowance', 'nutrition_subsidy')
    group by
        stay.region_code, stay.person_no, stay.claim_no, stay.institution_code, stay.amount, seen.region_code, seen.person_no,
        limits.min_visits
    having count(*) >= limits.min_visits
),

-- either of the two is untrue: each region looks at its own
met as (
    select
        region_code,
        person_no,
        institution_code,
        claims,
        amount,
        visits,
        first_on,
        last_on,
        stay_region as other_region
    from visit
    union all
    select
        stay_region as region_code,
        stay_person_no as person_no,
        stay_institution as institution_code,
        array[stay_claim_no] as claims,
        stay_amount as amount,
        visits,
        first_on,
        last_on,
        region_code as other_region
    from visit
),

found as (
    select
        region_code,
        'S16'::text as rule_code,
        {{ hidden_key(['person_no', 'item', 'min(care_on)']) }} as finding_key,
        min(institution_code) as institution_code,
        min(employer_no) as employer_no,
        array_agg(distinct person_no order by person_no)
        || coalesce(array_agg(distinct other_person_no order by other_person_no) filter (where other_region = region_code), '{}')
            as persons,
        array_agg(distinct claim_no order by claim_no)
        || coalesce(array_agg(distinct other_claim_no order by other_claim_no) filter (where other_region = region_code), '{}') as claims,
        max(amount) as amount,
        min(care_on) as first_on,
        max(care_on) as last_on,
        format(
            '同一证件在 %s 也有 %s 结算，相隔 %s 天，本地 %s 元', string_agg(distinct other_region, '、'), item, min(days),
            {{ yuan_text('max(amount)') }}
        ) as said_zh,
        format(
            'the same certificate has %s settled in %s too, %s days apart; %s yuan here', item, string_agg(distinct other_region, ', '),
            min(days), {{ yuan_text('max(amount)') }}
        ) as said_en
    from twice
    group by region_code, person_no, item
    union all
    select
        region_code,
        'S16'::text as rule_code,
        {{ hidden_key(['person_no', "'visit'", 'claims[1]']) }} as finding_key,
        institution_code,
        null::text as employer_no,
        array[person_no] as persons,
        claims,
        amount,
        first_on,
        last_on,
        format('一地住院期间在另一地门诊 %s 次（另一地 %s），本地 %s 元', visits, other_region, {{ yuan_text('amount') }}) as said_zh,
        format(
            '%s visits in one region during a stay in the other (%s); %s yuan here', visits, other_region, {{ yuan_text('amount') }}
        ) as said_en
    from met
)

{{ monitoring_found('found', recovered='whole') }}
