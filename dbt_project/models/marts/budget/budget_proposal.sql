with recursive head as (
    {{ ledger_head('published') }}
),

part as (
    {{ statement_line_part() }}
),

-- Every line down to those that accounts make up: totals are sums of what is proposed for these, and add up by themselves.
leaf as (
    select
        line.line_code,
        line.line_code as leaf_code,
        1 as sign
    from {{ ref('statement_line') }} as line
    where
        line.statement = 'income_expenditure'
        and (line.line_code ~ '^[IE]' or line.line_code = 'S10')
        and line.line_code <> 'E1133'
    union all
    select
        leaf.line_code,
        part.part_code,
        leaf.sign * part.sign
    from leaf
    inner join part on leaf.leaf_code = part.line_code
),

made_of as (
    select line_code, leaf_code, sign
    from leaf
    where not exists (
        select from part
        where part.line_code = leaf.leaf_code
    )
),

monthly as (
    select
        statement.region_code,
        statement.fund_code,
        statement.accounting_month,
        extract(year from statement.accounting_month)::integer as base_year,
        statement.line_code,
        statement.amount_month
    from {{ ref('income_expenditure_statement') }} as statement
    where statement.sub_fund = 'total' and statement.line_code ~ '^[IE]'
),

merger as (
    select distinct on (region.region_code)
        region.region_code,
        region.merger_date,
        region.upper_documents
    from {{ ref('policy_region') }} as region
    order by region.region_code asc, region.known_from desc
),

-- One fund has one budget: of a year before the merger the maternity fund counts as well once the next year's budget is merged.
executed as (
    select
        monthly.region_code,
        monthly.base_year,
        monthly.line_code,
        bool_or(monthly.fund_code = 'MAT') as has_maternity_fund,
        sum(monthly.amount_month) as amount,
        count(distinct monthly.accounting_month) as months_present
    from monthly
    left join merger on monthly.region_code = merger.region_code
    where monthly.fund_code = 'EMI' or merger.merger_date <= make_date(monthly.base_year + 1, 1, 1)
    group by monthly.region_code, monthly.base_year, monthly.line_code
),

annual as (
    select
        executed.*,
        round({{ annualised('executed.amount', 'executed.months_present') }}, 2) as annual_amount
    from executed
),

known_factor as (
    select distinct on (known.region_code, known.fund_code, known.budget_year, known.line_code, known.factor_code) known.*
    from {{ ref('budget_factor') }} as known
    where known.fund_code = 'EMI'
    order by
        known.region_code asc, known.fund_code asc, known.budget_year asc, known.line_code asc, known.factor_code asc,
        known.known_from desc
),

factored as (
    select
        annual.region_code,
        annual.base_year,
        annual.line_code,
        known.factor_code,
        known.factor_zh,
        known.factor_en,
        known.basis,
        coalesce(known.amount, round(annual.annual_amount * known.percent, 2)) as amount,
        case when known.amount is null then to_char(known.percent * 100, 'FMS990.00') end as share_told
    from annual
    inner join known_factor as known
        on
            annual.region_code = known.region_code
            and known.budget_year = annual.base_year + 1
            and annual.line_code = known.line_code
),

factor as (
    select
        region_code,
        base_year,
        line_code,
        sum(amount) as amount,
        string_agg(
            concat(
                factor_zh, '：', share_told || '%，', to_char(amount, 'FMS999999999999990.00'), ' 元（依据：', basis, '） / ',
                factor_en, ': ', share_told || ' %, ', to_char(amount, 'FMS999999999999990.00'), ' yuan (basis: ', basis, ')'
            ),
            '；' order by factor_code
        ) as said
    from factored
    group by region_code, base_year, line_code
),

proposed as (
    select
        annual.region_code,
        annual.base_year,
        made_of.line_code,
        case when bool_or(annual.has_maternity_fund) then 'EMI + MAT' else 'EMI' end as funds,
        max(annual.months_present) as months_present,
        sum(made_of.sign * annual.amount) as base_amount,
        sum(made_of.sign * annual.annual_amount) as annual_amount,
        coalesce(sum(made_of.sign * factor.amount), 0) as factor_amount,
        string_agg(factor.said, '；' order by made_of.leaf_code) as factors,
        string_agg(distinct made_of.leaf_code, ' ' order by made_of.leaf_code) as made_of_lines
    from annual
    inner join made_of on annual.line_code = made_of.leaf_code
    left join factor
        on
            annual.region_code = factor.region_code
            and annual.base_year = factor.base_year
            and annual.line_code = factor.line_code
    group by annual.region_code, annual.base_year, made_of.line_code
),

