{#-
    Watermarks are literals read before the build: they push down to each shard, and a rescan of events that led to no lines costs
    nothing but the scan. `own_column` is the model's own record of how far it got, so that a build that broke between two models
    is completed by the next one: each model takes exactly what it lacks, up to the built head.
-#}

{#-
    For the nightly audit (var `audit`) the models are compiled, never run: one text a model in which the region and the bounds are the
    tokens below. Filled in for some whole batches, it says what the table must hold of them, given what it holds of those before.
-#}
{% macro audit_tokens() -%}
    {{ return({'region': '__audit_region__', 'after': '__audit_after__', 'up_to': '__audit_up_to__', 'closings': '__audit_closings__'}) }}
{%- endmacro %}

{#- Of what a model has written itself, an audit may look at what lies before its bounds only. Nothing in a build. -#}
{% macro before_audited(seq_column) -%}
    {%- if var('audit', false) == true %} and {{ seq_column }} <= {{ audit_tokens().after }}{% endif -%}
{%- endmacro %}

{#- One row a region: (region_code, after, up_to), the events a model still has to take. -#}
{% macro pending_ranges(built_head, own_column) -%}
    {%- set query -%}
        select
            head.region_code,
            {% if is_incremental() -%}
            coalesce((
                select max(own.{{ own_column }}) from {{ this }} as own where own.region_code = head.region_code
            ), 0) as after_seq,
            {%- else -%}
            0 as after_seq,
            {%- endif %}
            max(head.seq) as up_to_seq
        from {{ built_head }} as head
        group by head.region_code
        order by head.region_code
    {%- endset -%}
    {{ return(run_query(query).rows if execute else []) }}
{%- endmacro %}

{#- Condition on (region_code, seq_column): the events after the model's own watermark up to the built head. -#}
{% macro pending(built_head, own_column, seq_column='event_seq') -%}
    {%- if var('audit', false) == true -%}
        {%- set token = audit_tokens() -%}
        {{ return(
            "(region_code = '" ~ token.region ~ "' and " ~ seq_column ~ " > " ~ token.after ~ " and " ~ seq_column ~ " <= " ~ token.up_to ~ ")"
        ) }}
    {%- endif -%}
    {%- set conditions = [] -%}
    {%- for region_code, after_seq, up_to_seq in pending_ranges(built_head, own_column) if after_seq < up_to_seq -%}
        {%- do conditions.append(
            "(region_code = '" ~ region_code ~ "' and " ~ seq_column ~ " > " ~ after_seq ~ " and " ~ seq_column ~ " <= " ~ up_to_seq ~ ")"
        ) -%}
    {%- endfor -%}
    ({{ conditions | join(' or ') or 'false' }})
{%- endmacro %}

{#- Regions with a closing event (merger, year end) among the pending ones: only these look back into the journal. -#}
{% macro regions_closing(built_head, closing, own_column) -%}
    {%- if var('audit', false) == true -%}
        {{ return([audit_tokens().region]) }}
    {%- endif -%}
    {%- set query -%}
        select distinct region_code from {{ closing }}
        where {{ pending(built_head, own_column, 'closing_seq') }}
        order by region_code
    {%- endset -%}
    {{ return(run_query(query).columns[0].values() | list if execute else []) }}
{%- endmacro %}

{#- Condition on (region_code, event_seq): journal lines that account_turnover has not taken. Not by ref, which would put whoever asks
    behind the turnover. -#}
{% macro lines_without_turnover(built_head) -%}
    {%- set turnover = adapter.get_relation(built_head.database, built_head.schema, 'account_turnover') if execute -%}
    {%- set conditions = [] -%}
    {%- if execute -%}
        {%- set query -%}
            select
                head.region_code,
                {% if turnover -%}
                coalesce((select max(own.last_seq) from {{ turnover }} as own where own.region_code = head.region_code), 0)
                {%- else -%}
                0
                {%- endif %} as after_seq
            from {{ built_head }} as head
            group by head.region_code
            order by head.region_code
        {%- endset -%}
        {%- for region_code, after_seq in run_query(query).rows -%}
            {%- do conditions.append("(region_code = '" ~ region_code ~ "' and event_seq > " ~ after_seq ~ ")") -%}
        {%- endfor -%}
    {%- endif -%}
    ({{ conditions | join(' or ') or 'false' }})
{%- endmacro %}

{#- Codes as a list of literals. -#}
{% macro quoted(codes) -%}
    {%- for code in codes -%} '{{ code }}'{{ ', ' if not loop.last }} {%- endfor -%}
{%- endmacro %}
