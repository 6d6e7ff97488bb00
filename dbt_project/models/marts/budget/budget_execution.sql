with known as materialized (
    {{ known_budget() }}
),

budgeted_year as (
    select distinct region_code, fund_code, budget_year from known
),

executed as (
    select
        statement.region_code,
        statement.fund_code,
        statement.accounting_month,
        extract(year from statement.accounting_month)::integer as budget_year,
        statement.line_code,
        statement.line_name,
        statement.amount_month,
        statement.amount_year_to_date,
        count(*) over (
            partition by
                statement.region_code, statement.fund_code, statement.line_code, extract(year from statement.accounting_month)
            order by statement.accounting_month
        ) as months_present
    from {{ ref('income_expenditure_statement') }} as statement
    where statement.sub_fund = 'total' and (statement.line_code ~ '^[IE]' or statement.line_code = 'S10')
),

-- An adjustment counts from the month in which it was approved; the original budget always.
budgeted as (
    select
        executed.*,
        original.amount as original_amount,
        adjusted.amount as adjusted_amount,
        adjusted.adjustment_no,
        adjusted.approved_on,
        adjusted.approved_by,
        adjusted.principle,
        adjusted.policy_basis,
        adjusted.data_source,
        adjusted.forecast_basis,
        adjusted.change_reason,
        adjusted.status,
        adjusted.source,
        adjusted.missing
    from executed
    inner join budgeted_year
        on
            executed.region_code = budgeted_year.region_code
            and executed.fund_code = budgeted_year.fund_code
            and executed.budget_year = budgeted_year.budget_year
    left join known as original
        on
            executed.region_code = original.region_code
            and executed.fund_code = original.fund_code
            and executed.budget_year = original.budget_year
            and executed.line_code = original.line_code
            and original.adjustment_no = 0
    left join lateral (
        select
            known.*,
            {{ explanations_missing('known') }} as missing
        from known
        where
            known.region_code = executed.region_code
            and known.fund_code = executed.fund_code
            and known.budget_year = executed.budget_year
            and known.line_code = executed.line_code
            and (known.adjustment_no = 0 or known.approved_on <= {{ last_day('executed.accounting_month') }})
        order by known.adjustment_no desc
        limit 1
    ) as adjusted on true
    -- An "of which" outside the sums has a budget only where somebody states one.
    where executed.line_code <> 'E1133' or adjusted.line_code is not null
),

compared as (
    select
        budgeted.*,
        budgeted.amount_year_to_date / nullif(budgeted.adjusted_amount, 0) as execution_rate,
        budgeted.months_present / 12.0 as expected_share
    from budgeted
),

judged as (
    select
        compared.*,
        -- The surplus has no time share: it is what income and expenditure leave.
        case when compared.line_code <> 'S10' then compared.execution_rate - compared.expected_share end as deviation
    from compared
)

select
    judged.region_code,
    judged.fund_code,
    judged.accounting_month,
    judged.budget_year,
    judged.line_code,
    judged.line_name,
    judged.original_amount,
    judged.adjusted_amount,
    judged.adjustment_no,
    judged.amount_month,
    judged.amount_year_to_date,
    round(judged.execution_rate, 6)::numeric(20, 6) as execution_rate,
    judged.months_present::integer as months_present,
    round(judged.expected_share, 6)::numeric(8, 6) as expected_share,
    round(judged.deviation, 6)::numeric(20, 6) as deviation,
    {{ risk_level('judged.deviation', 'deviation_limit') }} as deviation_level,
    case
        when judged.line_code like 'E%' and judged.adjusted_amount > 0
            then coalesce(judged.execution_rate > rate_limit.excessive_above, false)
        else coalesce(judged.line_code like 'E%' and judged.amount_year_to_date > 0, false)
    end as is_exceeded,
    judged.approved_on is not null as is_approved,
    judged.approved_on,
    judged.approved_by,
    judged.principle,
    judged.policy_basis,
    judged.data_source,
    judged.forecast_basis,
    judged.change_reason,
    case when judged.adjustment_no is not null then judged.missing end as explanations_missing,
    judged.status,
    judged.source
from judged
left join lateral (
    {{ threshold_in_force('judged.region_code', "'budget_execution_deviation'", last_day('judged.accounting_month')) }}
) as deviation_limit on true
left join lateral (
    {{ threshold_in_force('judged.region_code', "'budget_execution_rate'", last_day('judged.accounting_month')) }}
) as rate_limit on true
