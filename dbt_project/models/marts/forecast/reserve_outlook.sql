-- noqa: disable=ST05
-- The path of the model, which is one at the full rate, moved by what the scenario adds each calendar year, less the relief of months
-- that have one; sums and products of exact numbers, all of it linear in the rate, so that marts.rate_review can solve for it.
with recursive head as (
    {{ ledger_head('published') }}
),

run as (
    {{ newest_forecast('head') }}
),

-- All components from the same month on, else there is no path.
start as (
    select region_code, max(last_month) as start_month
    from run
    where
        series_code in (
            'contribution_income', 'employer_contribution', 'other_income', 'maternity_medical', 'maternity_allowance',
            'other_expenditure', 'pooled_net'
        )
    group by region_code
    having min(last_month) = max(last_month) and count(*) = 7 and bool_and(model <> 'none')
),

actual as (
    select series.region_code, series.accounting_month, series.series_code, series.series_value, start.start_month
    from {{ ref('forecast_series') }} as series
    inner join start on series.region_code = start.region_code and series.accounting_month <= start.start_month
    where series.series_code in ('pooled_expenditure', 'pooled_balance')
),

model_month as (
    select
        run.region_code,
        point.month as outlook_month,
        point.horizon,
        start.start_month,
        max(point.mean) filter (where run.series_code = 'contribution_income') as contribution_income,
        max(point.mean) filter (where run.series_code = 'employer_contribution') as employer_contribution,
        max(point.mean) filter (where run.series_code = 'other_income') as other_income,
        max(point.mean) filter (where run.series_code = 'maternity_medical') as maternity_medical,
        max(point.mean) filter (where run.series_code = 'maternity_allowance') as maternity_allowance,
        max(point.mean) filter (where run.series_code = 'other_expenditure') as other_expenditure,
        max(point.cumulative_sd) filter (where run.series_code = 'pooled_net') as balance_sd
    from run
    inner join start on run.region_code = start.region_code
    inner join {{ source('forecast', 'point') }} as point on run.run_no = point.run_no
    group by run.region_code, point.month, point.horizon, start.start_month
),

weight as (
    {{ newest_base_weights() }}
),

scenario as (
    select distinct on (given.region_code, given.scenario_code, given.year) given.*
    from {{ ref('forecast_scenario') }} as given
    inner join head
        on given.region_code = head.region_code and given.known_from <= (head.published_at at time zone 'Asia/Shanghai')::date
    order by given.region_code asc, given.scenario_code asc, given.year asc, given.known_from desc
),

scenario_year as (
    select
        named.region_code,
        named.scenario_code,
        calendar.year,
        row_number() over (partition by named.region_code, named.scenario_code order by calendar.year) as place,
        coalesce(chosen.births_change, 0) as births_change,
        coalesce(chosen.cost_per_case_change, 0) as cost_per_case_change,
        coalesce(chosen.wage_change, 0) as wage_change,
        coalesce(chosen.insured_change, 0) as insured_change,
        chosen.employer_rate
    from (select distinct region_code, scenario_code from scenario) as named
    inner join (
        select distinct region_code, extract(year from outlook_month)::integer as year from model_month
    ) as calendar on named.region_code = calendar.region_code
    left join lateral (
        select given.*
        from scenario as given
        where
            given.region_code = named.region_code
            and given.scenario_code = named.scenario_code
            and given.year <= calendar.year
        order by given.year desc
        limit 1
    ) as chosen on true
),

factor as (
    select
        region_code, scenario_code, year, place, employer_rate,
        (1 + births_change)::numeric as births,
        (1 + cost_per_case_change)::numeric as cost_per_case,
        (1 + wage_change)::numeric as wage,
        (1 + insured_change)::numeric as insured
    from scenario_year
    where place = 1
    union all
    select
        later.region_code, later.scenario_code, later.year, later.place, later.employer_rate,
        factor.births * (1 + later.births_change),
        factor.cost_per_case * (1 + later.cost_per_case_change),
        factor.wage * (1 + later.wage_change),
        factor.insured * (1 + later.insured_change)
    from factor
    inner join scenario_year as later
        on factor.region_code = later.region_code and factor.scenario_code = later.scenario_code and later.place = factor.place + 1
),

rate as (
    select
        model_month.region_code,
        model_month.outlook_month,
        at_start.rate as rate_at_start,
        {{ weighted_employer_rate('model_month.region_code', 'model_month.outlook_month', 'weight') }} as rate_in_force,
        {{ weighted_employer_rate('model_month.region_code', 'model_month.outlook_month', 'weight', relieved=true) }} as rate_due
    from model_month
    inner join (
        select start.region_code, {{ weighted_employer_rate('start.region_code', 'start.start_month', 'weight') }} as rate
        from start
    ) as at_start on model_month.region_code = at_start.region_code
),

