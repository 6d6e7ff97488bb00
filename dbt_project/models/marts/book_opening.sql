with head as (
    {{ ledger_head('published') }}
)

select
    opening.region_code,
    opening.fund_code,
    opening.opened_on,
    opening.first_seq
from ({{ ledger_book_opening() }}) as opening
inner join head on opening.region_code = head.region_code and opening.first_seq <= head.seq
