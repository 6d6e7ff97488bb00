{{ config(arguments='region text, fund text, month date, seq bigint', returns='setof income_expenditure_statement') }}

{%- set asked = as_of('$1', '$3', '$4') %}

-- depends_on: {{ ref('income_expenditure_statement') }}
select statement.*
from ({{ ledger_income_expenditure_statement(asked) }}) as statement
where statement.fund_code = $2 and statement.accounting_month = {{ asked.month }}
