{{ config(arguments='region text, fund text, month date, seq bigint', returns='setof trial_balance') }}

{%- set asked = as_of('$1', '$3', '$4') %}

-- depends_on: {{ ref('trial_balance') }}
select statement.*
from ({{ ledger_trial_balance(asked) }}) as statement
where statement.fund_code = $2 and statement.accounting_month = {{ asked.month }}
