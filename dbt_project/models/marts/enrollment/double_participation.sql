with head as (
    {{ ledger_head('published') }}
),

-- Of a region that the reader has no right to, only that somebody of his own is enrolled there, and from when to when.
everywhere as (
    select distinct on (region_code)
        region_code,
        seq
    from {{ source('publication', 'publication') }}
    order by region_code asc, seq desc, published_at desc
),

latest as (
    {{ region_latest_month() }}
),

reach as (
    {{ insured_reach() }}
),

identity as (
    select distinct
        event.region_code,
        event.person_no,
        event.certificate_pseudonym,
        head.seq as head_seq
    from {{ source('events', 'event') }} as event
    inner join head
        on event.region_code = head.region_code and event.seq <= head.seq and {{ readable('event.region_code') }}
    where event.certificate_pseudonym is not null and event.person_no is not null
),

-- By index from the reader's own persons; `offset 0` keeps his conditions away from the rows of others.
twin as (
    select distinct
        identity.region_code,
        identity.person_no,
        identity.head_seq,
        other.region_code as other_region_code,
        other.person_no as other_person_no,
        other.head_seq as other_head_seq
    from identity
    cross join lateral (
        select
            found.region_code,
            found.person_no,
            everywhere.seq as head_seq
        from {{ source('events', 'event') }} as found
        inner join everywhere on found.region_code = everywhere.region_code and found.seq <= everywhere.seq
        where
            found.certificate_pseudonym = identity.certificate_pseudonym
            and found.person_no is not null
            and (found.region_code <> identity.region_code or found.person_no <> identity.person_no)
        order by found.region_code, found.person_no
        offset 0
    ) as other
),

-- Enrolments in medical insurance of both, as known last.
two as (
    select
        twin.*,
        case when twin.region_code = twin.other_region_code then 'two_numbers' else 'two_regions' end as kind,
        own.enrollment_category,
        own.employer_no,
        own.insured_from,
        own.insured_until,
        own.days,
        other.enrollment_category as other_enrollment_category,
        other.employer_no as other_employer_no,
        other.insured_from as other_insured_from,
        other.insured_until as other_insured_until,
        own.days * other.days as overlap
    from twin
    cross join lateral ({{ medical_enrolments('twin.region_code', 'twin.person_no', 'twin.head_seq') }}) as own
    cross join lateral ({{ medical_enrolments('twin.other_region_code', 'twin.other_person_no', 'twin.other_head_seq') }}) as other
),

spell as (
    {{ newest_spell('published') }}
),

found as (
    select
        region_code,
        kind,
        person_no,
        enrollment_category,
        employer_no,
        insured_from,
        insured_until,
        other_region_code,
        other_person_no,
        other_enrollment_category,
        other_employer_no,
        other_insured_from,
        other_insured_until,
        lower(overlap) as overlap_from,
        upper(overlap) as overlap_until
    from two
    where not isempty(overlap)
    union all
    -- One person under two numbers is a finding also where the enrolments do not overlap.
    select distinct on (region_code, person_no, other_person_no)
        region_code,
        kind,
        person_no,
        enrollment_category,
        employer_no,
        insured_from,
        insured_until,
        other_region_code,
        other_person_no,
        other_enrollment_category,
        other_employer_no,
        other_insured_from,
        other_insured_until,
        null::date as overlap_from,
        null::date as overlap_until
    from two
    where
        kind = 'two_numbers'
        and not exists (
            select 1
            from two as met
            where
                met.region_code = two.region_code
                and met.person_no = two.person_no
                and met.other_person_no = two.other_person_no
                and met.kind = 'two_numbers'
                and not isempty(met.overlap)
        )
    union all
    -- The former employer has said nothing of the end, or said it late.
    select
        former.region_code,
        'two_employers' as kind,
        former.person_no,
        former.enrollment_category,
        former.employer_no,
        former.insured_from,
        nullif(former.registered_until, 'infinity') as insured_until,
        former.region_code as other_region_code,
        former.person_no as other_person_no,
        present.enrollment_category as other_enrollment_category,
        present.employer_no as other_employer_no,
        min(present.insured_from) as other_insured_from,
        case when bool_and(present.insured_until is not null) then max(present.insured_until) end as other_insured_until,
        min(greatest(present.valid_from, former.valid_until)) as overlap_from,
        nullif(max(least(coalesce(present.valid_until, 'infinity'), former.registered_until)), 'infinity') as overlap_until
    from spell as former
    inner join {{ ref('enrollment_spell') }} as present
        on
            former.region_code = present.region_code
            and former.person_no = present.person_no
            and former.batch_id = present.batch_id
            and present.insurance_type = '310'
            and present.enrollment_category = 'employee'
            and former.employer_no <> present.employer_no
            and former.registered_until > present.valid_from
            and former.valid_until < coalesce(present.valid_until, 'infinity')
    where former.insurance_type = '310' and former.registered_until is not null
    group by
        former.region_code, former.person_no, former.enrollment_category, former.employer_no, former.insured_from,
        former.registered_until, present.enrollment_category, present.employer_no
),

measured as (
    select
        found.*,
        greatest(
            least(found.overlap_until, (reach.last_month + interval '1 month')::date) - found.overlap_from, 0
        ) as overlap_days,
        'overlap_' || found.kind as limit_code,
        coalesce(found.overlap_from, found.insured_from) as rule_day
    from found
    left join reach on found.region_code = reach.region_code
)

select
    region_code,
    kind,
    person_no,
    enrollment_category,
    employer_no,
    insured_from,
    insured_until,
    other_region_code,
    case when {{ readable('other_region_code') }} then other_person_no end as other_person_no,
    case when {{ readable('other_region_code') }} then other_enrollment_category end as other_enrollment_category,
    case when {{ readable('other_region_code') }} then other_employer_no end as other_employer_no,
    other_insured_from,
    other_insured_until,
    overlap_from,
    overlap_until,
    coalesce(overlap_days, 0) as overlap_days,
    {{ enrollment_limit('measured.region_code', 'measured.limit_code', 'measured.rule_day', 'days') }} as days_tolerated,
    coalesce(
        overlap_days
        <= {{ enrollment_limit('measured.region_code', 'measured.limit_code', 'measured.rule_day', 'days') }}, false
    ) as is_tolerated,
    {{ enrollment_limit('measured.region_code', 'measured.limit_code', 'measured.rule_day', 'source') }} as clause
from measured
