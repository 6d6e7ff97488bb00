{{ config(
    materialized='incremental', on_schema_change='fail',
    indexes=[{'columns': ['region_code', 'institution_code']}, {'columns': ['region_code', 'last_seq']}]
) }}

with line as (
    select
        region_code, event_seq, batch_id, event_type, accounting_month, institution_code, account_code,
        debit_amount - credit_amount as amount
    from {{ ref('journal_line') }}
    where
        {{ pending(ref('built_head'), 'last_seq') }}
        and institution_code is not null
        and (
            account_code = '1101'
            or (
                event_type in ('claim.paid', 'advance.offset', 'claim.reversed', 'claim.recovered', 'return.written_back')
                -- expenditure, or what takes its place when the payment was of an earlier year
                and (account_code like '5%' or account_code = '490102')
            )
        )
),

movement as (
    select
        line.*,
        line.account_code = '1101' as is_advance,
        line.event_type in ('claim.paid', 'advance.offset') as is_payment,
        line.event_type in ('claim.recovered', 'return.written_back') as is_taken_back,
        line.event_type in ('claim.paid', 'claim.reversed')
        and coalesce(corrected.settlement_kind, event.settlement_kind, 'case') = 'deposit_release' as is_release,
        line.event_type = 'advance.offset' or event.payee_type = 'institution' as is_direct
    from line
    inner join {{ source('events', 'event') }} as event
        on line.region_code = event.region_code and line.event_seq = event.seq
    {{ join_corrected('event') }}
)

select
    region_code,
    institution_code,
    accounting_month,
    batch_id,
    max(event_seq) as last_seq,
    coalesce(sum(amount) filter (where not is_advance), 0)::numeric(18, 2) as paid_amount,
    coalesce(-sum(amount) filter (where not is_advance and is_taken_back), 0)::numeric(18, 2) as taken_back_amount,
    coalesce(sum(amount) filter (where not is_advance and is_release), 0)::numeric(18, 2) as released_amount,
    coalesce(sum(amount) filter (where not is_advance and is_payment), 0)::numeric(18, 2) as payment_amount,
    coalesce(sum(amount) filter (where not is_advance and is_payment and is_direct), 0)::numeric(18, 2) as direct_amount,
    coalesce(sum(amount) filter (where is_advance), 0)::numeric(18, 2) as advance_amount
from movement
group by region_code, institution_code, accounting_month, batch_id
