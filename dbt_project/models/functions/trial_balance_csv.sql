{{ config(arguments='region text, month date, seq bigint', returns='table (place bigint, line text)') }}

{%- set asked = as_of('$1', '$2', '$3') %}
{%- set rows -%}
    select statement.*
    from ({{ ledger_trial_balance(asked) }}) as statement
    where statement.accounting_month = {{ asked.month }}
{%- endset %}

{{ csv_lines('trial_balance', rows) }}
