{#- Balance sheet: one row a (region, fund, month, line, sub-fund). -#}
{% macro ledger_balance_sheet(bound) -%}
with {{ ledger_line_month(bound, 'balance_sheet') }}

select
    region_code,
    fund_code,
    accounting_month,
    line_code,
    line_name,
    sub_fund,
    (balance - amount)::numeric(18, 2) as opening_amount,
    balance::numeric(18, 2) as closing_amount
from line_month
{%- endmacro %}
