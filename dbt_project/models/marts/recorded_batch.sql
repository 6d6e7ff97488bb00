with head as (
    {{ ledger_head('published') }}
)

select
    batch.region_code,
    batch.batch_id,
    batch.first_seq,
    batch.last_seq,
    batch.recorded_at
from {{ source('events', 'batch') }} as batch
inner join head on batch.region_code = head.region_code and batch.last_seq <= head.seq
