{#-
    How far a source had told of enrolments before each of its batches, and where the batch begins; one row a batch with enrolments.
    `bounds` is a CTE of regions and the newest seq that counts, `readers` whether only the reader's regions are asked for.
-#}
{% macro enrollment_told(bounds, readers=false) -%}
    select
        batch_told.region_code,
        batch_told.batch_id,
        batch.first_seq,
        max(batch_told.told_on) over (
            partition by batch_told.region_code, first_event.source_system order by batch_told.batch_id
            rows between unbounded preceding and 1 preceding
        ) as told_before
    from (
        select
            version.region_code,
            version.batch_id,
            max(version.told_on) as told_on
        from {{ bounds }} as bound
        inner join {{ ref('enrollment_spell') }} as version
            on bound.region_code = version.region_code and bound.seq >= version.last_seq
            {%- if readers %} and {{ readable('version.region_code') }}{% endif %}
        group by version.region_code, version.batch_id
    ) as batch_told
    inner join {{ source('events', 'batch') }} as batch
        on batch_told.region_code = batch.region_code and batch_told.batch_id = batch.batch_id
    inner join {{ source('events', 'event') }} as first_event
        on batch.region_code = first_event.region_code and batch.first_seq = first_event.seq
{%- endmacro %}
