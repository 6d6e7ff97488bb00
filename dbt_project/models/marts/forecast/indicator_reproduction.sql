-- noqa: disable=LT05,AL08
-- Every branch gives the operands and the value of one formula; the macros are those of our own indicators.
with fund as (
    select
        *, lag(income) over by_year as income_before, lag(expenditure) over by_year as expenditure_before,
        lag(pooled_closing) over by_year as pooled_closing_before
    from {{ ref('reference_national_fund_year') }}
    where source_kind = 'bulletin'
    window by_year as (order by year)
),

maternity as (
    select *, lag(quick_expenditure) over (order by year) as quick_before
    from {{ ref('reference_national_maternity_year') }}
),

disclosed as (
    select
        disclosure_code, year,
        max(amount) filter (where item_code = 'income') as income,
        sum(amount) filter (where item_code like 'income\_%') as income_parts,
        max(amount) filter (where item_code = 'expenditure') as expenditure,
        max(amount) filter (where item_code = 'surplus') as surplus,
        max(amount) filter (where item_code = 'opening') as opening,
        max(amount) filter (where item_code = 'closing') as closing,
        sum(amount) filter (where item_code like 'asset\_%') as asset_parts,
        max(amount) filter (where item_code = 'closing_pooled') as closing_pooled,
        max(amount) filter (where item_code = 'closing_personal') as closing_personal
    from {{ ref('reference_local_disclosure') }}
    group by disclosure_code, year
),

-- The opening balance is what the same source gave as closing a year before, unless it is published itself.
disclosed_year as (
    select *, coalesce(opening, lag(closing) over (partition by disclosure_code order by year)) as opening_balance
    from disclosed
),

computed as (
    select
        'expenditure_per_visit' as indicator_code, 'national_maternity' as subject_code, year,
        expenditure as numerator, visits as denominator, {{ per_case('expenditure * 10000', 'visits') }} as value
    from maternity
    union all
    select 'benefit_per_capita', 'national_maternity', year, expenditure, visits, {{ per_case('expenditure * 10000', 'visits') }}
    from maternity
    union all
    select 'expenditure_per_insured', 'national_maternity', year, expenditure, insured, {{ per_case('expenditure * 10000', 'insured') }}
    from maternity
    union all
    select
        'months_in_reserve', 'national_maternity', year, quick_closing, quick_expenditure,
        {{ months_in_reserve('quick_closing', 'quick_expenditure', 12) }}
    from maternity
    union all
    select 'quick_growth', 'national_maternity', year, quick_expenditure, quick_before, 100 * {{ growth('quick_expenditure', 'quick_before') }}
    from maternity
    union all
    select
        'maternity_share_of_pooled', 'national', fund.year, maternity.expenditure, fund.pooled_expenditure,
        100 * {{ share('maternity.expenditure', 'fund.pooled_expenditure') }}
    from fund inner join maternity on fund.year = maternity.year
    union all
    select 'income_growth', 'national', year, income, income_before, 100 * {{ growth('income', 'income_before') }}
    from fund
    union all
    select 'expenditure_growth', 'national', year, expenditure, expenditure_before, 100 * {{ growth('expenditure', 'expenditure_before') }}
    from fund
    union all
    select
        'pooled_closing_roll', 'national', year, pooled_closing_before, {{ surplus('pooled_income', 'pooled_expenditure') }},
        pooled_closing_before + {{ surplus('pooled_income', 'pooled_expenditure') }}
    from fund
    union all
    select 'surplus', 'XR-11', year, pooled_income, pooled_expenditure, {{ surplus('pooled_income', 'pooled_expenditure') }}
    from fund
    union all
    select 'surplus_personal', 'XR-11', year, personal_income, personal_expenditure, {{ surplus('personal_income', 'personal_expenditure') }}
    from fund
    union all
    select 'income_of_sub_funds', 'XR-11', year, pooled_income, personal_income, pooled_income + personal_income
    from fund
    union all
    select 'expenditure_of_sub_funds', 'XR-11', year, pooled_expenditure, personal_expenditure, pooled_expenditure + personal_expenditure
    from fund
    union all
    select 'months_in_reserve', disclosure_code, year, closing, expenditure, {{ months_in_reserve('closing', 'expenditure', 12) }}
    from disclosed_year
    union all
    select 'surplus', disclosure_code, year, income, expenditure, {{ surplus('income', 'expenditure') }}
    from disclosed_year
    where disclosure_code <> 'XR-11'
    union all
    select 'closing_roll', disclosure_code, year, opening_balance, {{ surplus('income', 'expenditure') }}, opening_balance + {{ surplus('income', 'expenditure') }}
    from disclosed_year
    union all
    select 'income_sum', disclosure_code, year, income_parts, null, income_parts
    from disclosed_year
    union all
    select 'asset_sum', disclosure_code, year, asset_parts, null, asset_parts
    from disclosed_year
    union all
    select 'sub_fund_sum', disclosure_code, year, closing_pooled, closing_personal, closing_pooled + closing_personal
    from disclosed_year
),

