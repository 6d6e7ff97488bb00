{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    indexes=[{'columns': ['region_code', 'last_seq']}]
) }}

-- Numbers follow (batch, posting date, business type) and batches only grow, so a new voucher always stands after those there are.
with grouped as (
    select
        region_code,
        fund_code,
        accounting_month,
        batch_id,
        posting_date,
        business_type,
        count(distinct entry_id) as entry_count,
        sum(debit_amount)::numeric(18, 2) as debit_amount,
        sum(credit_amount)::numeric(18, 2) as credit_amount,
        count(distinct event_seq) as attachment_count,
        max(event_seq) as last_seq
    from {{ ref('journal_line') }}
    where {{ pending(ref('built_head'), 'last_seq') }}
    group by region_code, fund_code, accounting_month, batch_id, posting_date, business_type
),

numbered as (
    select
        *,
        row_number() over (
            partition by region_code, fund_code, accounting_month order by batch_id, posting_date, business_type
        ) as place
    from grouped
)

select
    numbered.region_code,
    numbered.fund_code,
    numbered.accounting_month,
    {% if is_incremental() -%}
        (numbered.place + coalesce((
            select max(earlier.voucher_no) from {{ this }} as earlier
            where
                earlier.region_code = numbered.region_code
                and earlier.fund_code = numbered.fund_code
                and earlier.accounting_month = numbered.accounting_month
        ), 0))::integer as voucher_no,
    {%- else -%}
        numbered.place::integer as voucher_no,
    {%- endif %}
    numbered.batch_id,
    numbered.posting_date,
    numbered.business_type,
    numbered.entry_count,
    numbered.debit_amount,
    numbered.credit_amount,
    numbered.attachment_count,
    numbered.last_seq
from numbered
