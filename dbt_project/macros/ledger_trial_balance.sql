{#- Trial balance: one row a (region, fund, account, sub-fund, month), from the first month with movement on, debit positive. -#}
{% macro ledger_trial_balance(bound) -%}
with {{ ledger_calendar(bound) }},

account as (
    {{ ledger_account() }}
),

monthly as (
    select
        region_code, fund_code, accounting_month, account_code, sub_fund,
        sum(debit_amount) as debit_amount,
        sum(credit_amount) as credit_amount
    from turnover
    group by 1, 2, 3, 4, 5
),

moved as (
    select region_code, fund_code, account_code, sub_fund, min(accounting_month) as first_month
    from monthly
    group by 1, 2, 3, 4
),

account_month as (
    select
        region_code, fund_code, accounting_month, moved.account_code, moved.sub_fund,
        coalesce(monthly.debit_amount, 0) as debit_amount,
        coalesce(monthly.credit_amount, 0) as credit_amount
    from calendar
    inner join moved using (region_code, fund_code)
    left join monthly using (region_code, fund_code, accounting_month, account_code, sub_fund)
    where accounting_month >= moved.first_month
),

running as (
    select
        *,
        sum(debit_amount - credit_amount) over (
            partition by region_code, fund_code, account_code, sub_fund order by accounting_month
        ) as balance
    from account_month
)

select
    running.region_code,
    running.fund_code,
    running.accounting_month,
    running.account_code,
    account.name_zh as account_name,
    running.sub_fund,
    (running.balance - running.debit_amount + running.credit_amount)::numeric(18, 2) as opening_balance,
    running.debit_amount::numeric(18, 2) as debit_amount,
    running.credit_amount::numeric(18, 2) as credit_amount,
    running.balance::numeric(18, 2) as closing_balance
from running
left join account on account.account_code = running.account_code
{%- endmacro %}
