-- Each entry of the newest increment balances within its fund; older ones have been tested by their own build.
with newest as (
    select region_code, max(batch_id) as batch_id
    from {{ ref('built_head') }}
    group by region_code
),

before as (
    select newest.region_code, coalesce(max(head.seq), 0) as seq
    from newest
    left join {{ ref('built_head') }} as head
        on newest.region_code = head.region_code and newest.batch_id > head.batch_id
    group by newest.region_code
)

select
    line.region_code, line.fund_code, line.entry_id, line.accounting_month,
    sum(line.debit_amount) as debit_amount,
    sum(line.credit_amount) as credit_amount
from before
inner join {{ ref('journal_line') }} as line
    on before.region_code = line.region_code and before.seq < line.event_seq
group by line.region_code, line.fund_code, line.entry_id, line.accounting_month
having sum(line.debit_amount) <> sum(line.credit_amount)
