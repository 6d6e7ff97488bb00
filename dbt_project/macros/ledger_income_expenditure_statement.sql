{#- Income and expenditure statement: one row a (region, fund, month, line, sub-fund). -#}
{% macro ledger_income_expenditure_statement(bound) -%}
with {{ ledger_line_month(bound, 'income_expenditure') }},

-- Books opened in the course of a year know nothing of the months before: the year to date is marked.
opened_within_year as (
    select distinct opening.region_code, opening.fund_code, extract(year from opening.opened_on) as opening_year
    {%- if bound is mapping %}
    from {{ ref('book_opening') }} as opening
    where opening.region_code = {{ bound.region }} and opening.first_seq <= (select seq from head)
    {%- else %}
    from ({{ ledger_book_opening() }}) as opening
    inner join head on head.region_code = opening.region_code and opening.first_seq <= head.seq
    where true
    {%- endif %}
        and extract(doy from opening.opened_on) <> 1
),

shown as (
    select
        line_month.*,
        case shown_as when 'opening' then balance - amount when 'closing' then balance else amount end as amount_month,
        case shown_as when 'opening' then balance - year_to_date when 'closing' then balance else year_to_date end as amount_year_to_date
    from line_month
)

select
    shown.region_code,
    shown.fund_code,
    shown.accounting_month,
    shown.line_code,
    shown.line_name,
    shown.sub_fund,
    shown.amount_month::numeric(18, 2) as amount_month,
    shown.amount_year_to_date::numeric(18, 2) as amount_year_to_date,
    opened_within_year.opening_year is null as year_to_date_complete
from shown
left join opened_within_year
    on opened_within_year.region_code = shown.region_code and opened_within_year.fund_code = shown.fund_code
    and opened_within_year.opening_year = extract(year from shown.accounting_month)
{%- endmacro %}

{#- Dates on which books were opened with a balance, and the seq from which that is known. -#}
{% macro ledger_book_opening() -%}
    select event.region_code, event.fund_code, event.occurred_on as opened_on, min(event.seq) as first_seq
    from {{ source('events', 'event') }} as event
    where event.event_type = 'balance.opened' and event.amount <> 0
    group by event.region_code, event.fund_code, event.occurred_on
{%- endmacro %}