moved as (
    select
        model_month.region_code,
        factor.scenario_code,
        model_month.outlook_month,
        model_month.horizon,
        model_month.start_month,
        model_month.balance_sd,
        coalesce(factor.employer_rate, rate.rate_in_force) as employer_rate,
        coalesce({{ share('rate.rate_due', 'rate.rate_in_force') }}, 1) as due_share,
        {{ income_per_rate('model_month.employer_contribution * factor.wage * factor.insured', 'rate.rate_at_start') }}
        * coalesce({{ share('rate.rate_due', 'rate.rate_in_force') }}, 1) as income_per_rate,
        model_month.contribution_income * factor.wage * factor.insured as contribution_at_start_rate,
        model_month.employer_contribution * factor.wage * factor.insured as employers_at_start_rate,
        model_month.other_income,
        model_month.maternity_medical * factor.births * factor.cost_per_case
        + model_month.maternity_allowance * factor.births * factor.wage as maternity_expenditure,
        model_month.other_expenditure * factor.insured * factor.cost_per_case as other_expenditure
    from model_month
    inner join factor on model_month.region_code = factor.region_code and extract(year from model_month.outlook_month) = factor.year
    inner join rate on model_month.region_code = rate.region_code and model_month.outlook_month = rate.outlook_month
),

flow as (
    select
        *,
        -- The personal account's credit is a share of the base: what the rate adds or takes goes to the pool alone.
        (contribution_at_start_rate - employers_at_start_rate + employer_rate * income_per_rate)::numeric(24, 2) as contribution_income,
        (contribution_at_start_rate - employers_at_start_rate + employer_rate * income_per_rate + other_income)::numeric(24, 2)
            as pooled_income,
        (maternity_expenditure + other_expenditure)::numeric(24, 2) as pooled_expenditure
    from moved
),

spent as (
    select region_code, scenario_code, outlook_month as spent_month, pooled_expenditure
    from flow
    union all
    select actual.region_code, named.scenario_code, actual.accounting_month, actual.series_value
    from actual
    inner join (select distinct region_code, scenario_code from flow) as named on actual.region_code = named.region_code
    where actual.series_code = 'pooled_expenditure'
),

last_year as (
    select
        region_code,
        scenario_code,
        spent_month,
        sum(pooled_expenditure) over twelve as expenditure_12,
        count(*) over twelve as months_12
    from spent
    window twelve as (
        partition by region_code, scenario_code order by spent_month range between interval '11 months' preceding and current row
    )
),

accumulated as (
    select
        flow.*,
        actual.series_value + sum(flow.pooled_income - flow.pooled_expenditure) over (
            partition by flow.region_code, flow.scenario_code order by flow.outlook_month
        ) as pooled_balance
    from flow
    inner join actual
        on
            flow.region_code = actual.region_code and flow.start_month = actual.accounting_month
            and actual.series_code = 'pooled_balance'
),

balanced as (
    select
        *,
        pooled_balance - {{ normal_95() }} * balance_sd as balance_lower,
        pooled_balance + {{ normal_95() }} * balance_sd as balance_upper
    from accumulated
)

select
    balanced.region_code,
    balanced.scenario_code,
    balanced.outlook_month,
    balanced.pooled_balance::numeric(24, 2) as pooled_balance,
    balanced.pooled_income,
    balanced.pooled_expenditure,
    {{ months_in_reserve('balanced.pooled_balance', 'last_year.expenditure_12', 'last_year.months_12') }}::numeric(12, 2)
        as months_in_reserve,
    {{ months_in_reserve('balanced.balance_lower', 'last_year.expenditure_12', 'last_year.months_12') }}::numeric(12, 2)
        as months_in_reserve_lower,
    {{ months_in_reserve('balanced.balance_upper', 'last_year.expenditure_12', 'last_year.months_12') }}::numeric(12, 2)
        as months_in_reserve_upper,
    balanced.balance_lower::numeric(24, 2) as pooled_balance_lower,
    balanced.balance_upper::numeric(24, 2) as pooled_balance_upper,
    balanced.horizon,
    balanced.start_month,
    balanced.employer_rate::numeric(12, 9) as employer_rate,
    balanced.due_share::numeric(12, 9) as due_share,
    balanced.income_per_rate::numeric(24, 6) as income_per_rate,
    balanced.contribution_income,
    balanced.maternity_expenditure::numeric(24, 2) as maternity_expenditure,
    last_year.expenditure_12::numeric(24, 2) as expenditure_last_12_months,
    last_year.months_12::integer as months_counted
from balanced
inner join last_year
    on
        balanced.region_code = last_year.region_code and balanced.scenario_code = last_year.scenario_code
        and balanced.outlook_month = last_year.spent_month
