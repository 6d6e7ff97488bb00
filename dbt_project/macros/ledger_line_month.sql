{#- CTEs up to line_month: one row a (region, fund, month, line, sub-fund) of a statement, zero rows included.
    amount = movement of the month on the line's own side; balance = all movements to the end of the month;
    year_to_date = the year's movements to the end of the month. -#}
{% macro ledger_line_month(bound, statement) -%}
{{ ledger_calendar(bound) }},

line as (
    select row.line_code, row.line_name, row.shown_as, row.sub_fund, row.sign
    from {% if bound is mapping %}{{ ref('statement_row') }}{% else %}({{ ledger_statement_row() }}){% endif %} as row
    where row.statement = '{{ statement }}'
),

-- Which turnover counts for which row; the total counts by itself, so that a line in neither sub-fund shows as a difference.
account_line as (
    select account_line.account_code, account_line.entry_kind, account_line.sub_fund as only_sub_fund, line.*
    from {% if bound is mapping %}{{ ref('statement_account') }}{% else %}({{ ledger_account_line() }}){% endif %} as account_line
    inner join line on line.line_code = account_line.line_code
),

monthly as (
    select
        region_code, fund_code, accounting_month, account_code, sub_fund, entry_kind,
        sum(credit_amount - debit_amount) as amount
    from turnover
    {{ until_month(bound) }}
    group by 1, 2, 3, 4, 5, 6
),

-- Movements and a zero for every row that must exist, summed: no join whose size the planner would have to guess.
line_amount as (
    select
        monthly.region_code, monthly.fund_code, monthly.accounting_month,
        account_line.line_code, account_line.line_name, account_line.shown_as, account_line.sub_fund,
        account_line.sign * monthly.amount as amount
    from monthly
    inner join account_line
        on account_line.account_code = monthly.account_code
        and account_line.entry_kind in ('any', monthly.entry_kind)
        and account_line.only_sub_fund in ('any', monthly.sub_fund)
        and account_line.sub_fund in ('total', monthly.sub_fund)
    union all
    select
        calendar.region_code, calendar.fund_code, calendar.accounting_month,
        line.line_code, line.line_name, line.shown_as, line.sub_fund, 0
    from calendar
    cross join line
),

line_month as (
    select
        region_code, fund_code, accounting_month, line_code, line_name, shown_as, sub_fund,
        sum(amount) as amount,
        sum(sum(amount)) over (
            partition by region_code, fund_code, line_code, sub_fund order by accounting_month
        ) as balance,
        sum(sum(amount)) over (
            partition by region_code, fund_code, line_code, sub_fund, extract(year from accounting_month) order by accounting_month
        ) as year_to_date
    from line_amount
    group by 1, 2, 3, 4, 5, 6, 7
)
{%- endmacro %}

{#- Rows of the statements: one a line and sub-fund it is shown for; sign turns credit minus debit into the line's own side. -#}
{% macro ledger_statement_row() -%}
    select
        line.statement, line.line_code, line.name_zh as line_name, line.line_order, line.shown_as, scope.sub_fund,
        case line.side when 'credit' then 1 when 'debit' then -1 end as sign
    from {{ ref('statement_line') }} as line
    inner join (values ('total'), ('pooled'), ('personal')) as scope (sub_fund) on line.by_sub_fund or scope.sub_fund = 'total'
{%- endmacro %}
