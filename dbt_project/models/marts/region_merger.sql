select
    region.region_code,
    region.merger_date,
    region.known_from
from {{ ref('policy_region') }} as region
where {{ readable('region.region_code') }}
