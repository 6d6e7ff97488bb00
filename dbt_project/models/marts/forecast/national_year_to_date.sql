select
    through_month,
    income,
    expenditure,
    maternity_expenditure,
    {{ annualised('income', 'extract(month from through_month)') }}::numeric(14, 2) as income_annualised,
    {{ annualised('expenditure', 'extract(month from through_month)') }}::numeric(14, 2) as expenditure_annualised,
    {{ annualised('maternity_expenditure', 'extract(month from through_month)') }}::numeric(14, 2) as maternity_annualised,
    status,
    source
from {{ ref('reference_national_year_to_date') }}
