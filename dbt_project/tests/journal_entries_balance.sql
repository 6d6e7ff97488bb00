-- Each entry that is not published yet balances within its fund; what is published was tested before it was.
select
    region_code, fund_code, entry_id, accounting_month,
    sum(debit_amount) as debit_amount,
    sum(credit_amount) as credit_amount
from {{ ref('journal_line') }}
where {{ unpublished(ref('built_head'), source('publication', 'publication')) }}
group by region_code, fund_code, entry_id, accounting_month
having sum(debit_amount) <> sum(credit_amount)
