{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail', tags=['increment']) }}

select
    null::text as region_code,
    null::bigint as batch_id,
    null::bigint as seq,
    null::bytea as batch_hash,
    null::text as run_id,
    null::timestamp with time zone as built_at
where false
