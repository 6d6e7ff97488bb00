with month as (
    {{ months_stated() }}
)

select
    month.region_code,
    item.fund_code,
    month.accounting_month,
    item.statement_kind,
    item.scope,
    item.account_code,
    item.institution_code,
    item.period_from,
    item.stated_on,
    item.item_status as status,
    item.matched_by,
    item.match_number,
    item.item_date,
    item.item_amount::numeric(18, 2) as amount,
    item.item_difference::numeric(18, 2) as difference,
    item.entry_id,
    item.entry_count,
    item.candidate_count,
    entry.voucher_no,
    item.event_seq,
    entry.event_type,
    entry.source_system,
    entry.source_file,
    entry.source_line,
    item.item_stated_seq as stated_seq,
    item.stated_count,
    said.source_system as stated_source_system,
    said.source_file as stated_source_file,
    said.source_line as stated_source_line
from month
cross join lateral {{ ref('tie_out_items') }}(month.region_code, month.accounting_month) as item
left join lateral (
    select
        ledger.voucher_no, ledger.event_type, ledger.source_system, ledger.source_file, ledger.source_line
    from {{ ref('general_ledger') }} as ledger
    where ledger.region_code = month.region_code and ledger.event_seq = item.event_seq and ledger.entry_id = item.entry_id
    order by ledger.line_no
    limit 1
) as entry on true
left join {{ ref('outside_statement') }} as said
    on month.region_code = said.region_code and item.item_stated_seq = said.event_seq
