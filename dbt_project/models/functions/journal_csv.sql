{{ config(arguments='region text, month date, seq bigint', returns='table (place bigint, line text)') }}

{%- set asked = as_of('$1', '$2', '$3') %}
{%- set rows -%}
    select ledger_line.*
    from {{ ref('general_ledger') }} as ledger_line
    where
        ledger_line.region_code = $1
        -- both funds by name: the lines of a month are indexed by region and fund
        and ledger_line.fund_code in ('EMI', 'MAT')
        and ledger_line.accounting_month = {{ asked.month }}
        and ledger_line.event_seq <= (select head.seq from ({{ as_of_head(asked) }}) as head)
{%- endset %}

{{ csv_lines('journal', rows) }}
