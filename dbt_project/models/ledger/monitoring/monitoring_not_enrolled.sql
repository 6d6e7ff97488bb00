with limits as (
    {{ monitoring_limits('S06', ['gap_days', 'grace_days', 'registration_days']) }}
),

claim as (
    -- what is left in an account is one's own, whenever it is spent
    {{ monitored_claim("event.pooled_amount > 0") }}
),

-- once, and not once a claim, which is what follows from its being taken for one row
covered as materialized (
    select
        spell.region_code,
        spell.person_no,
        range_agg(daterange(spell.from_on, (spell.until_on + limits.gap_days::integer))) as days,
        max(spell.from_on) as newest_from_on,
        bool_or(spell.until_on is null) as is_enrolled,
        max(spell.until_on) as newest_until_on,
        coalesce(bool_or(spell.end_reason = 'died'), false) as has_died
    from (
        {{ monitored_spell('claim') }}
    ) as spell
    inner join limits on {{ with_limits('spell') }}
    group by spell.region_code, spell.person_no
),

-- a gap that another enrolment follows soon is bridged; the end that none follows counts from its own day; who has never been
-- registered may be so with some delay; a benefit of which nobody knows the day lies outside no enrolment
outside as (
    select
        claim.*,
        limits.grace_days,
        covered.person_no is null as is_unknown,
        case when not covered.is_enrolled and claim.care_on >= covered.newest_until_on then covered.newest_until_on end as ended_on
    from claim
    inner join limits on {{ with_limits('claim') }}
    left join covered on claim.region_code = covered.region_code and claim.person_no = covered.person_no
    where
        case
            when covered.person_no is null
                then
                    claim.settled_on + limits.registration_days::integer <= limits.published_on
                    and not exists (
                        select from {{ source('events', 'event') }} as known
                        where
                            known.region_code = claim.region_code
                            and known.person_no = claim.person_no
                            and known.event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
                            and known.seq <= limits.seq
                    )
            else
                not covered.has_died
                and claim.is_dated
                and (
                    not covered.days @> claim.care_on
                    or not covered.is_enrolled and claim.care_on >= covered.newest_until_on + limits.grace_days::integer
                )
        end
),

found as (
    select
        region_code,
        'S06'::text as rule_code,
        {{ hidden_key(['person_no']) }} as finding_key,
        min(institution_code) as institution_code,
        min(employer_no) as employer_no,
        array[person_no] as persons,
        array_agg(claim_no order by claim_no) as claims,
        sum(amount) as amount,
        min(care_on) as first_on,
        max(care_on) as last_on,
        format(
            '%s 笔待遇发生在参保期外%s，合计 %s 元（宽限 %s 天）', count(*),
            case when bool_or(is_unknown) then '，从未登记参保' else '，停保日 ' || min(ended_on) end,
            {{ yuan_text('sum(amount)') }}, round(max(grace_days))
        ) as said_zh,
        format(
            '%s claims for care outside enrolment%s, %s yuan in all (grace %s days)', count(*),
            case when bool_or(is_unknown) then ', never registered' else ', which ended on ' || min(ended_on) end,
            {{ yuan_text('sum(amount)') }}, round(max(grace_days))
        ) as said_en
    from outside
    group by region_code, person_no
)

{{ monitoring_found('found') }}
