{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail', tags=['increment']) }}

select
    null::text as region_code,
    null::text as fund_code,
    null::date as accounting_month,
    null::text as account_code,
    null::text as sub_fund,
    null::text as entry_kind,
    null::bigint as batch_id,
    null::bigint as last_seq,
    null::numeric(18,2) as debit_amount,
    null::numeric(18,2) as credit_amount,
    null::bigint as line_count
where false
