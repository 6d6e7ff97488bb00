select
    year,
    insured,
    visits,
    visits_definition,
    expenditure,
    -- hundred million yuan over ten thousand
    {{ per_case('expenditure * 10000', 'visits') }}::numeric(14, 2) as expenditure_per_visit,
    {{ per_case('expenditure * 10000', 'insured') }}::numeric(14, 2) as expenditure_per_insured,
    quick_expenditure,
    quick_income,
    quick_closing,
    quick_restated,
    quick_is_derived,
    (100 * {{ growth('quick_expenditure', 'expenditure') }})::numeric(9, 2) as quick_difference_percent,
    status,
    source
from {{ ref('reference_national_maternity_year') }}
