{#- Condition on (region_code, event_seq): lines of what this run has built, and whatever else is built and not published yet. Bounds
    are literals read before, so that lines are reached by their key, however long the journal is. Books that are rebuilt are new as a
    whole, also where they have long been published. -#}
{% macro newly_built(built_head, publication) -%}
    {%- set query -%}
        select newest.region_code, least(newest.seq_before, coalesce(published.seq, 0)) as after_seq
        from (
            select distinct on (region_code)
                region_code, seq, run_id,
                coalesce(lead(seq) over (partition by region_code order by seq desc), 0) as seq_before
            from {{ built_head }}
            order by region_code, seq desc
        ) as newest
        left join (
            select region_code, max(seq) as seq from {{ publication }} group by region_code
        ) as published on newest.region_code = published.region_code
        where newest.seq > coalesce(published.seq, 0) or newest.run_id = '{{ env_var("FUND_RUN_ID", "by hand") }}'
        order by newest.region_code
    {%- endset -%}
    {%- set conditions = [] -%}
    {%- for region_code, after_seq in (run_query(query).rows if execute else []) -%}
        {%- do conditions.append("(region_code = '" ~ region_code ~ "' and event_seq > " ~ after_seq ~ ")") -%}
    {%- endfor -%}
    ({{ conditions | join(' or ') or 'false' }})
{%- endmacro %}
