-- noqa: disable=ST05
{{ config(
    materialized='incremental', on_schema_change='fail', meta={'guards': ['append_only']},
    indexes=[
        {'columns': ['region_code', 'person_no', 'batch_id']},
        {'columns': ['region_code', 'last_seq']},
    ]
) }}

-- A batch that says something of a person's enrolment writes that person's whole history anew, as known at its end: the newest
-- version counts. Facts are put in the order of their dates, those of one day in the order in which they came.
with touched as (
    select
        region_code,
        person_no,
        batch_id,
        max(seq) as last_seq,
        max(occurred_on) as told_on,
        (max(recorded_at) at time zone 'Asia/Shanghai')::date as known_on
    from {{ source('events', 'event') }}
    where
        {{ pending(ref('built_head'), 'last_seq', 'seq') }}
        and event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
        and person_no is not null
    group by region_code, person_no, batch_id
),

known as (
    select
        touched.region_code,
        touched.person_no,
        touched.batch_id,
        event.seq,
        event.batch_id as told_batch_id,
        event.occurred_on,
        event.insurance_type,
        event.enrollment_category,
        event.employer_no,
        event.worker_group,
        event.contribution_base,
        event.reason,
        event.event_type = 'enrollment.ended' as is_end,
        event.event_type = 'enrollment.started' as is_start
    from touched
    inner join {{ source('events', 'event') }} as event
        on
            touched.region_code = event.region_code
            and touched.person_no = event.person_no
            and touched.last_seq >= event.seq
    where event.event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
),

numbered as (
    select
        *,
        count(*) filter (where not is_end) over each_insurance as said_no,
        count(*) filter (where is_start) over each_insurance as start_no
    from known
    window each_insurance as (
        partition by region_code, person_no, batch_id, insurance_type order by occurred_on, seq
    )
),

-- What ends is what was said last: the end that a former employer sends late does not end what the next one has begun, nor the end
-- of the employment the retirement that follows it.
in_force as (
    select
        *,
        first_value(employer_no) over each_said as employer_in_force,
        first_value(enrollment_category) over each_said as category_in_force
    from numbered
    window each_said as (
        partition by region_code, person_no, batch_id, insurance_type, said_no order by occurred_on, seq
    )
),

ended as (
    select
        *,
        is_end and said_no > 0 and enrollment_category = category_in_force
        and coalesce(employer_no = employer_in_force, true) as ends
    from in_force
),

-- Only a start begins again what has ended: a change sent after the end begins nothing.
effective as (
    select
        *,
        count(contribution_base) filter (where not is_end) over each_start as base_no,
        count(worker_group) filter (where not is_end) over each_category as group_no,
        min(seq) filter (where not is_end) over each_day as first_told_seq,
        min(told_batch_id) filter (where not is_end) over each_day as first_told_batch_id
    from (
        select
            *,
            coalesce(bool_or(ends) over (
                partition by region_code, person_no, batch_id, insurance_type, start_no order by occurred_on, seq
                rows between unbounded preceding and 1 preceding
            ), false) as is_over
        from ended
    ) as told
    where not is_over and (ends or not is_end)
    window
        each_start as (
            partition by region_code, person_no, batch_id, insurance_type, start_no order by occurred_on, seq
        ),
        each_category as (
            partition by region_code, person_no, batch_id, insurance_type, start_no, enrollment_category
            order by occurred_on, seq
        ),
        each_day as (
            partition by region_code, person_no, batch_id, insurance_type, enrollment_category, employer_no, occurred_on
        )
),

-- Base and group hold until another one is said.
piece as (
    select
        region_code,
        person_no,
        batch_id,
        seq,
        first_told_seq,
        first_told_batch_id,
        start_no,
        insurance_type,
        enrollment_category,
        employer_no,
        is_end,
        first_value(contribution_base) over (
            partition by region_code, person_no, batch_id, insurance_type, start_no, base_no order by occurred_on, seq
        ) as contribution_base,
        first_value(worker_group) over (
            partition by region_code, person_no, batch_id, insurance_type, start_no, enrollment_category, group_no
            order by occurred_on, seq
        ) as worker_group,
        occurred_on as valid_from,
        lead(occurred_on) over each_insurance as valid_until,
        lead(is_end) over each_insurance as ends_then,
        lead(reason) over each_insurance as reason
    from effective
    window each_insurance as (
        partition by region_code, person_no, batch_id, insurance_type order by occurred_on, seq
    )
),

