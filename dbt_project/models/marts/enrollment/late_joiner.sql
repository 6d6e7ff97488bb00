-- noqa: disable=ST05
with head as (
    {{ ledger_head('published') }}
),

spell as (
    {{ newest_spell('published') }}
),

-- How far a source had told of enrolments before each of its batches.
batch_told as (
    select
        version.region_code,
        version.batch_id,
        max(version.told_on) as told_on
    from {{ ref('enrollment_spell') }} as version
    inner join head
        on version.region_code = head.region_code and version.last_seq <= head.seq and {{ readable('version.region_code') }}
    group by version.region_code, version.batch_id
),

told as (
    select
        batch_told.region_code,
        batch_told.batch_id,
        max(batch_told.told_on) over (
            partition by batch_told.region_code, first_event.source_system order by batch_told.batch_id
            rows between unbounded preceding and 1 preceding
        ) as told_before
    from batch_told
    inner join {{ source('events', 'batch') }} as batch
        on batch_told.region_code = batch.region_code and batch_told.batch_id = batch.batch_id
    inner join {{ source('events', 'event') }} as first_event
        on batch.region_code = first_event.region_code and batch.first_seq = first_event.seq
),

joined as (
    select
        spell.region_code,
        spell.person_no,
        spell.batch_id,
        spell.employer_no,
        spell.insured_from,
        spell.started_seq,
        spell.started_batch_id,
        head.seq as head_seq,
        {{ enrollment_limit('spell.region_code', "'late_enrollment'", 'spell.insured_from', 'days') }} as late_days_allowed,
        {{ enrollment_limit('spell.region_code', "'backdated_enrollment'", 'spell.insured_from', 'days') }}
            as backdated_days_allowed
    from spell
    inner join head on spell.region_code = head.region_code
    where
        spell.insurance_type = '310' and spell.enrollment_category = 'employee' and spell.valid_from = spell.insured_from
),

-- The first month for which the employer has been assessed for the person while the person was not enrolled with it.
assessed as (
    select
        joined.*,
        premium.first_month
    from joined
    cross join lateral (
        select min(each_month.contribution_month) as first_month
        from (
            select assessment.contribution_month
            from {{ ref('assessed_contribution') }} as assessment
            where
                assessment.region_code = joined.region_code
                and assessment.person_no = joined.person_no
                and assessment.employer_no = joined.employer_no
                and assessment.insurance_type = '310'
                and assessment.enrollment_category = 'employee'
                and assessment.contribution_month < date_trunc('month', joined.insured_from::timestamp)::date
                and assessment.last_seq <= joined.head_seq
            group by assessment.contribution_month
            having sum(assessment.change_amount) > 0
        ) as each_month
        where
            not exists (
                select 1
                from {{ ref('enrollment_spell') }} as earlier
                where
                    earlier.region_code = joined.region_code
                    and earlier.person_no = joined.person_no
                    and earlier.batch_id = joined.batch_id
                    and earlier.insurance_type = '310'
                    and earlier.employer_no = joined.employer_no
                    and earlier.valid_from < (each_month.contribution_month + interval '1 month')::date
                    and coalesce(earlier.valid_until, 'infinity') > each_month.contribution_month
            )
    ) as premium
),

late as (
    -- Employed at the latest on the last day of the first month assessed: so many days late at least.
    select
        region_code,
        'started_late' as late_kind,
        'late_enrollment' as limit_code,
        person_no,
        employer_no,
        insured_from,
        first_month as first_assessed_month,
        null::date as told_before,
        insured_from - ((first_month + interval '1 month')::date - 1) as late_days,
        late_days_allowed as days_allowed,
        started_seq,
        head_seq
    from assessed
    where first_month is not null
    union all
    select
        joined.region_code,
        'backdated' as late_kind,
        'backdated_enrollment' as limit_code,
        joined.person_no,
        joined.employer_no,
        joined.insured_from,
        null as first_assessed_month,
        told.told_before,
        told.told_before - joined.insured_from as late_days,
        joined.backdated_days_allowed as days_allowed,
        joined.started_seq,
        joined.head_seq
    from joined
    inner join told on joined.region_code = told.region_code and joined.started_batch_id = told.batch_id
)

select
    late.region_code,
    late.late_kind,
    late.person_no,
    late.employer_no,
    registered.employer_name,
    late.insured_from,
    late.first_assessed_month,
    late.told_before,
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
