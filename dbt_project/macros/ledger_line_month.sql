{#- CTEs up to line_month: one row a (region, fund, month, line, sub-fund) of a statement, zero rows included.
    amount = movement of the month on the line's own side; balance = all movements to the end of the month;
    year_to_date = the year's movements to the end of the month.
    The layout goes by accounting month: a line of movements counts each by the layout of its own month, so that the year to date is the sum
    of its months; a line of balances counts all of them by the layout of the month shown, so that what stood on an account that
    moves goes with it. -#}
{% macro ledger_line_month(bound, statement) -%}
{{ ledger_calendar(bound) }},

line as (
    select row.line_code, row.line_name, row.shown_as, row.sub_fund, row.sign, row.effective_from, row.effective_to
    from {% if bound is mapping %}{{ ref('statement_row') }}{% else %}({{ ledger_statement_row() }}){% endif %} as row
    where row.statement = '{{ statement }}'
),

-- Which turnover counts for which row; the total counts by itself, so that a line in neither sub-fund shows as a difference.
account_line as (
    select
        account_line.account_code, account_line.entry_kind, account_line.sub_fund as only_sub_fund,
        line.line_code, line.shown_as, line.sub_fund, line.sign,
        greatest(account_line.effective_from, line.effective_from) as effective_from,
        least(account_line.effective_to, line.effective_to) as effective_to
    from {% if bound is mapping %}{{ ref('statement_account') }}{% else %}({{ ledger_account_line() }}){% endif %} as account_line
    inner join line on line.line_code = account_line.line_code
    where greatest(account_line.effective_from, line.effective_from)
        <= coalesce(least(account_line.effective_to, line.effective_to), 'infinity'::date)
),

{{ counted_movement(bound) }},

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
        monthly.region_code, monthly.fund_code, coalesce(counted.placed_in, monthly.accounting_month) as accounting_month,
        counted.line_code, null as line_name, null as shown_as, counted.sub_fund,
        case when counted.placed_in is null then counted.sign * monthly.amount else 0 end as amount,
        counted.sign * monthly.amount as balance_change,
        case
            when extract(year from coalesce(counted.placed_in, monthly.accounting_month)) = extract(year from monthly.accounting_month)
                then counted.sign * monthly.amount
            else 0
        end as year_change
    from monthly
    inner join counted_movement as counted
        on counted.account_code = monthly.account_code
        and counted.entry_kind in ('any', monthly.entry_kind)
        and counted.only_sub_fund in ('any', monthly.sub_fund)
        and counted.sub_fund in ('total', monthly.sub_fund)
        and monthly.accounting_month between counted.first_month and counted.last_month
    union all
    select
        calendar.region_code, calendar.fund_code, calendar.accounting_month,
        line.line_code, line.line_name, line.shown_as, line.sub_fund, 0, 0, 0
    from calendar
    inner join line on {{ in_layout('calendar.accounting_month', 'line') }}
),

-- Only the rows that must exist bear a name: those of months in which the line is not shown are sums on the way.
line_sum as (
    select
        region_code, fund_code, accounting_month, line_code, max(line_name) as line_name, max(shown_as) as shown_as, sub_fund,
        sum(amount) as amount,
        sum(sum(balance_change)) over (
            partition by region_code, fund_code, line_code, sub_fund order by accounting_month
        ) as balance,
        sum(sum(year_change)) over (
            partition by region_code, fund_code, line_code, sub_fund, extract(year from accounting_month) order by accounting_month
        ) as year_to_date
    from line_amount
    group by region_code, fund_code, accounting_month, line_code, sub_fund
),

line_month as (
    select * from line_sum where shown_as is not null
)
{%- endmacro %}

{#- CTE counted_movement: which movements count for which row, and where. placed_in null: in their own month. A balance is moved as a whole in
    the month from which an account belongs to the line, and out again in the month after the last; a statement of one month takes
    all movements by the layout of that month instead. -#}
{% macro counted_movement(bound) -%}
counted_movement as (
    select
        account_code, entry_kind, only_sub_fund, line_code, sub_fund, sign, null::date as placed_in,
        {%- if bound is mapping %}
        case when shown_as = 'movement' then coalesce(effective_from, '-infinity'::date) else '-infinity'::date end as first_month,
        case when shown_as = 'movement' then coalesce(effective_to, 'infinity'::date) else 'infinity'::date end as last_month
        {%- else %}
        coalesce(effective_from, '-infinity'::date) as first_month, coalesce(effective_to, 'infinity'::date) as last_month
        {%- endif %}
    from account_line
    {%- if bound is mapping %}
    where shown_as = 'movement' or {{ in_layout(bound.month, 'account_line') }}
    {%- else %}
    union all
    select
        account_code, entry_kind, only_sub_fund, line_code, sub_fund, sign, effective_from,
        '-infinity'::date, (effective_from - interval '1 month')::date
    from account_line
    where shown_as <> 'movement' and effective_from is not null
    union all
    select
        account_code, entry_kind, only_sub_fund, line_code, sub_fund, -sign, (effective_to + interval '1 month')::date,
        '-infinity'::date, effective_to
    from account_line
    where shown_as <> 'movement' and effective_to is not null
    {%- endif %}
)
{%- endmacro %}

{#- Whether a row of the layout (statement lines, accounts of lines) is in force in an accounting month; null is open. -#}
{% macro in_layout(month, row) -%}
    {{ month }} between coalesce({{ row }}.effective_from, '-infinity'::date) and coalesce({{ row }}.effective_to, 'infinity'::date)
{%- endmacro %}

{#- Rows of the statements: one a line and sub-fund it is shown for; sign turns credit minus debit into the line's own side. -#}
{% macro ledger_statement_row() -%}
    select
        line.statement, line.line_code, line.name_zh as line_name, line.line_order, line.shown_as, scope.sub_fund,
        case line.side when 'credit' then 1 when 'debit' then -1 end as sign, line.effective_from, line.effective_to
    from {{ ref('statement_line') }} as line
    inner join (values ('total'), ('pooled'), ('personal')) as scope (sub_fund) on line.by_sub_fund or scope.sub_fund = 'total'
{%- endmacro %}
