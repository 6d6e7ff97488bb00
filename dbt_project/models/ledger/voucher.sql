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
            select 1 from {{ ref('journal_line') }} as earlier_entry
            where
                earlier_entry.region_code = later.region_code
                and earlier_entry.event_seq = later.event_seq
                and earlier_entry.entry_no < later.entry_no
                and earlier_entry.line_no = 1
                and earlier_entry.fund_code = later.fund_code
                and earlier_entry.accounting_month = later.accounting_month
                and earlier_entry.posting_date = later.posting_date
                and earlier_entry.business_type = later.business_type
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
        max(event_seq) as last_seq
    from pending_line
    group by region_code, fund_code, accounting_month, batch_id, posting_date, business_type
),

numbered as (
    select
        grouped.*,
        grouped.entry_count - coalesce(surplus.entry_count, 0) as attachment_count,
        row_number() over (
            partition by grouped.region_code, grouped.fund_code, grouped.accounting_month
            order by grouped.batch_id, grouped.posting_date, grouped.business_type
        ) as place
    from grouped
    left join surplus
        on
            grouped.region_code = surplus.region_code
            and grouped.fund_code = surplus.fund_code
            and grouped.accounting_month = surplus.accounting_month
            and grouped.batch_id = surplus.batch_id
            and grouped.posting_date = surplus.posting_date
            and grouped.business_type = surplus.business_type
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
                and earlier.accounting_month = numbered.accounting_month{{ before_audited('earlier.last_seq') }}
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
