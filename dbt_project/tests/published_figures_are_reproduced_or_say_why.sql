-- Published figures that our formulas do not give, without a word why.
select indicator_code, subject_code, year, published_value, computed_value
from {{ ref('indicator_reproduction') }}
where not is_reproduced and (coalesce(reason_zh, '') = '' or coalesce(reason_en, '') = '')
