with head as (
    {{ ledger_head('published') }}
)

select
    review.region_code,
    review.fund_code,
    review.accounting_month,
    review.voucher_no,
    review.review_no,
    review.outcome,
    review.reason,
    review.reviewed_by,
    review.reviewed_at
from {{ source('signoff', 'voucher_review') }} as review
-- the head bounds the reader's regions
inner join head on review.region_code = head.region_code
