select
    statement,
    line_code,
    line_order,
    name_zh,
    name_en,
    formula,
    effective_from,
    effective_to
from {{ ref('statement_line') }}
