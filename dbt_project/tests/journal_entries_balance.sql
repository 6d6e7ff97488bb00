-- Each entry of what is newly built balances within its fund; older ones have been tested by their own build.
select
    region_code, fund_code, entry_id, accounting_month,
    sum(debit_amount) as debit_amount,
    sum(credit_amount) as credit_amount
from {{ ref('journal_line') }}
where {{ newly_built(ref('built_head'), source('publication', 'publication')) }}
group by region_code, fund_code, entry_id, accounting_month
having sum(debit_amount) <> sum(credit_amount)
