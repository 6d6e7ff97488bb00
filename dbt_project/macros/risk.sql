{#- Risk early warning: levels and thresholds in force. No figure stands here; all of them are rows of policy_threshold. The arithmetic is
    that of indicators.sql. -#}

{#- Level of a value under a row of policy_threshold. A border itself belongs to the better side: 3 months are yellow and not red, 6 and 9 are
    green, 15 yellow high. Null without a value is no_data; without any border there is no level. -#}
{% macro risk_level(value, limit) -%}
    case
        when {{ value }} is null then 'no_data'
        when {{ value }} < {{ limit }}.red_below then 'red'
        when {{ value }} > {{ limit }}.excessive_above then 'excessive'
        when {{ value }} < {{ limit }}.yellow_below then 'yellow'
        when {{ value }} > {{ limit }}.yellow_above then 'yellow_high'
        when num_nonnulls(
            {{ limit }}.red_below, {{ limit }}.yellow_below, {{ limit }}.yellow_above, {{ limit }}.excessive_above
        ) > 0 then 'green'
    end
{%- endmacro %}

{#- The row of policy_threshold in force on a day, of several the one known last: a lateral join's body. -#}
{% macro threshold_in_force(region, indicator, day) -%}
    select known.*
    from {{ ref('policy_threshold') }} as known
    where
        known.region_code = {{ region }}
        and known.indicator_code = {{ indicator }}
        and {{ in_force('known', day) }}
    order by known.known_from desc, known.effective_from desc
    limit 1
{%- endmacro %}

{#- Last day of a month given by its first. -#}
{% macro last_day(month) -%}
    ({{ month }} + interval '1 month' - interval '1 day')::date
{%- endmacro %}
