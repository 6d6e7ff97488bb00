{{ config(
    materialized='incremental', on_schema_change='fail',
    meta={'guards': ['append_only', 'closed_month', 'voucher_numbers'], 'seq_column': 'last_seq'},
    indexes=[{'columns': ['region_code', 'last_seq']}]
) }}

-- Numbers follow (batch, posting date, business type) and batches only grow, so a new voucher always stands after those there are.
with pending_line as not materialized (
    select * from {{ ref('journal_line') }}
    where {{ pending(ref('built_head'), 'last_seq') }}
),

-- An event with two entries in one voucher is one attachment. These are few (a merger, the personal part of a maternity fact
-- booked in the merged fund), and counting distinct events of all lines would sort all lines.
surplus as (
    select
        later.region_code, later.fund_code, later.accounting_month, later.batch_id, later.posting_date, later.business_type,
        count(*) as entry_count
    from pending_line as later
    where
        later.line_no = 1
        and later.entry_no > 1
        and exists (
            select 1 from {{ ref('journal_line') }} as first
            where
                first.region_code = later.region_code
                and first.event_seq = later.event_seq
                and first.entry_no < later.entry_no
                and first.line_no = 1
                and first.fund_code = later.fund_code
                and first.accounting_month = later.accounting_month
                and first.posting_date = later.posting_date
                and first.business_type = later.business_type
        )
    group by
        later.region_code, later.fund_code, later.accounting_month, later.batch_id, later.posting_date, later.business_type
),

grouped as (
    select
        region_code,
        fund_code,
        accounting_month,
        batch_id,
        posting_date,
        business_type,
        count(*) filter (where line_no = 1) as entry_count,
        sum(debit_amount)::numeric(18, 2) as debit_amount,
        sum(credit_amount)::numeric(18, 2) as credit_amount,
        count(*) filter (where line_no = 1) - coalesce(max(surplus.entry_count), 0) as attachment_count,
        max(event_seq) as last_seq
    from pending_line
    left join surplus using (region_code, fund_code, accounting_month, batch_id, posting_date, business_type)
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
