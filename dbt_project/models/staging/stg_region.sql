-- Regions are versioned by known_from: an event sees the version known when it was recorded, for ever.
select
    region_code,
    merger_date,
    date_trunc('month', merger_date::timestamp)::date as merger_month,
    known_from,
    coalesce(lead(known_from) over (partition by region_code order by known_from), 'infinity'::date) as known_until
from {{ ref('policy_region') }}
