with head as (
    {{ ledger_head('published') }}
)

select
    region_code,
    seq,
    batch_hash,
    rules_sha256,
    published_at,
    run_id
from head
