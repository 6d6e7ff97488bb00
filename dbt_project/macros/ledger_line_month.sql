{#- CTEs up to line_month: one row a (region, fund, month, line, sub-fund) of a statement, zero rows included.
    amount = movement of the month on the line's own side; balance = all movements to the end of the month;
    year_to_date = the year's movements to the end of the month. -#}
{% macro ledger_line_month(bound, statement) -%}
{{ ledger_calendar(bound) }},

scope as (
    select sub_fund from (values ('total'), ('pooled'), ('personal')) as listed (sub_fund)
),

line as (
    select
        line.line_code, line.name_zh as line_name, line.shown_as, scope.sub_fund,
        case line.side when 'credit' then 1 when 'debit' then -1 end as sign
    from {{ ref('statement_line') }} as line
    inner join scope on line.by_sub_fund or scope.sub_fund = 'total'
    where line.statement = '{{ statement }}'
),

account_line as (
    {{ ledger_account_line() }}
),

-- The total is summed by itself, not from pooled and personal: a line in neither sub-fund then shows as a difference.
movement as (
    select
        turnover.region_code, turnover.fund_code, turnover.accounting_month, account_line.line_code, scope.sub_fund,
        sum(turnover.credit_amount - turnover.debit_amount) as amount
    from turnover
    inner join account_line
        on account_line.account_code = turnover.account_code
        and account_line.entry_kind in ('any', turnover.entry_kind)
        and account_line.sub_fund in ('any', turnover.sub_fund)
    inner join scope on scope.sub_fund in ('total', turnover.sub_fund)
    group by 1, 2, 3, 4, 5
),

line_amount as (
    select
        calendar.region_code, calendar.fund_code, calendar.accounting_month,
        line.line_code, line.line_name, line.shown_as, line.sub_fund,
        line.sign * coalesce(movement.amount, 0) as amount
    from calendar
    cross join line
    left join movement
        on movement.region_code = calendar.region_code and movement.fund_code = calendar.fund_code
        and movement.accounting_month = calendar.accounting_month
        and movement.line_code = line.line_code and movement.sub_fund = line.sub_fund
),

line_month as (
    select
        *,
        sum(amount) over (
            partition by region_code, fund_code, line_code, sub_fund order by accounting_month
        ) as balance,
        sum(amount) over (
            partition by region_code, fund_code, line_code, sub_fund, extract(year from accounting_month) order by accounting_month
        ) as year_to_date
    from line_amount
)
{%- endmacro %}
