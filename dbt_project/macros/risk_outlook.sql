{#- When the forecast reserve falls below the red line: a CTE's body of region_code, accounting_month, numerator (months in reserve at the end of the
    forecast), months_present (of the forecast), value (months until the reserve is short, null within the forecast) and is_short.
    The forecast is another part's mart; without it the indicator has no rows. -#}
{% macro risk_outlook() -%}
    select
        null::text as region_code, null::date as accounting_month, null::numeric as numerator, null::bigint as months_present,
        null::numeric as months_until, null::boolean as is_short
    where false
{%- endmacro %}
