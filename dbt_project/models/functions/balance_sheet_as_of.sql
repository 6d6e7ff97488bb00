{{ config(arguments='region text, fund text, month date, seq bigint', returns='setof balance_sheet') }}

{%- set asked = as_of('$1', '$3', '$4') %}

-- depends_on: {{ ref('balance_sheet') }}
select statement.*
from ({{ ledger_balance_sheet(asked) }}) as statement
where statement.fund_code = $2 and statement.accounting_month = {{ asked.month }}
