with line as (
    select
        statement.region_code,
        statement.fund_code,
        statement.accounting_month,
        max(statement.amount_month) filter (where statement.line_code = 'I90') as income,
        max(statement.amount_year_to_date) filter (where statement.line_code = 'I90') as income_year,
        max(statement.amount_month) filter (where statement.line_code = 'E90') as expenditure,
        max(statement.amount_year_to_date) filter (where statement.line_code = 'E90') as expenditure_year,
        max(statement.amount_month) filter (where statement.line_code = 'E113') as maternity,
        max(statement.amount_year_to_date) filter (where statement.line_code = 'E113') as maternity_year,
        max(statement.amount_month) filter (where statement.line_code = 'S10') as surplus,
        max(statement.amount_year_to_date) filter (where statement.line_code = 'S10') as surplus_year,
        max(statement.amount_month) filter (where statement.line_code = 'S30') as balance,
        bool_and(statement.year_to_date_complete) as is_complete
    from {{ ref('income_expenditure_statement') }} as statement
    where statement.sub_fund = 'total' and statement.line_code in ('I90', 'E90', 'E113', 'S10', 'S30')
    group by statement.region_code, statement.fund_code, statement.accounting_month
),

insured as (
    {{ insured_persons() }}
),

benefit as (
    select
        region_code,
        accounting_month,
        beneficiary_count,
        beneficiary_count_year_to_date
    from {{ ref('maternity_statistics') }}
),

merger as (
    select distinct on (region.region_code)
        region.region_code,
        region.merger_date,
        date_trunc('month', region.merger_date::timestamp)::date as merger_month
    from {{ ref('policy_region') }} as region
    order by region.region_code asc, region.known_from desc
),

-- Beneficiaries are told with the fund that pays them: the maternity fund before the merger, the merged one after it.
told as (
    select
        line.*,
        merger.merger_date,
        coalesce(line.accounting_month >= merger.merger_month, false) as is_merged,
        rule.due_day,
        rule.small_number_below,
        case line.fund_code when 'EMI' then insured.participant_count end as participants,
        case
            when line.fund_code = 'MAT' or line.accounting_month >= merger.merger_month then insured.maternity_participant_count
        end as maternity_participants,
        case
            when line.fund_code = 'MAT' or line.accounting_month >= merger.merger_month then benefit.beneficiary_count
        end as beneficiaries,
        case
            when line.fund_code = 'MAT' or line.accounting_month >= merger.merger_month then benefit.beneficiary_count_year_to_date
        end as beneficiaries_year
    from line
    left join merger on line.region_code = merger.region_code
    left join insured on line.region_code = insured.region_code and line.accounting_month = insured.insured_month
    left join benefit on line.region_code = benefit.region_code and line.accounting_month = benefit.accounting_month
    left join lateral (
        select
            known.due_day,
            known.small_number_below
        from {{ ref('disclosure_calendar') }} as known
        where known.region_code = line.region_code and {{ in_force('known', 'line.accounting_month') }}
        order by known.known_from desc, known.effective_from desc
        limit 1
    ) as rule on true
    -- The month of the merger leaves the maternity fund empty: its figures are in the merged fund.
    where line.fund_code = 'EMI' or merger.merger_month is null or line.accounting_month < merger.merger_month
)

select
    told.region_code,
    told.fund_code,
    told.accounting_month,
    {{ not_small('told.participants') }} as participant_count,
    {{ not_small('told.maternity_participants') }} as maternity_participant_count,
    {{ not_small('told.beneficiaries') }} as beneficiary_count,
    -- Beside a month's number that is not told, the year's would give it away.
    case
        when not {{ is_small('told.beneficiaries') }} then {{ not_small('told.beneficiaries_year') }}
    end as beneficiary_count_year_to_date,
    {{ is_small('told.participants') }} or {{ is_small('told.maternity_participants') }} or {{ is_small('told.beneficiaries') }}
    or {{ is_small('told.beneficiaries_year') }} as has_small_numbers,
    told.income::numeric(18, 2) as income_amount,
    told.income_year::numeric(18, 2) as income_amount_year_to_date,
    round(told.income / 10000, 2)::numeric(18, 2) as income_10k,
    round(told.income_year / 10000, 2)::numeric(18, 2) as income_10k_year_to_date,
    told.expenditure::numeric(18, 2) as expenditure_amount,
    told.expenditure_year::numeric(18, 2) as expenditure_amount_year_to_date,
    round(told.expenditure / 10000, 2)::numeric(18, 2) as expenditure_10k,
    round(told.expenditure_year / 10000, 2)::numeric(18, 2) as expenditure_10k_year_to_date,
    told.maternity::numeric(18, 2) as maternity_expenditure_amount,
    told.maternity_year::numeric(18, 2) as maternity_expenditure_amount_year_to_date,
    round(told.maternity / 10000, 2)::numeric(18, 2) as maternity_expenditure_10k,
    round(told.maternity_year / 10000, 2)::numeric(18, 2) as maternity_expenditure_10k_year_to_date,
    told.surplus::numeric(18, 2) as surplus_amount,
    told.surplus_year::numeric(18, 2) as surplus_amount_year_to_date,
    round(told.surplus / 10000, 2)::numeric(18, 2) as surplus_10k,
    round(told.surplus_year / 10000, 2)::numeric(18, 2) as surplus_10k_year_to_date,
    told.balance::numeric(18, 2) as balance_amount,
    round(told.balance / 10000, 2)::numeric(18, 2) as balance_10k,
    told.is_complete as year_to_date_complete,
    closed.accounting_month is not null as is_closed,
    ({{ last_day('told.accounting_month') }} + told.due_day)::date as due_on,
    told.small_number_below,
    case
        when told.is_merged
            then
                '自 ' || told.merger_date || ' 起生育保险基金并入职工基本医疗保险基金，不再单列生育保险基金收入；'
                || '生育保险待遇支出为支出合计的其中数。'
        when told.fund_code = 'MAT' then '合并前单列的生育保险基金。'
        else '合并前的职工基本医疗保险基金，不含生育保险基金。'
    end as footnote_zh,
    case
        when told.is_merged
            then
                'From ' || told.merger_date || ' on the maternity fund is part of the employee medical fund: maternity income is no longer'
                || ' listed separately, and maternity benefits are an "of which" of total expenditure.'
        when told.fund_code = 'MAT' then 'The separate maternity fund, before the merger.'
        else 'The employee medical fund before the merger, without the maternity fund.'
    end as footnote_en
from told
left join {{ ref('closed_period') }} as closed
    on told.region_code = closed.region_code and told.accounting_month = closed.accounting_month
where {{ readable('told.region_code') }}