-- The newest budget of the line that was approved for this year or before: its principle and basis go on.
approved as (
    select distinct on (proposed.region_code, proposed.base_year, proposed.line_code)
        proposed.region_code,
        proposed.base_year,
        proposed.line_code,
        known.principle,
        known.policy_basis,
        case when known.budget_year = proposed.base_year then known.amount end as current_budget_amount
    from proposed
    inner join ({{ known_budget() }}) as known
        on
            proposed.region_code = known.region_code
            and known.fund_code = 'EMI'
            and proposed.line_code = known.line_code
            and proposed.base_year >= known.budget_year
    order by
        proposed.region_code asc, proposed.base_year asc, proposed.line_code asc, known.budget_year desc, known.adjustment_no desc
)

select
    proposed.region_code,
    'EMI' as fund_code,
    (proposed.base_year + 1)::integer as budget_year,
    proposed.line_code,
    line.name_zh as line_name,
    proposed.made_of_lines <> proposed.line_code as is_total,
    proposed.months_present::integer as months_present,
    proposed.base_amount::numeric(18, 2) as base_amount,
    proposed.annual_amount::numeric(18, 2) as annual_amount,
    proposed.factor_amount::numeric(18, 2) as factor_amount,
    (proposed.annual_amount + proposed.factor_amount)::numeric(18, 2) as proposed_amount,
    approved.current_budget_amount::numeric(18, 2) as current_budget_amount,
    coalesce(
        nullif(trim(approved.principle), ''),
        '以收定支、收支平衡、略有结余 / expenditure by income, balanced with a small surplus'
    ) as principle,
    coalesce(nullif(trim(approved.policy_basis), ''), merger.upper_documents) as policy_basis,
    concat(
        'marts.income_expenditure_statement ', proposed.base_year, '（', proposed.funds, '，', proposed.months_present,
        ' 个月，已发布至序号 ', head.seq, '） / marts.income_expenditure_statement ', proposed.base_year, ' (', proposed.funds, ', ',
        proposed.months_present, ' months, published through seq ', head.seq, ')'
    ) as data_source,
    concat(
        proposed.base_year, ' 年已执行 ', proposed.base_amount, ' 元，',
        case
            when proposed.months_present < 12
                then concat('按 ', proposed.months_present, ' 个月折算全年（×12÷', proposed.months_present, '）')
            else '全年 '
        end,
        proposed.annual_amount, '，增减 ', proposed.factor_amount, '，合计 ', proposed.annual_amount + proposed.factor_amount,
        case when proposed.made_of_lines <> proposed.line_code then concat('，由所属行相加：', proposed.made_of_lines) end,
        ' / executed in ', proposed.base_year, ': ', proposed.base_amount, ' yuan, ',
        case
            when proposed.months_present < 12
                then concat(proposed.months_present, ' months made annual (×12÷', proposed.months_present, '): ')
            else 'whole year '
        end,
        proposed.annual_amount, ', changes ', proposed.factor_amount, ', proposed ', proposed.annual_amount + proposed.factor_amount,
        case when proposed.made_of_lines <> proposed.line_code then concat(', the sum of ', proposed.made_of_lines) end
    ) as forecast_basis,
    coalesce(proposed.factors, '无增减因素，与年化执行数持平 / no additions or reductions stated: as this year made annual') as change_reason
from proposed
inner join head on proposed.region_code = head.region_code
left join approved
    on
        proposed.region_code = approved.region_code
        and proposed.base_year = approved.base_year
        and proposed.line_code = approved.line_code
left join merger on proposed.region_code = merger.region_code
left join {{ ref('statement_line') }} as line
    on line.statement = 'income_expenditure' and proposed.line_code = line.line_code