formula (indicator_code, formula_zh, formula_en, unit) as (
    values
    ('expenditure_per_visit', '支出 ÷ 人次', 'expenditure ÷ visits', 'yuan'),
    ('benefit_per_capita', '支出 ÷ 人次（公布口径为每位享受待遇人员）', 'expenditure ÷ visits (published: per beneficiary)', 'yuan'),
    ('expenditure_per_insured', '支出 ÷ 参保人数', 'expenditure ÷ insured persons', 'yuan'),
    ('months_in_reserve', '累计结存 ÷（当年支出 ÷ 12）', 'closing balance ÷ (expenditure of the year ÷ 12)', 'months'),
    ('quick_growth', '快报本年 ÷ 快报上年 − 1', 'quick report of the year ÷ that of the year before − 1', 'percent'),
    ('maternity_share_of_pooled', '生育支出 ÷ 统筹基金支出', 'maternity expenditure ÷ pooled expenditure', 'percent'),
    ('income_growth', '本年收入 ÷ 上年收入 − 1', 'income ÷ income of the year before − 1', 'percent'),
    ('expenditure_growth', '本年支出 ÷ 上年支出 − 1', 'expenditure ÷ expenditure of the year before − 1', 'percent'),
    ('pooled_closing_roll', '上年末统筹结存 ＋（统筹收入 − 统筹支出）', 'pooled closing of the year before + (pooled income − pooled expenditure)', 'amount'),
    ('surplus', '收入 − 支出', 'income − expenditure', 'amount'),
    ('surplus_personal', '个人账户收入 − 支出', 'income − expenditure of the personal accounts', 'amount'),
    ('income_of_sub_funds', '统筹收入 ＋ 个人账户收入', 'pooled + personal income', 'amount'),
    ('expenditure_of_sub_funds', '统筹支出 ＋ 个人账户支出', 'pooled + personal expenditure', 'amount'),
    ('closing_roll', '年初结余 ＋（收入 − 支出）', 'opening balance + (income − expenditure)', 'amount'),
    ('income_sum', '各项收入之和', 'sum of the kinds of income', 'amount'),
    ('asset_sum', '各项资产之和', 'sum of the assets', 'amount'),
    ('sub_fund_sum', '统筹结余 ＋ 个人账户结余', 'pooled + personal balance', 'amount')
)

select
    published.indicator_code,
    published.subject_code,
    published.year,
    formula.formula_zh,
    formula.formula_en,
    formula.unit,
    computed.numerator::numeric(18, 4) as numerator,
    computed.denominator::numeric(18, 4) as denominator,
    published.published_value,
    computed.value::numeric(18, 4) as computed_value,
    (round(computed.value, published.decimals) - published.published_value)::numeric(18, 4) as difference,
    published.decimals,
    coalesce(round(computed.value, published.decimals) = published.published_value, false) as is_reproduced,
    published.reason_zh,
    published.reason_en,
    published.status,
    published.source
from {{ ref('reference_published_indicator') }} as published
inner join formula on published.indicator_code = formula.indicator_code
left join computed
    on published.indicator_code = computed.indicator_code and published.subject_code = computed.subject_code and published.year = computed.year
