-- noqa: disable=ST05
{% set balance_proposed = 'proposed.fixed_part + proposed.proposed_rate * proposed.slope' %}
with month as (
    select
        region_code,
        accounting_month,
        extract(year from accounting_month)::integer as review_year,
        max(series_value) filter (where series_code = 'contribution_income') as contribution_income,
        max(series_value) filter (where series_code = 'employer_contribution') as employer_contribution,
        max(full_value) filter (where series_code = 'employer_contribution') as employer_contribution_full,
        max(series_value) filter (where series_code = 'pooled_income') as pooled_income,
        max(series_value) filter (where series_code = 'pooled_expenditure') as pooled_expenditure,
        sum(series_value) filter (where series_code in ('maternity_medical', 'maternity_allowance')) as maternity_expenditure,
        max(series_value) filter (where series_code = 'pooled_balance') as pooled_balance
    from {{ ref('forecast_series') }}
    where is_complete
    group by region_code, accounting_month
),

reviewed as (
    select
        region_code,
        review_year,
        count(*)::integer as months_present,
        min(accounting_month) as first_month,
        max(accounting_month) as last_month,
        sum(contribution_income) as contribution_income,
        sum(employer_contribution) as employer_contribution,
        -- without one of its months it is no sum of the year
        case when count(employer_contribution_full) = count(*) then sum(employer_contribution_full) end as employer_contribution_full,
        sum(pooled_income) as pooled_income,
        sum(pooled_expenditure) as pooled_expenditure,
        sum(maternity_expenditure) as maternity_expenditure,
        (array_agg(pooled_balance order by accounting_month desc))[1] as pooled_balance
    from month
    group by region_code, review_year
),

-- Expenditure of the twelve months to the year's last, or of as many as there are.
last_year as (
    select
        reviewed.region_code,
        reviewed.review_year,
        sum(month.pooled_expenditure) as expenditure_12,
        count(*)::integer as months_12
    from reviewed
    inner join month
        on
            reviewed.region_code = month.region_code
            and month.accounting_month between (reviewed.last_month - interval '11 months')::date and reviewed.last_month
    group by reviewed.region_code, reviewed.review_year
),

year_base as (
    select
        reviewed.region_code,
        reviewed.review_year,
        {{ share('sum(base.contribution_base * base.employer_rate)', 'sum(base.contribution_base)') }} as rate,
        {{ share('sum(base.contribution_base * base.employer_rate_due)', 'sum(base.contribution_base)') }} as rate_due
    from reviewed
    inner join {{ ref('rate_base') }} as base
        on reviewed.region_code = base.region_code and base.contribution_month between reviewed.first_month and reviewed.last_month
    group by reviewed.region_code, reviewed.review_year
),

rated as (
    select
        reviewed.*,
        last_year.expenditure_12,
        last_year.months_12,
        coalesce(year_base.rate, {{ employer_rate_of('reviewed.region_code', 'null::text', 'reviewed.last_month') }}) as rate,
        coalesce(
            year_base.rate_due,
            {{ employer_rate_of('reviewed.region_code', 'null::text', 'reviewed.last_month', relieved=true) }}
        ) as rate_due,
        year_base.rate is not null as rate_is_weighted,
        reviewed.review_year = max(reviewed.review_year) over (partition by reviewed.region_code) as is_newest
    from reviewed
    inner join last_year on reviewed.region_code = last_year.region_code and reviewed.review_year = last_year.review_year
    left join year_base on reviewed.region_code = year_base.region_code and reviewed.review_year = year_base.review_year
),

valued as (
    select
        *,
        employer_contribution_full - employer_contribution as relief,
        {{ income_per_rate('employer_contribution_full', 'rate') }} as per_rate,
        -- what a rate of 1 brought with the relief of those months
        {{ income_per_rate('employer_contribution', 'rate') }} as per_rate_relieved
    from rated
),

