{{ config(
    materialized='incremental', on_schema_change='fail',
    indexes=[{'columns': ['region_code', 'institution_code']}, {'columns': ['region_code', 'last_seq']}]
) }}

-- Settlements post nothing: they come from the log, in the month that the ledger would give them.
with settlement as (
    select region_code, seq, batch_id, institution_code, posting_month, pooled_amount, personal_account_amount
    from {{ ref('stg_event') }}
    where
        {{ pending(ref('built_head'), 'last_seq', 'seq') }}
        and event_type = 'claim.settled' and institution_code is not null
)

select
    settlement.region_code,
    settlement.institution_code,
    settlement.posting_month as accounting_month,
    settlement.batch_id,
    max(settlement.seq) as last_seq,
    count(*) as claim_count,
    sum(settlement.pooled_amount + settlement.personal_account_amount)::numeric(18, 2) as settled_amount,
    sum(coalesce(event.deposit_withheld_amount, 0))::numeric(18, 2) as withheld_amount
from settlement
inner join {{ source('events', 'event') }} as event
    on settlement.region_code = event.region_code and settlement.seq = event.seq
group by settlement.region_code, settlement.institution_code, settlement.posting_month, settlement.batch_id
