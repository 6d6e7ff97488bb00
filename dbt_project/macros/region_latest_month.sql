{#- Region's latest accounting month with turnover, up to the head: a CTE body, head being a CTE of (region_code, seq). -#}
{% macro region_latest_month() -%}
    select turnover.region_code, max(turnover.accounting_month) as latest_month
    from {{ ref('account_turnover') }} as turnover
    inner join head on turnover.region_code = head.region_code and turnover.last_seq <= head.seq
    group by turnover.region_code
{%- endmacro %}