lasting as (
    select
        *,
        coalesce(
            (lag(valid_until) over each_insurance) = valid_from
            and (lag(enrollment_category) over each_insurance) = enrollment_category
            and coalesce(lag(employer_no) over each_insurance, '') = coalesce(employer_no, ''),
            false
        ) as goes_on,
        lead(valid_from) over each_insurance as next_from,
        lead(employer_no) over each_insurance as next_employer_no
    from piece
    where not is_end and valid_from is distinct from valid_until
    window each_insurance as (
        partition by region_code, person_no, batch_id, insurance_type order by valid_from
    )
),

enrolled as (
    select
        *,
        first_value(valid_from) over each_enrolment as insured_from,
        last_value(valid_until) over each_enrolment as insured_until,
        first_value(first_told_seq) over each_enrolment as started_seq,
        first_value(first_told_batch_id) over each_enrolment as started_batch_id,
        last_value(case when ends_then then reason end) over each_enrolment as end_reason
    from (
        select
            *,
            count(*) filter (where not goes_on) over (
                partition by region_code, person_no, batch_id, insurance_type order by valid_from
            ) as enrolment_no
        from lasting
    ) as enrolment
    window each_enrolment as (
        partition by region_code, person_no, batch_id, insurance_type, enrolment_no order by valid_from
        rows between unbounded preceding and unbounded following
    )
),

-- An employer whose employee another one has taken up keeps him registered until it says that he has left.
overlapping as (
    select
        enrolled.region_code,
        enrolled.person_no,
        enrolled.batch_id,
        enrolled.insurance_type,
        enrolled.valid_from,
        coalesce(min(later.occurred_on), 'infinity') as registered_until
    from enrolled
    left join numbered as later
        on
            enrolled.region_code = later.region_code
            and enrolled.person_no = later.person_no
            and enrolled.batch_id = later.batch_id
            and enrolled.insurance_type = later.insurance_type
            and (enrolled.valid_from, enrolled.seq) < (later.occurred_on, later.seq)
            and (
                (later.is_end and enrolled.employer_no = later.employer_no)
                or (later.is_start and later.enrollment_category <> 'employee')
                or (
                    not later.is_end and enrolled.start_no = later.start_no
                    and enrolled.employer_no is distinct from later.employer_no
                )
            )
    where
        enrolled.enrollment_category = 'employee' and not enrolled.ends_then
        and enrolled.valid_until = enrolled.next_from
        and enrolled.next_employer_no is distinct from enrolled.employer_no
    group by enrolled.region_code, enrolled.person_no, enrolled.batch_id, enrolled.insurance_type, enrolled.valid_from
)

select
    touched.region_code,
    touched.person_no,
    touched.batch_id,
    touched.last_seq,
    touched.known_on,
    touched.told_on,
    enrolled.insurance_type,
    enrolled.enrollment_category,
    enrolled.worker_group,
    enrolled.employer_no,
    enrolled.valid_from,
    enrolled.valid_until,
    enrolled.next_from,
    enrolled.contribution_base::numeric(18, 2) as contribution_base,
    enrolled.insured_from,
    enrolled.insured_until,
    enrolled.end_reason,
    enrolled.started_seq,
    enrolled.started_batch_id,
    case
        when overlapping.registered_until > enrolled.valid_until then overlapping.registered_until
    end as registered_until
from touched
left join enrolled
    on
        touched.region_code = enrolled.region_code
        and touched.person_no = enrolled.person_no
        and touched.batch_id = enrolled.batch_id
left join overlapping
    on
        enrolled.region_code = overlapping.region_code
        and enrolled.person_no = overlapping.person_no
        and enrolled.batch_id = overlapping.batch_id
        and enrolled.insurance_type = overlapping.insurance_type
        and enrolled.valid_from = overlapping.valid_from
