with head as (
    {{ ledger_head('published') }}
),

decided as (
    select distinct on (request_id) request_id, decision, decided_by, decided_at, reason
    from {{ source('signoff', 'decision') }}
    order by request_id asc, decision_no desc
),

item as (
    select
        *,
        amount - amount_last_month as difference_last_month,
        amount - amount_last_year as difference_last_year
    from {{ source('signoff', 'checklist_item') }}
)

select
    request.region_code,
    request.accounting_month,
    request.request_id,
    request.attempt_no,
    request.prepared_by,
    request.prepared_at,
    request.checked_seq,
    decided.decision,
    decided.decided_by,
    decided.decided_at,
    decided.reason as decision_reason,
    item.item_no,
    item.kind,
    item.code,
    item.fund_code,
    item.outcome,
    item.title_zh,
    item.title_en,
    item.detail,
    item.item_count,
    item.amount,
    item.amount_last_month,
    item.difference_last_month::numeric(18, 2) as difference_last_month,
    round(item.difference_last_month * 100 / nullif(abs(item.amount_last_month), 0), 2) as percent_last_month,
    item.amount_last_year,
    item.difference_last_year::numeric(18, 2) as difference_last_year,
    round(item.difference_last_year * 100 / nullif(abs(item.amount_last_year), 0), 2) as percent_last_year
from {{ source('signoff', 'close_request') }} as request
-- the head bounds the reader's regions
inner join head on request.region_code = head.region_code
inner join item on request.request_id = item.request_id
left join decided on request.request_id = decided.request_id
