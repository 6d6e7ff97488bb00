-- Both funds together: so that the merger, which moves the maternity line from one to the other, is no break in a series. A temporary
-- relief of premiums isn't one either: forecasts are made of the full value, the outlook takes off the relief of the months ahead.
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

-- What of the employers' rate was due in a month, the types of employers weighted by their bases.
due as (
    select
        region_code,
        contribution_month,
        {{ share('sum(contribution_base * employer_rate_due)', 'sum(contribution_base * employer_rate)') }} as due_share
    from {{ ref('rate_base') }}
    group by region_code, contribution_month
),

relieved as (
    select
        line.region_code,
        line.accounting_month,
        coalesce(
            due.due_share,
            {{ share(
                employer_rate_of('line.region_code', 'null::text', 'line.accounting_month', relieved=true),
                employer_rate_of('line.region_code', 'null::text', 'line.accounting_month'),
            ) }},
            1
        ) as due_share
    from line
    left join due on line.region_code = due.region_code and line.accounting_month = due.contribution_month
),

month as (
    select
        line.*,
        {{ at_full_rate('line.employer_contribution', 'relieved.due_share') }} - line.employer_contribution as relief,
        coalesce(delivery.deliveries, 0) as deliveries,
        {{ per_case('delivery.amount', 'delivery.deliveries') }} as cost_per_delivery,
        assessed.persons as assessed_employees,
        {{ month_is_complete('line.accounting_month', 'head', 'closed') }} as is_complete
    from line
    inner join head on line.region_code = head.region_code
    inner join relieved on line.region_code = relieved.region_code and line.accounting_month = relieved.accounting_month
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
    month.is_complete,
    (series.series_value + series.relief)::numeric(24, 2) as full_value
from month
cross join lateral (
    values
    ('contribution_income', month.contribution_income, month.relief, true),
    ('employer_contribution', month.employer_contribution, month.relief, true),
    ('other_income', month.pooled_income - month.contribution_income, 0, true),
    ('pooled_income', month.pooled_income, month.relief, true),
    ('pooled_expenditure', month.pooled_expenditure, 0, true),
    ('pooled_net', month.pooled_income - month.pooled_expenditure, month.relief, true),
    ('maternity_medical', month.maternity_medical, 0, true),
    ('maternity_allowance', month.maternity_allowance, 0, true),
    ('other_expenditure', month.pooled_expenditure - month.maternity_medical - month.maternity_allowance, 0, true),
    ('deliveries', month.deliveries, 0, true),
    ('cost_per_delivery', month.cost_per_delivery, 0, true),
    ('assessed_employees', month.assessed_employees, 0, true),
    -- what was not collected never came into the balance
    ('pooled_balance', month.pooled_balance, 0, false)
) as series (series_code, series_value, relief, is_flow)
