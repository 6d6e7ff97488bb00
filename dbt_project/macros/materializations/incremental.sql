{#-
    Instead of dbt's own: what is new goes into the table by one INSERT … SELECT. dbt would write it to a temporary table first and
    read it back, which is half of the work again, and then copy it without saying which columns.
    One transaction: a build that breaks leaves the table as it was. The table's columns must be the contract's; a model that has
    other columns is a new table, made by a replay.
-#}
{% materialization incremental, adapter='postgres' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set is_made = existing is none or should_full_refresh() -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% if is_made -%}
        {% if existing is not none %}{% do adapter.drop_relation(existing) %}{% endif %}
        {#- empty first, so that the guards see the first lines as well -#}
        {% call statement('make') %}
            {{ get_create_table_as_sql(False, target, 'select * from (' ~ sql ~ ') as shape where false') }}
        {% endcall %}
        {% do create_indexes(target) %}
    {%- else -%}
        {% do refuse_other_columns(existing) %}
    {%- endif %}
    {% do attach_guards(target) %}
    {#- closings add up millions of lines by account: in memory, and not by sorting them on disk -#}
    {% call statement('main') %}
        set local work_mem = '256MB';
        set local jit = off;
        insert into {{ target }} ({{ adapter.dispatch('get_column_names', 'dbt')() }})
        {{ get_select_subquery(sql) }}
    {% endcall %}

    {% do apply_grants(target, config.get('grants'), should_revoke=should_revoke(existing, is_made)) %}
    {% if is_made %}{% do persist_docs(target, model) %}{% endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- Triggers named by the model's meta: `guards`, and for closed_month `seq_column`. They are functions of the ingestion schema. -#}
{% macro attach_guards(relation) -%}
    {%- set meta = config.get('meta', {}) -%}
    {%- if meta.get('guards') -%}
        {% do run_query(
            "select events.guard_books('" ~ relation ~ "'::regclass, array['" ~ meta.guards | join("', '") ~ "'], "
            ~ ("'" ~ meta.seq_column ~ "'" if meta.get('seq_column') else 'null') ~ ")"
        ) %}
    {%- endif -%}
{%- endmacro %}

{% macro refuse_other_columns(relation) -%}
    {%- set held = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
    {%- set wanted = model.columns.keys() | list -%}
    {%- if held | sort != wanted | sort -%}
        {{ exceptions.raise_compiler_error(
            relation ~ ' has columns ' ~ held | join(', ') ~ ', its contract says ' ~ wanted | join(', ')
            ~ ': the books must be made anew by a replay'
        ) }}
    {%- endif -%}
{%- endmacro %}
