{#- Replayed books go as far as the live ones and no further, so that both can be compared row for row.
    The live head is named outright: in a replay, ref leads to the shadow. -#}
{% macro shadow_bound(batch) -%}
    {%- if var('shadow', '') -%}
    and exists (
        select 1 from ledger.built_head as live
        where live.region_code = {{ batch }}.region_code and live.batch_id >= {{ batch }}.batch_id
    )
    {%- endif -%}
{%- endmacro %}
