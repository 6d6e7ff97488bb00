{{ config(arguments='region text, at timestamptz', returns='bigint') }}

select coalesce(max(batch.last_seq), 0)
from {{ ref('recorded_batch') }} as batch
where batch.region_code = $1 and batch.recorded_at <= $2
