{{ config(
    materialized='incremental', on_schema_change='fail', meta={'guards': ['append_only']},
    indexes=[
        {'columns': ['region_code', 'person_no', 'contribution_month', 'insurance_type', 'batch_id']},
        {'columns': ['region_code', 'contribution_month', 'employer_no']},
        {'columns': ['region_code', 'last_seq']},
    ]
) }}

-- Within a batch the last assessment counts; what it changes is its difference to the last one of the batches before.
with event as (
    select * from {{ source('events', 'event') }}
    where {{ pending(ref('built_head'), 'last_seq', 'seq') }} and event_type = 'contribution.assessed'
),

newest as (
    select distinct on (
        region_code, person_no, employer_no, contribution_month, insurance_type, enrollment_category, batch_id
    )
        region_code,
        person_no,
        employer_no,
        contribution_month,
        insurance_type,
        enrollment_category,
        batch_id,
        seq as last_seq,
        (coalesce(employer_amount, 0) + coalesce(personal_amount, 0))::numeric(18, 2) as assessed_amount
    from event
    order by
        region_code asc, person_no asc, employer_no asc, contribution_month asc, insurance_type asc, enrollment_category asc,
        batch_id asc, seq desc
),

followed as (
    select
        newest.*,
        lag(newest.assessed_amount) over each_person as amount_before,
        row_number() over each_person as place
    from newest
    window each_person as (
        partition by
            newest.region_code, newest.person_no, newest.employer_no, newest.contribution_month, newest.insurance_type,
            newest.enrollment_category
        order by newest.batch_id
    )
)

select
    followed.region_code,
    followed.person_no,
    followed.employer_no,
    followed.contribution_month,
    followed.insurance_type,
    followed.enrollment_category,
    followed.batch_id,
    followed.last_seq,
    followed.assessed_amount,
    {% if is_incremental() -%}
        (followed.assessed_amount - coalesce(followed.amount_before, earlier.assessed_amount, 0))::numeric(18, 2) as change_amount
    {%- else -%}
        (followed.assessed_amount - coalesce(followed.amount_before, 0))::numeric(18, 2) as change_amount
    {%- endif %}
from followed
{% if is_incremental() -%}
    left join lateral (
        select own.assessed_amount
        from {{ this }} as own
        where
            followed.place = 1
            and own.region_code = followed.region_code
            and own.person_no = followed.person_no
            and own.contribution_month = followed.contribution_month
            and own.insurance_type = followed.insurance_type
            and own.enrollment_category = followed.enrollment_category
            and own.employer_no is not distinct from followed.employer_no{{ before_audited('own.last_seq') }}
        order by own.batch_id desc
        limit 1
    ) as earlier on true
{%- endif %}
-- By what nothing above is sorted by, so that all look-ups into this table are done before it grows, as in claim_turnover.
order by followed.last_seq
