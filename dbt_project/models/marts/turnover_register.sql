{{ config(alias='account_turnover') }}

with head as (
    {{ ledger_head('published') }}
)

select
    delta.region_code,
    delta.fund_code,
    delta.accounting_month,
    delta.account_code,
    delta.sub_fund,
    delta.entry_kind,
    delta.batch_id,
    delta.last_seq,
    delta.debit_amount,
    delta.credit_amount,
    delta.line_count
from {{ ref('account_turnover') }} as delta
inner join head on delta.region_code = head.region_code and delta.last_seq <= head.seq
