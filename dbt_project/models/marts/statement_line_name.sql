select
    statement,
    line_code,
    line_order,
    name_zh,
    name_en,
    formula
from {{ ref('statement_line') }}
