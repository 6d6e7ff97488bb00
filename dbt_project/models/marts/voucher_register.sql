{{ config(alias='voucher') }}

with head as (
    {{ ledger_head('published') }}
),

entries as (
    select
        line.region_code, line.fund_code, line.accounting_month, line.batch_id, line.posting_date, line.business_type,
        count(distinct line.entry_id) as entry_count,
        sum(line.debit_amount) as debit_amount,
        sum(line.credit_amount) as credit_amount
    from {{ ref('journal_line') }} as line
    inner join head on head.region_code = line.region_code and line.event_seq <= head.seq
    group by 1, 2, 3, 4, 5, 6
)

select
    entries.region_code,
    entries.fund_code,
    entries.accounting_month,
    voucher.voucher_no,
    entries.posting_date,
    entries.business_type,
    entries.entry_count,
    entries.debit_amount::numeric(18, 2) as debit_amount,
    entries.credit_amount::numeric(18, 2) as credit_amount,
    -- A voucher holds entries of one batch, and a batch comes from one file, or from none when the pipeline wrote it itself.
    (batch.file_id is not null)::integer as attachment_count,
    '生育医保合并账务流水线 / merged-fund pipeline' as prepared_by,
    null::text as reviewed_by
from entries
inner join {{ ref('voucher') }} as voucher
    on voucher.region_code = entries.region_code and voucher.fund_code = entries.fund_code
    and voucher.accounting_month = entries.accounting_month and voucher.batch_id = entries.batch_id
    and voucher.posting_date = entries.posting_date and voucher.business_type = entries.business_type
inner join {{ source('events', 'batch') }} as batch
    on batch.region_code = entries.region_code and batch.batch_id = entries.batch_id
