with head as (
    {{ ledger_head('published') }}
),

account as (
    {{ ledger_account() }}
)

select
    line.region_code,
    line.fund_code,
    line.accounting_month,
    line.entry_id,
    line.line_no,
    line.entry_kind,
    voucher.voucher_no,
    line.posting_date,
    concat_ws(
        ' · ',
        event_type.name_zh || ' / ' || event_type.name_en,
        case line.entry_kind when 'closing' then '结转 / closing' when 'merger' then '并转 / merger' end,
        line.benefit_item,
        coalesce(line.claim_no, line.receipt_no),
        '原属 / belongs to ' || to_char(line.original_month, 'YYYY-MM')
    ) as summary,
    line.account_code,
    account.name_zh as account_name,
    line.sub_fund,
    line.debit_amount,
    line.credit_amount,
    line.event_seq,
    line.event_type,
    event.occurred_on,
    event.recorded_at,
    line.original_month,
    line.reverses_entry_id,
    line.person_no,
    line.employer_no,
    line.institution_code,
    line.benefit_item,
    line.claim_no,
    line.receipt_no,
    event.source_system,
    file.file_name as source_file,
    event.line_no as source_line
from {{ ref('journal_line') }} as line
inner join head on line.region_code = head.region_code and line.event_seq <= head.seq and {{ readable('line.region_code') }}
-- Left joins to unique keys: no line can be lost or doubled, and the planner drops those that a query doesn't ask for.
left join {{ source('events', 'event') }} as event
    on line.region_code = event.region_code and line.event_seq = event.seq and {{ readable('event.region_code') }}
left join {{ source('events', 'batch') }} as batch on line.region_code = batch.region_code and line.batch_id = batch.batch_id
left join {{ source('events', 'file_registry') }} as file on batch.file_id = file.file_id
left join account on line.account_code = account.account_code
left join {{ ref('event_type') }} as event_type on line.event_type = event_type.event_type
left join {{ ref('voucher') }} as voucher
    on
        line.region_code = voucher.region_code
        and line.fund_code = voucher.fund_code
        and line.accounting_month = voucher.accounting_month
        and line.batch_id = voucher.batch_id
        and line.posting_date = voucher.posting_date
        and line.business_type = voucher.business_type
