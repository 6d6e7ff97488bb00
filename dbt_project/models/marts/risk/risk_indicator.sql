-- The list of figures beside each row reads that row alone: its names need no qualification.
-- noqa: disable=RF02,RF03
with month as materialized (
    select * from {{ ref('fund_month') }}
),

latest as (
    select
        region_code,
        max(accounting_month) as latest_month
    from month
    group by region_code
),

summed as (
    select
        *,
        count(*) over last_twelve as months_in_window,
        sum(pooled_expenditure) over last_twelve as expenditure_in_window,
        count(*) filter (where is_merged) over last_twelve as merged_months,
        sum(pooled_expenditure) filter (where is_merged) over last_twelve as merged_expenditure,
        sum(maternity_expenditure) filter (where is_merged) over last_twelve as merged_maternity,
        count(*) over this_year as months_in_year,
        sum(pooled_income) over this_year as income_in_year,
        sum(pooled_expenditure_in_all) over this_year as expenditure_in_year,
        -- Months run on without gaps, so that twelve rows before is the same month of the year before.
        lag(both_funds_income, 12) over each_region as income_year_before,
        lag(both_funds_expenditure, 12) over each_region as expenditure_year_before,
        lag(both_funds_maternity, 12) over each_region as maternity_year_before
    from month
    window
        each_region as (partition by region_code order by accounting_month),
        last_twelve as (
            partition by region_code order by accounting_month rows between 11 preceding and current row
        ),
        this_year as (partition by region_code, extract(year from accounting_month) order by accounting_month)
),

paired as (
    select
        *,
        count(income_year_before) over this_year as months_paired,
        sum(both_funds_income) filter (where income_year_before is not null) over this_year as income_paired,
        sum(income_year_before) over this_year as income_before,
        sum(both_funds_expenditure) filter (where income_year_before is not null) over this_year as expenditure_paired,
        sum(expenditure_year_before) over this_year as expenditure_before,
        sum(both_funds_maternity) filter (where income_year_before is not null) over this_year as maternity_paired,
        sum(maternity_year_before) over this_year as maternity_before
    from summed
    window this_year as (partition by region_code, extract(year from accounting_month) order by accounting_month)
),

from_statements as (
    select
        paired.region_code,
        paired.accounting_month,
        figure.indicator_code,
        figure.numerator,
        figure.denominator,
        figure.value,
        figure.months_present
    from paired
    cross join lateral (
        values
        (
            'pooled_months_in_reserve', pooled_balance, expenditure_in_window,
            {{ months_in_reserve('pooled_balance', 'expenditure_in_window', 'months_in_window') }}, months_in_window
        ),
        ('current_balance', pooled_income, pooled_expenditure_in_all, pooled_income - pooled_expenditure_in_all, 1),
        ('current_balance_year_to_date', income_in_year, expenditure_in_year, income_in_year - expenditure_in_year, months_in_year),
        (
            'current_balance_rate', income_in_year - expenditure_in_year, income_in_year,
            {{ share('income_in_year - expenditure_in_year', 'income_in_year') }}, months_in_year
        ),
        ('income_growth', income_paired, income_before, {{ growth('income_paired', 'income_before') }}, months_paired),
        (
            'expenditure_growth', expenditure_paired, expenditure_before,
            {{ growth('expenditure_paired', 'expenditure_before') }}, months_paired
        ),
        (
            'growth_gap', round({{ growth('income_paired', 'income_before') }}, 6),
            round({{ growth('expenditure_paired', 'expenditure_before') }}, 6),
            {{ growth('income_paired', 'income_before') }} - {{ growth('expenditure_paired', 'expenditure_before') }}, months_paired
        ),
        ('maternity_share', merged_maternity, merged_expenditure, {{ share('merged_maternity', 'merged_expenditure') }}, merged_months),
        ('maternity_growth', maternity_paired, maternity_before, {{ growth('maternity_paired', 'maternity_before') }}, months_paired),
        ('personal_account_balance', personal_balance, null, personal_balance, 1)
    ) as figure (indicator_code, numerator, denominator, value, months_present)
),

cost as materialized (
    select
        region_code,
        accounting_month,
        institution_code,
        benefit_item,
        case_count,
        caesarean_count,
        cost_per_case,
        peer_median,
        cost_ratio
    from {{ ref('institution_cost_per_case') }}
),

highest_cost as (
    select distinct on (cost.region_code, cost.accounting_month)
        cost.region_code,
        cost.accounting_month,
        cost.cost_per_case as numerator,
        cost.peer_median as denominator,
        cost.cost_ratio as value
    from cost
    where cost.cost_ratio is not null
    order by
        cost.region_code asc, cost.accounting_month asc, cost.cost_ratio desc, cost.benefit_item asc, cost.institution_code asc
),

