-- noqa: disable=ST05
{{ config(
    materialized='incremental', on_schema_change='fail', meta={'guards': ['append_only']},
    indexes=[
        {'columns': ['region_code', 'person_no', 'batch_id']},
        {'columns': ['region_code', 'gap_kind', 'last_seq']},
        {'columns': ['region_code', 'last_seq']},
    ]
) }}

-- A batch that says something of a person's enrolment writes that person's gaps anew, as known at its end: the newest version counts.
with touched as (
    select
        region_code,
        person_no,
        batch_id,
        max(seq) as last_seq,
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
        touched.last_seq,
        region.merger_date,
        event.seq,
        event.occurred_on,
        event.insurance_type,
        event.enrollment_category,
        event.employer_no,
        event.contribution_base,
        event.event_type = 'enrollment.ended' as is_end
    from touched
    inner join {{ source('events', 'event') }} as event
        on
            touched.region_code = event.region_code
            and touched.person_no = event.person_no
            and touched.last_seq >= event.seq
    inner join {{ ref('stg_region') }} as region
        on
            touched.region_code = region.region_code
            and touched.known_on >= region.known_from
            and touched.known_on < region.known_until
    where event.event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
),

numbered as (
    select
        *,
        count(*) filter (where not is_end) over (
            partition by region_code, person_no, batch_id, insurance_type order by occurred_on, seq
        ) as spell_no
    from known
),

-- The end that a former employer sends late does not end what the next one has begun.
concerned as (
    select
        *,
        first_value(employer_no) over (
            partition by region_code, person_no, batch_id, insurance_type, spell_no order by occurred_on, seq
        ) as spell_employer_no
    from numbered
),

state as (
    select
        *,
        daterange(occurred_on, lead(occurred_on) over each_insurance) as days,
        array_remove(array_agg(contribution_base) over each_insurance, null) as bases
    from concerned
    where not is_end or coalesce(employer_no = spell_employer_no, true)
    window each_insurance as (
        partition by region_code, person_no, batch_id, insurance_type order by occurred_on, seq
    )
),

-- Employees alone: who pays by himself or is retired has no pair to keep.
enrolled as (
    select
        region_code,
        person_no,
        batch_id,
        insurance_type,
        employer_no,
        merger_date,
        range_agg(days) as days,
        range_agg(days) filter (where occurred_on >= merger_date) as days_begun_after_merger,
        (array_agg(bases[cardinality(bases)] order by occurred_on desc, seq desc))[1] as contribution_base
    from state
    where not is_end and enrollment_category = 'employee' and not isempty(days)
    group by region_code, person_no, batch_id, insurance_type, employer_no, merger_date
),

person as (
    select
        region_code,
        person_no,
        batch_id,
        coalesce(range_agg(days) filter (where insurance_type = '310'), '{}'::datemultirange) as medical_days,
        coalesce(range_agg(days) filter (where insurance_type = '510'), '{}'::datemultirange) as maternity_days
    from (
        select region_code, person_no, batch_id, insurance_type, unnest(days) as days
        from enrolled
    ) as spell
    group by region_code, person_no, batch_id
),

-- Before the merger each insurance needs the other. Maternity enrolments of before go over into the medical one on the day of the merger;
-- whoever has none there is not covered from then on, and nobody enrols in maternity alone any more.
gap as (
    select
        enrolled.region_code,
        enrolled.person_no,
        enrolled.batch_id,
        enrolled.employer_no,
        enrolled.contribution_base,
        missing.gap_kind,
        unnest(missing.days) as days
    from enrolled
    inner join person
        on
            enrolled.region_code = person.region_code
            and enrolled.person_no = person.person_no
            and enrolled.batch_id = person.batch_id
    cross join lateral (
        values
        (
            '310_without_510',
            case
                when enrolled.insurance_type = '310'
                    then enrolled.days * datemultirange(daterange(null, enrolled.merger_date)) - person.maternity_days
            end
        ),
        (
            '510_without_310',
            case
                when enrolled.insurance_type = '510'
                    then enrolled.days * datemultirange(daterange(null, enrolled.merger_date)) - person.medical_days
            end
        ),
        (
            'uncovered_after_merger',
            case
                when enrolled.insurance_type = '510' and not person.medical_days @> enrolled.merger_date
                    then
                        enrolled.days * datemultirange(daterange(enrolled.merger_date, null))
                        - person.medical_days
                        - coalesce(enrolled.days_begun_after_merger, '{}'::datemultirange)
            end
        ),
        ('510_after_merger', case when enrolled.insurance_type = '510' then enrolled.days_begun_after_merger end)
    ) as missing (gap_kind, days)
)

select
    touched.region_code,
    touched.person_no,
    touched.batch_id,
    touched.last_seq,
    coalesce(gap.gap_kind, 'none') as gap_kind,
    gap.employer_no,
    lower(gap.days) as gap_from,
    upper(gap.days) as gap_until,
    gap.contribution_base::numeric(18, 2) as contribution_base
from touched
left join gap
    on touched.region_code = gap.region_code and touched.person_no = gap.person_no and touched.batch_id = gap.batch_id
