select
    disclosure_code,
    place_zh,
    place_en,
    fund_zh,
    fund_en,
    year,
    item_code,
    amount,
    unit,
    status,
    source
from {{ ref('reference_local_disclosure') }}