-- What the balance would be with a rate of zero, and what each unit of rate adds: balance = fixed + rate × slope.
ahead as (
    select
        outlook.region_code,
        outlook.scenario_code,
        outlook.horizon,
        outlook.outlook_month,
        outlook.start_month,
        outlook.expenditure_last_12_months,
        outlook.months_counted,
        outlook.months_in_reserve,
        outlook.pooled_balance - sum(outlook.employer_rate * outlook.income_per_rate) over so_far as fixed_part,
        sum(outlook.income_per_rate) over so_far as slope,
        first_value(outlook.employer_rate) over so_far as rate_now
    from {{ ref('reserve_outlook') }} as outlook
    window so_far as (partition by outlook.region_code, outlook.scenario_code order by outlook.outlook_month)
),

bound as (
    select
        ahead.*,
        {{ share('threshold.yellow_below * ahead.expenditure_last_12_months / ahead.months_counted - ahead.fixed_part', 'ahead.slope') }}
            as lowest_rate,
        {{ share('threshold.yellow_above * ahead.expenditure_last_12_months / ahead.months_counted - ahead.fixed_part', 'ahead.slope') }}
            as highest_rate,
        threshold.yellow_below as target_low,
        threshold.yellow_above as target_high
    from ahead
    left join lateral (
        {{ threshold_in_force('ahead.region_code', "'pooled_months_in_reserve'", last_day('ahead.outlook_month')) }}
    ) as threshold on true
    where ahead.horizon in (12, 24, 36)
),

ranged as (
    select
        region_code,
        scenario_code,
        min(start_month) as start_month,
        max(rate_now) as rate_now,
        max(target_low) as target_low,
        max(target_high) as target_high,
        max(lowest_rate) as lowest_every_year,
        min(highest_rate) as highest_every_year,
        max(lowest_rate) filter (where horizon = 36) as lowest_at_end,
        max(highest_rate) filter (where horizon = 36) as highest_at_end,
        max(fixed_part) filter (where horizon = 36) as fixed_part,
        max(slope) filter (where horizon = 36) as slope,
        max(expenditure_last_12_months) filter (where horizon = 36) as expenditure_12,
        max(months_counted) filter (where horizon = 36) as months_12,
        max(months_in_reserve) filter (where horizon = 36) as months_unchanged
    from bound
    group by region_code, scenario_code
    having count(*) = 3 and count(lowest_rate) = 3
),

-- One rate can't always hold the reserve within its bounds at the end of each of three years: then it brings it there by the third.
solved as (
    select
        *,
        case when lowest_every_year <= highest_every_year then 'every_year' else 'third_year' end as solved_for,
        case when lowest_every_year <= highest_every_year then lowest_every_year else lowest_at_end end as lowest_rate,
        case when lowest_every_year <= highest_every_year then highest_every_year else highest_at_end end as highest_rate
    from ranged
),

-- The rate within those bounds that changes the least, in whole steps: up to the next step when more is needed; down by as many
-- steps as are needed unless that would leave the bounds on the other side.
stepped as (
    select
        solved.*,
        least(greatest(solved.rate_now, solved.lowest_rate), solved.highest_rate) as needed_rate,
        rule.rate_step,
        rule.change_max,
        rule.rate_min,
        rule.rate_max,
        case
            when solved.rate_now < solved.lowest_rate
                then ceil((solved.lowest_rate - solved.rate_now) / rule.rate_step) * rule.rate_step
            when
                solved.rate_now > solved.highest_rate and solved.rate_now
                - ceil((solved.rate_now - solved.highest_rate) / rule.rate_step) * rule.rate_step >= solved.lowest_rate
                then -ceil((solved.rate_now - solved.highest_rate) / rule.rate_step) * rule.rate_step
            when solved.rate_now > solved.highest_rate
                then -floor((solved.rate_now - solved.highest_rate) / rule.rate_step) * rule.rate_step
            else 0
        end as stepped_change
    from solved
    left join lateral (
        select limited.* from {{ ref('rate_review_limit') }} as limited
        where limited.region_code = solved.region_code and {{ in_force('limited', 'solved.start_month') }}
        order by limited.known_from desc, limited.effective_from desc
        limit 1
    ) as rule on true
),

