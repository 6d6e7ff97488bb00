{#- CTEs head, turnover and calendar, which every statement starts from.
    turnover: account_turnover up to the head. calendar: one row a (region, fund, month) from the fund's first movement to the
    region's latest accounting month; the separate maternity fund ends with the month of the merger, or with its last
    movement should that be later. Not materialized, so that a reader's region and fund reach the table and its statistics. -#}
{% macro ledger_calendar(bound) -%}
head as (
    {{ ledger_head(bound) }}
),

turnover as {{ 'materialized' if bound is mapping else 'not materialized' }} (
    {%- if bound is mapping %}
    {{ as_of_turnover(bound) }}
    {%- else %}
    select
        delta.region_code, delta.fund_code, delta.accounting_month, delta.account_code, delta.sub_fund, delta.entry_kind,
        delta.debit_amount, delta.credit_amount
    from {{ ref('account_turnover') }} as delta
    inner join head on head.region_code = delta.region_code and delta.last_seq <= head.seq
    {%- endif %}
),

merger as (
    {{ ledger_merger(bound) }}
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
    {%- if bound is mapping %}
    where month.started_at::date = {{ bound.month }}
    {%- endif %}
)
{%- endmacro %}

{#- Month of the merger, one row a region, as known when the newest event up to the head was recorded: a merger date that becomes
    known later changes no earlier statement. A head without its batch (books written by hand) knows everything. -#}
{% macro ledger_merger(bound) -%}
    select distinct on (region.region_code)
        region.region_code, date_trunc('month', region.merger_date::timestamp)::date as merger_month
    from {{ ref('region_merger') if bound is mapping else ref('policy_region') }} as region
    inner join head on head.region_code = region.region_code
    left join {{ ref('recorded_batch') if bound is mapping else source('events', 'batch') }} as batch
        on batch.region_code = head.region_code and batch.first_seq <= head.seq and batch.last_seq >= head.seq
        {%- if bound is mapping %} and batch.region_code = {{ bound.region }}{% endif %}
    where
        region.known_from <= coalesce((batch.recorded_at at time zone 'Asia/Shanghai')::date, 'infinity'::date)
        {%- if bound is mapping %} and region.region_code = {{ bound.region }}{% endif %}
    order by region.region_code, region.known_from desc
{%- endmacro %}
