{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail', tags=['increment']) }}

select
    null::text as region_code,
    null::text as fund_code,
    null::date as accounting_month,
    null::integer as voucher_no,
    null::bigint as batch_id,
    null::date as posting_date,
    null::text as business_type,
    null::bigint as entry_count,
    null::numeric(18,2) as debit_amount,
    null::numeric(18,2) as credit_amount,
    null::bigint as attachment_count,
    null::bigint as last_seq
where false
