{#- Condition on (region_code, event_seq): lines that are built and not published yet. Bounds are literals read before, so that lines
    are reached by their key, however long the journal is. -#}
{% macro unpublished(built_head, publication) -%}
    {%- set query -%}
        select head.region_code, coalesce(max(published.seq), 0) as published_seq
        from {{ built_head }} as head
        left join {{ publication }} as published on head.region_code = published.region_code
        group by head.region_code
        having max(head.seq) > coalesce(max(published.seq), 0)
        order by head.region_code
    {%- endset -%}
    {%- set conditions = [] -%}
    {%- for region_code, published_seq in (run_query(query).rows if execute else []) -%}
        {%- do conditions.append("(region_code = '" ~ region_code ~ "' and event_seq > " ~ published_seq ~ ")") -%}
    {%- endfor -%}
    ({{ conditions | join(' or ') or 'false' }})
{%- endmacro %}
