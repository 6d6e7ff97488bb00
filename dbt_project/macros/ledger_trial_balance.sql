{#- Trial balance: one row a (region, fund, account, sub-fund, month), from the first month with movement on, debit positive. -#}
{% macro ledger_trial_balance(bound) -%}
with {{ ledger_calendar(bound) }},

account as (
    {% if bound is mapping %}select account_code, name_zh from {{ ref('account') }}{% else %}{{ ledger_account() }}{% endif %}
),

moved as (
    select region_code, fund_code, account_code, sub_fund, min(accounting_month) as first_month
    from turnover
    {{ until_month(bound) }}
    group by 1, 2, 3, 4
),

-- Movements and a zero for every month that must exist, summed: no join whose size the planner would have to guess.
account_amount as (
    select region_code, fund_code, accounting_month, account_code, sub_fund, debit_amount, credit_amount
    from turnover
    {{ until_month(bound) }}
    union all
    select region_code, fund_code, calendar.accounting_month, moved.account_code, moved.sub_fund, 0, 0
    from calendar
    inner join moved using (region_code, fund_code)
    where calendar.accounting_month >= moved.first_month
),

account_month as (
    select
        region_code, fund_code, accounting_month, account_code, sub_fund,
        sum(debit_amount) as debit_amount,
        sum(credit_amount) as credit_amount,
        sum(sum(debit_amount - credit_amount)) over (
            partition by region_code, fund_code, account_code, sub_fund order by accounting_month
        ) as closing_balance
    from account_amount
    group by 1, 2, 3, 4, 5
)

select
    account_month.region_code,
    account_month.fund_code,
    account_month.accounting_month,
    account_month.account_code,
    account.name_zh as account_name,
    account_month.sub_fund,
    (account_month.closing_balance - account_month.debit_amount + account_month.credit_amount)::numeric(18, 2) as opening_balance,
    account_month.debit_amount::numeric(18, 2) as debit_amount,
    account_month.credit_amount::numeric(18, 2) as credit_amount,
    account_month.closing_balance::numeric(18, 2) as closing_balance
from account_month
left join account on account.account_code = account_month.account_code
{%- endmacro %}
