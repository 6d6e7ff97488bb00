{#- CTEs head, turnover and calendar, which every statement starts from.
    turnover: account_turnover up to the head. calendar: one row a (region, fund, month) from the fund's first movement to the
    region's latest accounting month; the separate maternity fund ends with the month of the merger, or with its last
    movement should that be later. Not materialized, so that a reader's region and fund reach the table and its statistics. -#}
{% macro ledger_calendar(bound) -%}
head as (
    {{ ledger_head(bound) }}
),

turnover as not materialized (
    select
        delta.region_code, delta.fund_code, delta.accounting_month, delta.account_code, delta.sub_fund, delta.entry_kind,
        delta.debit_amount, delta.credit_amount
    from {{ ref('account_turnover') }} as delta
    inner join head on head.region_code = delta.region_code and delta.last_seq <= head.seq
),

merger as (
    select distinct on (region_code) region_code, date_trunc('month', merger_date::timestamp)::date as merger_month
    from {{ ref('policy_region') }}
    order by region_code, known_from desc
),

fund_span as (
    select
        region_code, fund_code,
        min(accounting_month) as first_month,
        max(accounting_month) as last_month,
        max(max(accounting_month)) over (partition by region_code) as region_last_month
    from turnover
    group by region_code, fund_code
),

calendar as (
    select span.region_code, span.fund_code, month.started_at::date as accounting_month
    from fund_span as span
    left join merger on merger.region_code = span.region_code and span.fund_code = 'MAT'
    cross join lateral generate_series(
        span.first_month::timestamp,
        -- No merger month: EMI, or a region whose merger date is not known.
        case
            when merger.merger_month is null then span.region_last_month
            else least(span.region_last_month, greatest(merger.merger_month, span.last_month))
        end::timestamp,
        interval '1 month'
    ) as month (started_at)
)
{%- endmacro %}
