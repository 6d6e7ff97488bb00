{#- Schemas carry the names finance staff know (events, policy, ledger, marts), never a developer's prefix. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
