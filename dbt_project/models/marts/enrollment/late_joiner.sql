-- noqa: disable=ST05
with head as (
    {{ ledger_head('published') }}
),

spell as (
    {{ newest_spell('published') }}
),

told as (
    {{ enrollment_told('head', readers=true) }}
),

joined as (
    select
        spell.region_code,
        spell.person_no,
        spell.employer_no,
        spell.insured_from,
        spell.started_seq,
        head.seq as head_seq,
        told.told_before,
        premium.first_month
    from spell
    inner join head on spell.region_code = head.region_code
    left join told on spell.region_code = told.region_code and spell.started_batch_id = told.batch_id
    -- The first month for which the employer has been assessed for the person while the person was not enrolled with it.
    left join lateral (
        select min(each_month.contribution_month) as first_month
        from (
            select assessment.contribution_month
            from {{ ref('assessed_contribution') }} as assessment
            where
                assessment.region_code = spell.region_code
                and assessment.person_no = spell.person_no
                and assessment.employer_no = spell.employer_no
                and assessment.insurance_type = '310'
                and assessment.enrollment_category = 'employee'
                and assessment.contribution_month < date_trunc('month', spell.insured_from::timestamp)::date
                and assessment.last_seq <= head.seq
            group by assessment.contribution_month
            having sum(assessment.change_amount) > 0
        ) as each_month
        where
            not exists (
                select 1
                from {{ ref('enrollment_spell') }} as earlier
                where
                    earlier.region_code = spell.region_code
                    and earlier.person_no = spell.person_no
                    and earlier.batch_id = spell.batch_id
                    and earlier.insurance_type = '310'
                    and earlier.employer_no = spell.employer_no
                    and earlier.valid_from < (each_month.contribution_month + interval '1 month')::date
                    and coalesce(earlier.valid_until, 'infinity') > each_month.contribution_month
            )
    ) as premium on true
    where
        spell.insurance_type = '310' and spell.enrollment_category = 'employee' and spell.valid_from = spell.insured_from
),

-- Employed at the latest on the last day of the first month assessed: so many days late at least.
judged as (
    select
        joined.*,
        kind.late_kind,
        kind.limit_code,
        case kind.late_kind
            when 'started_late' then joined.insured_from - ((joined.first_month + interval '1 month')::date - 1)
            else joined.told_before - joined.insured_from
        end as late_days
    from joined
    cross join
        (values ('started_late', 'late_enrollment'), ('backdated', 'backdated_enrollment')) as kind (late_kind, limit_code)
),

late as (
    select
        judged.*,
        {{ enrollment_limit('judged.region_code', 'judged.limit_code', 'judged.insured_from', 'days') }} as days_allowed
    from judged
    where judged.late_days > 0
)

select
    late.region_code,
    late.late_kind,
    late.person_no,
    late.employer_no,
    registered.employer_name,
    late.insured_from,
    case when late.late_kind = 'started_late' then late.first_month end as first_assessed_month,
    case when late.late_kind = 'backdated' then late.told_before end as told_before,
    event.recorded_at,
    late.late_days,
    late.days_allowed,
    late.started_seq as event_seq,
    {{ enrollment_limit('late.region_code', 'late.limit_code', 'late.insured_from', 'source') }} as clause
from late
inner join {{ source('events', 'event') }} as event
    on late.region_code = event.region_code and late.started_seq = event.seq
left join lateral (
    select known.employer_name
    from {{ source('events', 'event') }} as known
    where
        known.region_code = late.region_code
        and known.employer_no = late.employer_no
        and known.event_type = 'employer.registered'
        and known.seq <= late.head_seq
    order by known.seq desc
    limit 1
) as registered on true
where late.late_days > late.days_allowed
