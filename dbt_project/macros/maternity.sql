{#- Benefit items of the maternity line, medical ones and cash. -#}
{% macro maternity_items() -%}
    {{ return(maternity_medical_items() + ['maternity_allowance', 'nutrition_subsidy']) }}
{%- endmacro %}

{#- The row of an effective-dated policy seed in force on a day: of several the one known last. -#}
{% macro in_force(rule, day) -%}
    {{ day }} between {{ rule }}.effective_from and coalesce({{ rule }}.effective_to, 'infinity')
{%- endmacro %}

{#- The newest value that a claim's events give for a column: its settlement's before its payments'. -#}
{% macro stated(column) -%}
    (array_agg(event.{{ column }} order by (event.event_type = 'claim.settled') desc, event.seq desc)
        filter (where event.{{ column }} is not null))[1]
{%- endmacro %}
