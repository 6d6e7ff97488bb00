{{ config(
    materialized='incremental', on_schema_change='fail',
    indexes=[
        {'columns': ['region_code', 'employer_no', 'contribution_month']},
        {'columns': ['region_code', 'last_seq']},
    ]
) }}

with event as (
    select * from {{ source('events', 'event') }}
    where
        {{ pending(ref('built_head'), 'last_seq', 'seq') }}
        and event_type in ('contribution.collected', 'contribution.refunded')
),

assessed as (
    select * from {{ ref('assessed_contribution') }}
    where {{ pending(ref('built_head'), 'last_seq', 'last_seq') }}
),

movement as (
    select
        event.region_code,
        event.batch_id,
        event.seq,
        -- A refund belongs to the premium that it gives back, whatever its own row says.
        coalesce(corrected.employer_no, event.employer_no) as employer_no,
        coalesce(corrected.contribution_month, event.contribution_month) as contribution_month,
        coalesce(corrected.insurance_type, event.insurance_type) as insurance_type,
        coalesce(corrected.enrollment_category, event.enrollment_category) as enrollment_category,
        0::numeric as assessed_change,
        case event.event_type
            when 'contribution.collected' then coalesce(event.employer_amount, 0) + coalesce(event.personal_amount, 0) else 0
        end as collected_amount,
        case event.event_type
            when 'contribution.refunded' then coalesce(event.employer_amount, 0) + coalesce(event.personal_amount, 0) else 0
        end as refunded_amount
    from event
    {{ join_corrected('event') }}

    union all

    select
        region_code, batch_id, last_seq, employer_no, contribution_month, insurance_type, enrollment_category, change_amount, 0, 0
    from assessed
)

select
    region_code,
    employer_no,
    contribution_month,
    insurance_type,
    enrollment_category,
    batch_id,
    max(seq) as last_seq,
    sum(assessed_change)::numeric(18, 2) as assessed_change,
    sum(collected_amount)::numeric(18, 2) as collected_amount,
    sum(refunded_amount)::numeric(18, 2) as refunded_amount
from movement
group by region_code, employer_no, contribution_month, insurance_type, enrollment_category, batch_id
