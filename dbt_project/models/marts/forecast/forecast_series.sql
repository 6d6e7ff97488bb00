-- Both funds together: so that the merger, which moves the maternity line from one to the other, is no break in a series.
with head as (
    {{ ledger_head('published') }}
),

line as (
    select
        region_code,
        accounting_month,
        sum(amount_month) filter (where line_code = 'I10' and sub_fund = 'pooled') as contribution_income,
        sum(amount_month) filter (where line_code = 'I11' and sub_fund = 'total') as employer_contribution,
        sum(amount_month) filter (where line_code = 'I60' and sub_fund = 'pooled') as pooled_income,
        sum(amount_month) filter (where line_code = 'E50' and sub_fund = 'pooled') as pooled_expenditure,
        sum(amount_month) filter (where line_code = 'E1131' and sub_fund = 'pooled') as maternity_medical,
        sum(amount_month) filter (where line_code = 'E1132' and sub_fund = 'pooled') as maternity_allowance,
        sum(amount_month) filter (where line_code = 'S30' and sub_fund = 'pooled') as pooled_balance
    from {{ ref('income_expenditure_statement') }}
    where line_code in ('I10', 'I11', 'I60', 'E50', 'E1131', 'E1132', 'S30') and sub_fund in ('pooled', 'total')
    group by region_code, accounting_month
),

delivery as (
    select region_code, accounting_month, sum(claim_count) as deliveries, sum(amount) as amount
    from {{ ref('maternity_expenditure') }}
    where benefit_item in ('delivery_normal', 'delivery_assisted', 'delivery_caesarean')
    group by region_code, accounting_month
),

assessed as (
    select delta.region_code, delta.contribution_month, sum(delta.person_change) as persons
    from {{ ref('employer_base_turnover') }} as delta
    inner join head on delta.region_code = head.region_code and delta.last_seq <= head.seq and {{ readable('delta.region_code') }}
    group by delta.region_code, delta.contribution_month
),

month as (
    select
        line.*,
        coalesce(delivery.deliveries, 0) as deliveries,
        {{ per_case('delivery.amount', 'delivery.deliveries') }} as cost_per_delivery,
        assessed.persons as assessed_employees,
        {{ month_is_complete('line.accounting_month', 'head', 'closed') }} as is_complete
    from line
    inner join head on line.region_code = head.region_code
    left join delivery on line.region_code = delivery.region_code and line.accounting_month = delivery.accounting_month
    left join assessed on line.region_code = assessed.region_code and line.accounting_month = assessed.contribution_month
    left join {{ ref('closed_period') }} as closed
        on line.region_code = closed.region_code and line.accounting_month = closed.accounting_month
)

select
    month.region_code,
    series.series_code,
    month.accounting_month,
    series.series_value::numeric(24, 2) as series_value,
    series.is_flow,
    month.is_complete
from month
cross join lateral (
    values
    ('contribution_income', month.contribution_income, true),
    ('employer_contribution', month.employer_contribution, true),
    ('other_income', month.pooled_income - month.contribution_income, true),
    ('pooled_income', month.pooled_income, true),
    ('pooled_expenditure', month.pooled_expenditure, true),
    ('pooled_net', month.pooled_income - month.pooled_expenditure, true),
    ('maternity_medical', month.maternity_medical, true),
    ('maternity_allowance', month.maternity_allowance, true),
    ('other_expenditure', month.pooled_expenditure - month.maternity_medical - month.maternity_allowance, true),
    ('deliveries', month.deliveries, true),
    ('cost_per_delivery', month.cost_per_delivery, true),
    ('assessed_employees', month.assessed_employees, true),
    ('pooled_balance', month.pooled_balance, false)
) as series (series_code, series_value, is_flow)
