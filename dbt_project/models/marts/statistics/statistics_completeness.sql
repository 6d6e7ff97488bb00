with head as (
    {{ ledger_head('published') }}
),

family as (
    select
        head.region_code,
        listed.family
    from head
    cross join (values ('registration'), ('contribution'), ('claim'), ('treasury')) as listed (family)
),

open_row as (
    select
        waiting.region_code,
        waiting.family,
        count(*) as open_rows,
        count(*) filter (where waiting.amount is null) as rows_without_amount,
        sum(waiting.amount) as open_amount,
        min((waiting.quarantined_at at time zone 'Asia/Shanghai')::date) as oldest_on
    from {{ source('events', 'quarantine_open') }} as waiting
    where {{ readable('waiting.region_code') }}
    group by waiting.region_code, waiting.family
)

select
    family.region_code,
    family.family,
    coalesce(open_row.open_rows, 0)::bigint as open_rows,
    coalesce(open_row.rows_without_amount, 0)::bigint as rows_without_amount,
    coalesce(open_row.open_amount, 0)::numeric(18, 2) as open_amount,
    open_row.oldest_on as oldest_quarantined_on
from family
left join open_row on family.region_code = open_row.region_code and family.family = open_row.family
