{{ config(
    materialized='incremental', on_schema_change='fail',
    meta={'guards': ['append_only']}
) }}

{% if var('shadow', '') -%}
    {{ shadow_built_head(source('events', 'batch'), this) }}
{%- else -%}
-- Whole batches only: a batch is committed by one transaction under the region's lock, so the newest one has all before it.
    with newest as (
        select distinct on (region_code) region_code, batch_id, last_seq, batch_hash
        from {{ source('events', 'batch') }}
        order by region_code asc, batch_id desc
    )

    select
        newest.region_code,
        newest.batch_id,
        newest.last_seq as seq,
        newest.batch_hash,
        '{{ env_var('FUND_RUN_ID', 'by hand') }}'::text as run_id,
        clock_timestamp() as built_at
    from newest
    {% if is_incremental() %}
        where not exists (
            select 1 from {{ this }} as head
            where head.region_code = newest.region_code and head.batch_id >= newest.batch_id
        )
    {% endif %}
{% endif %}
