with line as (
    select
        statement.region_code,
        statement.fund_code,
        statement.accounting_month,
        statement.line_code,
        statement.amount_month
    from {{ ref('income_expenditure_statement') }} as statement
    where statement.line_code in ('I60', 'I90', 'E50', 'E90', 'E113') and statement.sub_fund = 'pooled'
),

-- One scan of either statement; a fund's months are those of its books.
monthly as (
    select
        line.region_code,
        line.accounting_month,
        coalesce(sum(line.amount_month) filter (where line.fund_code = 'EMI' and line.line_code = 'I90'), 0) as pooled_income,
        coalesce(sum(line.amount_month) filter (where line.fund_code = 'EMI' and line.line_code = 'E50'), 0) as pooled_expenditure,
        coalesce(sum(line.amount_month) filter (where line.fund_code = 'EMI' and line.line_code = 'E90'), 0) as pooled_expenditure_in_all,
        coalesce(sum(line.amount_month) filter (where line.fund_code = 'EMI' and line.line_code = 'E113'), 0) as maternity_expenditure,
        coalesce(sum(line.amount_month) filter (where line.line_code = 'I60'), 0) as both_funds_income,
        coalesce(sum(line.amount_month) filter (where line.line_code = 'E50'), 0) as both_funds_expenditure,
        coalesce(sum(line.amount_month) filter (where line.line_code = 'E113'), 0) as both_funds_maternity
    from line
    group by line.region_code, line.accounting_month
),

balance as (
    select
        sheet.region_code,
        sheet.accounting_month,
        max(sheet.closing_amount) filter (where sheet.line_code = 'N10') as pooled_balance,
        max(sheet.closing_amount) filter (where sheet.line_code = 'N20') as personal_balance
    from {{ ref('balance_sheet') }} as sheet
    where sheet.fund_code = 'EMI' and sheet.line_code in ('N10', 'N20') and sheet.sub_fund = 'total'
    group by sheet.region_code, sheet.accounting_month
),

merger as (
    select distinct on (region.region_code)
        region.region_code,
        date_trunc('month', region.merger_date::timestamp)::date as merger_month
    from {{ ref('policy_region') }} as region
    order by region.region_code asc, region.known_from desc
)

select
    balance.region_code,
    balance.accounting_month,
    coalesce(balance.accounting_month >= merger.merger_month, false) as is_merged,
    monthly.pooled_income::numeric(18, 2) as pooled_income,
    monthly.pooled_expenditure::numeric(18, 2) as pooled_expenditure,
    monthly.pooled_expenditure_in_all::numeric(18, 2) as pooled_expenditure_in_all,
    monthly.maternity_expenditure::numeric(18, 2) as maternity_expenditure,
    monthly.both_funds_income::numeric(18, 2) as both_funds_income,
    monthly.both_funds_expenditure::numeric(18, 2) as both_funds_expenditure,
    monthly.both_funds_maternity::numeric(18, 2) as both_funds_maternity,
    balance.pooled_balance::numeric(18, 2) as pooled_balance,
    balance.personal_balance::numeric(18, 2) as personal_balance
from balance
inner join monthly on balance.region_code = monthly.region_code and balance.accounting_month = monthly.accounting_month
left join merger on balance.region_code = merger.region_code
where {{ readable('balance.region_code') }}
