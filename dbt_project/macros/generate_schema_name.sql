{#- Schemas carry the names finance staff know (events, policy, ledger, marts), never a developer's prefix.
    A replay (var `shadow`, a suffix) builds the same ledger and marts beside the live ones; log, policy and staging are shared. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set schema_name = (custom_schema_name or target.schema) | trim -%}
    {{ schema_name ~ (var('shadow', '') if schema_name in ('ledger', 'marts') else '') }}
{%- endmacro %}
