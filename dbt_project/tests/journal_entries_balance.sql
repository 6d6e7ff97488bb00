-- Each entry among the lines that have no turnover yet balances within its fund. Turnover is added only once this holds, so that
-- nothing is left out, also after a build that broke, and nothing is looked at twice.
-- Grouped by the key of an entry: its lines lie together, and a number is compared faster than a text.
select
    region_code, event_seq, entry_no, fund_code, accounting_month,
    sum(debit_amount) as debit_amount,
    sum(credit_amount) as credit_amount
from {{ ref('journal_line') }}
where {{ lines_without_turnover(ref('built_head')) }}
group by region_code, event_seq, entry_no, fund_code, accounting_month
having sum(debit_amount) <> sum(credit_amount)
