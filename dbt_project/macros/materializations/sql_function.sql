{#-
    A table function, one model a function: the model's text is its query, `arguments` and `returns` its signature.
    The body is parsed when it is made (begin atomic), so that a function follows its relations when a schema is renamed and a
    missing column shows at deployment. It runs with the caller's rights and reads only what the caller may read.
    Rows of a mart are named by `setof marts.<name>`: in a replay, by those of its own schema.
    A view under it that is made anew takes the function with it; `ref` in the body makes dbt build it again after the view.
-#}
{% materialization sql_function, adapter='postgres' %}
    {%- set signature = this.identifier ~ '(' ~ config.require('arguments') ~ ')' -%}
    {%- set qualified = adapter.quote(this.schema) ~ '.' ~ signature -%}

    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% call statement('main') -%}
        do $drop$
        declare
            old regprocedure;
        begin
            for old in
                select p.oid::regprocedure from pg_catalog.pg_proc as p
                where p.pronamespace = to_regnamespace('{{ this.schema }}') and p.proname = '{{ this.identifier }}'
            loop
                execute format('drop function %s cascade', old);
            end loop;
        end
        $drop$;
        create function {{ qualified }} returns {{ config.require('returns') | replace('marts.', this.schema ~ '.') }}
        language sql stable parallel safe
        begin atomic
            {{ sql }};
        end;
        {% if model.description -%}
        comment on function {{ qualified }} is $comment${{ model.description }}$comment$;
        {%- endif %}
    {%- endcall %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ return({'relations': []}) }}
{% endmaterialization %}
