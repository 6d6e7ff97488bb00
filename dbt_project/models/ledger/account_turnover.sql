{{ config(
    materialized='incremental', on_schema_change='fail',
    meta={'guards': ['append_only', 'closed_month'], 'seq_column': 'last_seq'},
    indexes=[{'columns': ['region_code', 'last_seq']}]
) }}

select
    region_code,
    fund_code,
    accounting_month,
    account_code,
    sub_fund,
    entry_kind,
    batch_id,
    max(event_seq) as last_seq,
    sum(debit_amount)::numeric(18, 2) as debit_amount,
    sum(credit_amount)::numeric(18, 2) as credit_amount,
    count(*) as line_count
from {{ ref('journal_line') }}
where {{ pending(ref('built_head'), 'last_seq') }}
group by region_code, fund_code, accounting_month, account_code, sub_fund, entry_kind, batch_id
