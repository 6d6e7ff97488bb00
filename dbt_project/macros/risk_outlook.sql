{#- When the forecast reserve falls below the red line of its month under the middle scenario: a CTE's body, `latest` being a CTE of (region_code,
    latest_month). months_until counts from the latest month, null within the whole forecast; numerator: months in reserve at its end.
    A region without a forecast has no row. -#}
{% macro risk_outlook() -%}
    select
        outlook.region_code,
        latest.latest_month as accounting_month,
        (array_agg(outlook.months_in_reserve order by outlook.outlook_month desc))[1] as numerator,
        count(*) as months_present,
        min(
            12 * (extract(year from outlook.outlook_month) - extract(year from latest.latest_month))
            + extract(month from outlook.outlook_month) - extract(month from latest.latest_month)
        ) filter (where outlook.months_in_reserve < threshold.red_below) as months_until,
        coalesce(bool_or(outlook.months_in_reserve < threshold.red_below), false) as is_short
    from {{ ref('reserve_outlook') }} as outlook
    inner join latest on outlook.region_code = latest.region_code
    left join lateral (
        {{ threshold_in_force('outlook.region_code', "'pooled_months_in_reserve'", last_day('outlook.outlook_month')) }}
    ) as threshold on true
    where outlook.scenario_code = 'mid' and outlook.outlook_month > latest.latest_month
    group by outlook.region_code, latest.latest_month
{%- endmacro %}
