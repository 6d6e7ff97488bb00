{#- In a replay: the heads of the live books, so that both sides end with the same batch and the history of builds is kept (which run
    took a batch in is told by nothing else). Seq and hash are the log's own, so that a forged head shows.
    The live table is named outright: in a replay, ref leads to the shadow. -#}
{% macro shadow_built_head(batch, own) -%}
    select batch.region_code, batch.batch_id, batch.last_seq as seq, batch.batch_hash, live.run_id, live.built_at
    from ledger.built_head as live
    inner join {{ batch }} as batch on live.region_code = batch.region_code and live.batch_id = batch.batch_id
    {%- if is_incremental() %}
    where not exists (
        select 1 from {{ own }} as head where head.region_code = batch.region_code and head.batch_id = batch.batch_id
    )
    {%- endif %}
{%- endmacro %}
