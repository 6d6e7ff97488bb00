with limits as (
    {{ monitoring_limits('S16', ['same_birth_days', 'min_overlap_days'], all_regions=true) }}
),

claim as (
    {{ monitored_claim("event.benefit_item in ('delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage',"
        " 'maternity_allowance', 'nutrition_subsidy', 'inpatient', 'maternity_complication', 'family_planning')") }}
),

holder as (
    select distinct
        claim.region_code,
        claim.person_no,
        event.certificate_pseudonym,
        limits.seq
    from claim
    inner join limits on {{ with_limits('claim') }}
    inner join {{ source('events', 'event') }} as event
        on
            claim.region_code = event.region_code
            and claim.person_no = event.person_no
            and event.family = 'registration'
            and limits.seq >= event.seq
    where event.certificate_pseudonym is not null
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
            where turned.region_code = claim.region_code and turned.claim_no = claim.claim_no and turned.last_seq <= holder.seq
        ) as taken_back_amount
    from claim
    inner join holder on claim.region_code = holder.region_code and claim.person_no = holder.person_no
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
            own.item = other.item
            and abs(own.care_on - other.care_on) < case
                when own.item in ('delivery', 'maternity_allowance', 'nutrition_subsidy', 'miscarriage') then limits.same_birth_days
                else 1
            end
            -- nobody lies in two hospitals; the day of a transfer is one of discharge here and of admission there
            or own.region_code <> other.region_code
            and own.stay && other.stay
            and upper(own.stay * other.stay) - lower(own.stay * other.stay) >= limits.min_overlap_days
        )
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
)

{{ monitoring_found('found', recovered='whole') }}