caesarean as (
    select
        region_code,
        accounting_month,
        sum(caesarean_count) as numerator,
        sum(case_count) as denominator
    from cost
    where benefit_item = 'delivery'
    group by region_code, accounting_month
),

premium as materialized (
    select
        arrears.region_code,
        arrears.contribution_month,
        sum(arrears.assessed_amount) as assessed_amount,
        sum(arrears.arrears_amount) as arrears_amount
    from {{ ref('contribution_arrears') }} as arrears
    group by arrears.region_code, arrears.contribution_month
),

owed as (
    select
        month.region_code,
        month.accounting_month,
        sum(premium.arrears_amount) as numerator,
        sum(premium.assessed_amount) as denominator,
        count(*) as months_present
    from month
    inner join premium
        on
            month.region_code = premium.region_code
            and month.accounting_month - interval '12 months' <= premium.contribution_month
            and month.accounting_month > premium.contribution_month
    group by month.region_code, month.accounting_month
),

-- Both accounts in every region, also where nothing is open: then the oldest is of today.
temporary as (
    select
        latest.region_code,
        latest.latest_month as accounting_month,
        account.indicator_code,
        coalesce(sum(item.open_amount), 0) as numerator,
        coalesce(max(item.age_days), 0) as value
    from latest
    cross join (values ('1101', 'temporary_payment_days'), ('2001', 'temporary_receipt_days')) as account (account_code, indicator_code)
    left join {{ ref('temporary_item') }} as item
        on latest.region_code = item.region_code and account.account_code = item.account_code
    group by latest.region_code, latest.latest_month, account.indicator_code
),

outlook as (
    {{ risk_outlook() }}
),

indicator as (
    select region_code, accounting_month, indicator_code, numerator, denominator, value, months_present, false as is_fine
    from from_statements
    union all
    select
        month.region_code, month.accounting_month, 'institution_cost_ratio', highest_cost.numerator, highest_cost.denominator,
        highest_cost.value, extract(month from month.accounting_month)::bigint, false
    from month
    left join highest_cost on month.region_code = highest_cost.region_code and month.accounting_month = highest_cost.accounting_month
    union all
    select
        month.region_code, month.accounting_month, 'caesarean_share', caesarean.numerator, caesarean.denominator,
        {{ share('caesarean.numerator', 'caesarean.denominator') }}, extract(month from month.accounting_month)::bigint, false
    from month
    left join caesarean on month.region_code = caesarean.region_code and month.accounting_month = caesarean.accounting_month
    union all
    select
        month.region_code, month.accounting_month, 'arrears_rate', owed.numerator, owed.denominator,
        {{ share('owed.numerator', 'owed.denominator') }}, coalesce(owed.months_present, 0), false
    from month
    left join owed on month.region_code = owed.region_code and month.accounting_month = owed.accounting_month
    union all
    select region_code, accounting_month, indicator_code, numerator, null, value, 1, false
    from temporary
    union all
    select region_code, accounting_month, 'months_until_insufficient', numerator, null, months_until, months_present, not is_short
    from outlook
)

select
    indicator.region_code,
    indicator.accounting_month,
    indicator.indicator_code,
    definition.name_zh,
    definition.name_en,
    indicator.value::numeric(24, 6) as value,
    indicator.numerator::numeric(24, 6) as numerator,
    indicator.denominator::numeric(24, 6) as denominator,
    definition.unit,
    indicator.months_present::integer as months_present,
    case when indicator.is_fine then 'green' else {{ risk_level('indicator.value', 'threshold') }} end as level,
    nullif(concat_ws(
        '; ',
        'red < ' || trim_scale(threshold.red_below),
        'yellow < ' || trim_scale(threshold.yellow_below),
        'yellow_high > ' || trim_scale(threshold.yellow_above),
        'excessive > ' || trim_scale(threshold.excessive_above)
    ), '') as threshold,
    threshold.red_below,
    threshold.yellow_below,
    threshold.yellow_above,
    threshold.excessive_above,
    threshold.effective_from as threshold_effective_from,
    threshold.known_from as threshold_known_from,
    threshold.status as threshold_status,
    threshold.source as threshold_source,
    definition.formula_zh,
    definition.formula_en,
    definition.indicator_order
from indicator
inner join {{ ref('risk_indicator_definition') }} as definition on indicator.indicator_code = definition.indicator_code
left join lateral (
    {{ threshold_in_force('indicator.region_code', 'indicator.indicator_code', last_day('indicator.accounting_month')) }}
) as threshold on true
where {{ readable('indicator.region_code') }}
