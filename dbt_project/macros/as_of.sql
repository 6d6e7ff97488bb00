{#-
    The third bound of the statements, beside 'published' and 'built': what was known at a seq, for one month. Arguments are SQL
    expressions: `region` and `seq` those of a function, `month` the first day of a month.
    Its sources are marts, since a function runs with its caller's rights and readers have none on the ledger. Conditions
    stand on them as constants and single values: those pass a view's security barrier, joins do not.
-#}
{% macro as_of(region, month, seq) -%}
    {{ return({'region': region, 'month': "date_trunc('month', " ~ month ~ "::timestamp)::date", 'seq': seq}) }}
{%- endmacro %}

{#- One row, or none when the region has not published that seq (or the caller may not read the region).
    Turnover is kept by batch: what lies before `whole_before` counts as it is, from there on journal lines are taken. -#}
{% macro as_of_head(bound) -%}
    select
        batch.region_code,
        {{ bound.seq }} as seq,
        case when batch.last_seq = {{ bound.seq }} then batch.last_seq + 1 else batch.first_seq end as whole_before
    from {{ ref('recorded_batch') }} as batch
    where batch.region_code = {{ bound.region }} and batch.first_seq <= {{ bound.seq }} and batch.last_seq >= {{ bound.seq }}
{%- endmacro %}

{#- Turnover up to the seq. The statement of one month asks of every movement only whether it is of the month, of the year before it,
    of earlier years or later, and which layout of the statement it falls under: months are taken together accordingly, under
    the first of them that can stand for all, which leaves some hundred rows to be summed up. -#}
{% macro as_of_turnover(bound) -%}
{%- set layout_start = 'layout.starts[width_bucket(accounting_month, layout.starts)]' %}
    select
        region_code, fund_code, month_group as accounting_month, account_code, sub_fund, entry_kind,
        sum(debit_amount) as debit_amount, sum(credit_amount) as credit_amount
    from (
        select
            *,
            case
                when accounting_month > {{ bound.month }} then ({{ bound.month }} + interval '1 month')::date
                when accounting_month = {{ bound.month }} then {{ bound.month }}
                when accounting_month >= date_trunc('year', {{ bound.month }}::timestamp)::date
                    then greatest(date_trunc('year', {{ bound.month }}::timestamp)::date, {{ layout_start }})
                else coalesce(
                    {{ layout_start }},
                    least((date_trunc('year', {{ bound.month }}::timestamp) - interval '1 month')::date, (layout.starts[1] - interval '1 month')::date)
                )
            end as month_group
        from (
            select
                delta.region_code, delta.fund_code, delta.accounting_month, delta.account_code, delta.sub_fund, delta.entry_kind,
                delta.debit_amount, delta.credit_amount
            from {{ ref('turnover_register') }} as delta
            where delta.region_code = {{ bound.region }} and delta.last_seq < (select whole_before from head)
            union all
            select
                line.region_code, line.fund_code, line.accounting_month, line.account_code, line.sub_fund, line.entry_kind,
                line.debit_amount, line.credit_amount
            from {{ ref('general_ledger') }} as line
            where
                line.region_code = {{ bound.region }}
                and line.event_seq >= (select whole_before from head) and line.event_seq <= (select seq from head)
        ) as movement
        cross join (
            select array(
                select effective_from from {{ ref('statement_account') }} where effective_from is not null
                union
                select (effective_to + interval '1 month')::date from {{ ref('statement_account') }} where effective_to is not null
                order by 1
            ) as starts
        ) as layout
    ) as grouped
    group by region_code, fund_code, month_group, account_code, sub_fund, entry_kind
{%- endmacro %}

{#- Condition of the movements that a statement needs: of all months, or to the end of the month asked for. -#}
{% macro until_month(bound) -%}
    {%- if bound is mapping %}where accounting_month <= {{ bound.month }}{% endif -%}
{%- endmacro %}
