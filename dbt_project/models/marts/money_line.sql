with head as (
    {{ ledger_head('published') }}
)

select
    line.region_code,
    line.fund_code,
    line.accounting_month,
    line.account_code,
    line.entry_id,
    line.line_no,
    line.posting_date,
    event.occurred_on,
    line.debit_amount - line.credit_amount as amount,
    line.receipt_no,
    coalesce(event.payment_no, original.payment_no) as payment_no,
    line.institution_code,
    line.event_type = 'contribution.collected' as is_collection,
    line.account_code = '100301' and (
        line.event_type in (
            'claim.paid', 'claim.reversed', 'remitted.up', 'subsidised.down', 'transfer.sent', 'catastrophic.transferred',
            'other.paid', 'account.paid_out'
        )
        or (line.event_type = 'cash.transferred' and event.to_account = 'expenditure')
    ) as is_fiscal_payment,
    line.event_type in ('claim.paid', 'claim.reversed') and coalesce(original.payee_type, event.payee_type) = 'institution'
        as is_institution_payment,
    line.event_seq,
    line.event_type,
    event.source_system,
    file.file_name as source_file,
    event.line_no as source_line
from {{ ref('journal_line') }} as line
inner join head on line.region_code = head.region_code and line.event_seq <= head.seq and {{ readable('line.region_code') }}
inner join {{ source('events', 'event') }} as event
    on line.region_code = event.region_code and line.event_seq = event.seq and {{ readable('event.region_code') }}
-- A payment that the bank never made says nothing of whom it was meant for: its original does.
left join {{ source('events', 'event') }} as original
    on
        event.region_code = original.region_code and event.original_seq = original.seq and event.event_type = 'claim.reversed'
        and {{ readable('original.region_code') }}
left join {{ source('events', 'batch') }} as batch on line.region_code = batch.region_code and line.batch_id = batch.batch_id
left join {{ source('events', 'file_registry') }} as file on batch.file_id = file.file_id
where line.account_code in ('1001', '1002', '1005', '100301', '100302', '1004')
