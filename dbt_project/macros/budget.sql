{#- Which lines a line of the income and expenditure statement adds up, read from the layout's own formula: line_code, part_code, sign. Lines
    that accounts make up have no parts, nor have the opening and closing balances. -#}
{% macro statement_line_part() -%}
    select
        line.line_code,
        part.said[2] as part_code,
        case when part.said[1] = '-' then -1 else 1 end as sign
    from {{ ref('statement_line') }} as line
    cross join lateral regexp_matches(line.formula, '([+-]?) ?([IE][0-9]+)', 'g') as part (said)
    where line.statement = 'income_expenditure' and line.formula ~ '^[IE][0-9]+( [+-] [IE][0-9]+)+$'
{%- endmacro %}

{#- The budget of each line as known last: one row a region, fund, year, line and adjustment. -#}
{% macro known_budget() -%}
    select distinct on (known.region_code, known.fund_code, known.budget_year, known.line_code, known.adjustment_no) known.*
    from {{ ref('budget') }} as known
    where {{ readable('known.region_code') }}
    order by
        known.region_code asc, known.fund_code asc, known.budget_year asc, known.line_code asc, known.adjustment_no asc,
        known.known_from desc
{%- endmacro %}

{#- Which of the five explanations a budget row lacks, Chinese and English; null when it has all of them. -#}
{% macro explanations_missing(row) -%}
    nullif(concat_ws(
        '；',
        case when coalesce(trim({{ row }}.principle), '') = '' then '编制原则 / principles' end,
        case when coalesce(trim({{ row }}.policy_basis), '') = '' then '政策依据 / policy basis' end,
        case when coalesce(trim({{ row }}.data_source), '') = '' then '数据来源 / source of the data' end,
        case when coalesce(trim({{ row }}.forecast_basis), '') = '' then '预测及计算依据 / forecast and its basis' end,
        case when coalesce(trim({{ row }}.change_reason), '') = '' then '增减变化原因 / reasons for the change' end
    ), '')
{%- endmacro %}
