{{ config(
    materialized='incremental', on_schema_change='fail',
    indexes=[
        {'columns': ['region_code', 'person_no', 'fund_code', 'accounting_month', 'batch_id'], 'unique': true},
        {'columns': ['region_code', 'last_seq']},
    ]
) }}

with line as (
    select * from {{ ref('journal_line') }}
    where {{ pending(ref('built_head'), 'last_seq') }}
),

movement as (
    select
        line.region_code,
        line.fund_code,
        line.accounting_month,
        line.batch_id,
        line.event_seq,
        -- A correction belongs to the account that the corrected payment came from, whatever its own row says.
        coalesce(corrected.account_holder_no, corrected.person_no, event.account_holder_no, event.person_no) as person_no,
        {{ personal_account_column('line.account_code') }} as moved_column,
        line.credit_amount - line.debit_amount as amount
    from line
    inner join {{ source('events', 'event') }} as event
        on line.region_code = event.region_code and line.event_seq = event.seq
    {{ join_corrected('event') }}
    where {{ is_personal_account_line('line') }}
)

select
    region_code,
    fund_code,
    accounting_month,
    person_no,
    batch_id,
    max(event_seq) as last_seq,
    coalesce(sum(amount) filter (where moved_column = 'credited'), 0)::numeric(18, 2) as credited_amount,
    coalesce(sum(amount) filter (where moved_column = 'interest'), 0)::numeric(18, 2) as interest_amount,
    coalesce(-sum(amount) filter (where moved_column = 'paid'), 0)::numeric(18, 2) as paid_amount
from movement
group by region_code, fund_code, accounting_month, person_no, batch_id
