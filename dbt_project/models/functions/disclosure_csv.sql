{{ config(arguments='region text', returns='table (place bigint, line text)') }}

{%- set columns = [
    ('region_code', 'code'), ('fund_code', 'code'), ('accounting_month', 'date'), ('participant_count', 'number'),
    ('maternity_participant_count', 'number'), ('beneficiary_count', 'number'), ('beneficiary_count_year_to_date', 'number'),
    ('income_amount', 'amount'), ('income_amount_year_to_date', 'amount'), ('expenditure_amount', 'amount'),
    ('expenditure_amount_year_to_date', 'amount'), ('maternity_expenditure_amount', 'amount'),
    ('maternity_expenditure_amount_year_to_date', 'amount'), ('surplus_amount', 'amount'),
    ('surplus_amount_year_to_date', 'amount'), ('balance_amount', 'amount'), ('has_small_numbers', 'code')
] %}

-- The loop over the columns is laid out as its text, not as what it makes.
-- What is qualified by the function's name is an argument, which the linter takes for a table.
-- noqa: disable=RF01,RF02,RF03,AL04,AM06,LT02,LT05
select
    0::bigint as place,
    '{% for name, kind in columns %}{{ name }}{{ ',' if not loop.last }}{% endfor %}' as line
union all
select
    row_number() over (order by told.fund_code collate "C", told.accounting_month),
    concat(
    {%- for name, kind in columns %}
        {% if kind == 'date' %}to_char(told.{{ name }}::timestamp, 'YYYY-MM-DD'){% else %}told.{{ name }}::text{% endif %}
        {{- ", ','," if not loop.last }}
    {%- endfor %}
    )
from {{ ref('public_disclosure') }} as told
where told.region_code = disclosure_csv.region
order by 1
