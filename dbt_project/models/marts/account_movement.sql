with head as (
    {{ ledger_head('published') }}
),

account as (
    {{ ledger_account() }}
),

movement as (
    select
        delta.region_code, delta.fund_code, delta.accounting_month, delta.account_code, delta.sub_fund, delta.entry_kind,
        sum(delta.debit_amount)::numeric(18, 2) as debit_amount,
        sum(delta.credit_amount)::numeric(18, 2) as credit_amount,
        sum(delta.line_count)::bigint as line_count
    from {{ ref('account_turnover') }} as delta
    inner join head on delta.region_code = head.region_code and delta.last_seq <= head.seq
    group by
        delta.region_code, delta.fund_code, delta.accounting_month, delta.account_code, delta.sub_fund, delta.entry_kind
)

select
    movement.region_code,
    movement.fund_code,
    movement.accounting_month,
    movement.account_code,
    account.name_zh as account_name,
    movement.sub_fund,
    movement.entry_kind,
    movement.debit_amount,
    movement.credit_amount,
    movement.line_count
from movement
left join account on movement.account_code = account.account_code
