with head as (
    {{ ledger_head('published') }}
)

select
    event.region_code,
    event.accounting_month,
    event.seq as closed_seq,
    event.recorded_at as closed_at,
    event.prepared_by,
    event.approved_by,
    event.approved_at,
    event.reason,
    event.checks_run_id,
    event.checked_seq,
    event.report_sha256,
    event.ledger_sha256,
    event.rules_sha256,
    signed.request_id,
    signed.signed_at
from {{ source('events', 'event') }} as event
inner join head on event.region_code = head.region_code and event.seq <= head.seq and {{ readable('event.region_code') }}
left join {{ source('signoff', 'signed_report') }} as signed
    on event.region_code = signed.region_code and event.accounting_month = signed.accounting_month
where event.event_type = 'period.closed'
