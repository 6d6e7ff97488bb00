with head as (
    {{ ledger_head('published') }}
)

select
    event.region_code,
    event.fund_code,
    coalesce(event.accounting_month, date_trunc('month', event.occurred_on::timestamp)::date) as accounting_month,
    event.statement_kind,
    -- Fiscal payments are all paid from one account. Premiums arrive in several: without an account all of them are meant.
    coalesce(
        money_account.account_code,
        case event.statement_kind when 'fiscal_expenditure' then '100301' end
    ) as account_code,
    event.institution_code,
    event.counterparty,
    event.occurred_on as stated_on,
    event.accounting_month is not null as is_month_total,
    event.tax_voucher_no as receipt_no,
    event.payment_no,
    event.amount,
    event.seq as event_seq,
    event.source_system,
    file.file_name as source_file,
    event.line_no as source_line
from {{ source('events', 'event') }} as event
inner join head on event.region_code = head.region_code and event.seq <= head.seq and {{ readable('event.region_code') }}
left join {{ ref('money_account') }} as money_account on event.account = money_account.symbol
left join {{ source('events', 'batch') }} as batch on event.region_code = batch.region_code and event.batch_id = batch.batch_id
left join {{ source('events', 'file_registry') }} as file on batch.file_id = file.file_id
where event.event_type = 'balance.stated'
