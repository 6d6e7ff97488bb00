{{ config(alias='voucher') }}

with head as (
    {{ ledger_head('published') }}
)

select
    voucher.region_code,
    voucher.fund_code,
    voucher.accounting_month,
    voucher.voucher_no,
    voucher.posting_date,
    voucher.business_type,
    voucher.entry_count,
    voucher.debit_amount,
    voucher.credit_amount,
    -- Entries of a voucher are of one batch, and a batch is of one file, or of none when the pipeline itself wrote it.
    (batch.file_id is not null)::integer as attachment_count,
    -- The system: a rebuild or a restored backup gives the same vouchers, whatever run makes them.
    '生育医保合并账务流水线 / merged-fund pipeline' as prepared_by,
    (
        -- a review is of the voucher as the reviewer saw it
        select
            case
                when
                    review.outcome = 'passed'
                    and review.entry_count = voucher.entry_count
                    and review.debit_amount = voucher.debit_amount
                    then review.reviewed_by
            end
        from {{ source('signoff', 'voucher_review') }} as review
        where
            review.region_code = voucher.region_code
            and review.fund_code = voucher.fund_code
            and review.accounting_month = voucher.accounting_month
            and review.voucher_no = voucher.voucher_no
        order by review.review_no desc
        limit 1
    ) as reviewed_by
from {{ ref('voucher') }} as voucher
inner join head on voucher.region_code = head.region_code and voucher.last_seq <= head.seq
left join {{ source('events', 'batch') }} as batch
    on voucher.region_code = batch.region_code and voucher.batch_id = batch.batch_id