proposed as (
    select
        *,
        -- greatest and least skip nulls: without limits in force they would propose the rate of today
        case
            when rate_step is not null
                then
                    greatest(
                        least(rate_now + greatest(least(stepped_change, change_max), -change_max), greatest(rate_max, rate_now)),
                        least(rate_min, rate_now)
                    )
        end as proposed_rate
    from stepped
)

select
    valued.region_code,
    valued.review_year,
    scenario.scenario_code,
    valued.first_month,
    valued.last_month,
    valued.months_present,
    valued.rate::numeric(12, 9) as rate_in_force,
    valued.rate_is_weighted,
    valued.contribution_income::numeric(24, 2) as contribution_income,
    valued.employer_contribution::numeric(24, 2) as employer_contribution,
    (valued.per_rate / 100)::numeric(24, 2) as income_per_rate_point,
    ({{ annualised('valued.per_rate', 'valued.months_present') }} / 100)::numeric(24, 2) as income_per_rate_point_annualised,
    valued.pooled_income::numeric(24, 2) as pooled_income,
    valued.pooled_expenditure::numeric(24, 2) as pooled_expenditure,
    valued.maternity_expenditure::numeric(24, 2) as maternity_expenditure,
    {{ share('valued.maternity_expenditure', 'valued.pooled_expenditure') }}::numeric(9, 6) as maternity_share,
    {{ share('valued.maternity_expenditure', 'valued.per_rate') }}::numeric(12, 9) as maternity_rate,
    {{ balancing_rate('valued.rate', 'valued.pooled_income', 'valued.pooled_expenditure', 'valued.per_rate_relieved') }}::numeric(
        12, 9
    ) as balancing_rate,
    valued.pooled_balance::numeric(24, 2) as pooled_balance,
    {{ months_in_reserve('valued.pooled_balance', 'valued.expenditure_12', 'valued.months_12') }}::numeric(12, 2) as months_in_reserve,
    valued.expenditure_12::numeric(24, 2) as expenditure_last_12_months,
    valued.months_12 as months_counted,
    proposed.rate_now::numeric(12, 9) as rate_at_start,
    proposed.target_low::numeric(9, 2) as target_low,
    proposed.target_high::numeric(9, 2) as target_high,
    proposed.solved_for,
    proposed.lowest_rate::numeric(14, 11) as lowest_rate,
    proposed.highest_rate::numeric(14, 11) as highest_rate,
    proposed.needed_rate::numeric(14, 11) as needed_rate,
    proposed.proposed_rate::numeric(12, 9) as proposed_rate,
    (proposed.proposed_rate - proposed.rate_now)::numeric(12, 9) as proposed_change,
    case
        when proposed.proposed_rate is null then null
        when abs(proposed.stepped_change) > proposed.change_max then 'change_max'
        when proposed.rate_now + proposed.stepped_change not between proposed.rate_min and proposed.rate_max then 'rate_limits'
        else 'none'
    end as limited_by,
    proposed.months_unchanged::numeric(12, 2) as months_in_reserve_unchanged,
    {{ months_in_reserve(balance_proposed, 'proposed.expenditure_12', 'proposed.months_12') }}::numeric(12, 2)
        as months_in_reserve_proposed,
    proposed.fixed_part::numeric(28, 6) as balance_without_rate,
    proposed.slope::numeric(28, 6) as balance_per_rate,
    (proposed.expenditure_12 / proposed.months_12)::numeric(24, 6) as expenditure_per_month_ahead,
    valued.rate_due::numeric(12, 9) as rate_due,
    valued.relief::numeric(24, 2) as relief_amount,
    {{ balancing_rate('valued.rate', 'valued.pooled_income + valued.relief', 'valued.pooled_expenditure', 'valued.per_rate') }}::numeric(
        12, 9
    ) as balancing_rate_without_relief
from valued
-- The year as it was, and for the newest what lies ahead under each scenario.
cross join
    lateral (
        select 'actual' as scenario_code
        union all
        select ahead_of.scenario_code from proposed as ahead_of
        where ahead_of.region_code = valued.region_code and valued.is_newest
    ) as scenario
left join proposed on scenario.scenario_code = proposed.scenario_code and valued.region_code = proposed.region_code
where {{ readable('valued.region_code') }}
