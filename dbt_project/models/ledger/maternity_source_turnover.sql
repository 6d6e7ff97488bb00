-- noqa: disable=ST05
{{ config(
    materialized='incremental', on_schema_change='fail', meta={'guards': ['append_only']},
    indexes=[{'columns': ['region_code', 'source_system']}, {'columns': ['region_code', 'last_seq']}]
) }}

-- As an institution states them: payments, less those that the bank never made, in the month of their date.
with payment as (
    select
        event.region_code,
        event.source_system,
        date_trunc('month', event.occurred_on::timestamp)::date as paid_month,
        event.batch_id,
        event.seq,
        case when event.event_type = 'claim.reversed' then -1 else 1 end as direction,
        case
            when event.event_type = 'claim.reversed'
                then coalesce(corrected.pooled_amount, 0) + coalesce(corrected.personal_account_amount, 0)
            else coalesce(event.pooled_amount, 0) + coalesce(event.personal_account_amount, 0)
        end as amount
    from (
        select *
        from {{ source('events', 'event') }}
        where
            {{ pending(ref('built_head'), 'last_seq', 'seq') }}
            and event_type in ('claim.paid', 'advance.offset', 'claim.reversed')
            and benefit_item in ({{ quoted(maternity_items()) }})
    ) as event
    {{ join_corrected('event') }}
)

select
    region_code,
    source_system,
    paid_month,
    batch_id,
    max(seq) as last_seq,
    sum(direction)::bigint as payment_count,
    sum(direction * amount)::numeric(18, 2) as paid_amount
from payment
group by region_code, source_system, paid_month, batch_id
