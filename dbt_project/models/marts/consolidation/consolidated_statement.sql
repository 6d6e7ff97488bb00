with {{ ledger_calendar('published') }},

member as (
    {{ consolidation_member() }}
),

{{ consolidation_month() }},

{{ consolidation_elimination() }},

member_sum as (
    select
        member.group_code,
        statement.fund_code,
        statement.accounting_month,
        statement.line_code,
        statement.line_name,
        statement.sub_fund,
        sum(statement.amount_month) as amount_month,
        sum(statement.amount_year_to_date) as amount_year_to_date,
        bool_and(statement.year_to_date_complete) as year_to_date_complete
    from ({{ ledger_income_expenditure_statement('published') }}) as statement
    inner join member
        on
            statement.region_code = member.region_code
            and statement.accounting_month between member.first_month and member.last_day
    group by
        member.group_code, statement.fund_code, statement.accounting_month, statement.line_code, statement.line_name, statement.sub_fund
),

-- The same amount leaves an income line and an expenditure line, and the totals above them: the surplus stays.
eliminated_line as (
    select *
    from (
        values
        ('subsidy', 'I70'), ('subsidy', 'I90'), ('subsidy', 'E60'), ('subsidy', 'E90'),
        ('remittance', 'I80'), ('remittance', 'I90'), ('remittance', 'E70'), ('remittance', 'E90')
    ) as listed (flow, line_code)
),

eliminated as (
    select
        elimination.group_code,
        elimination.fund_code,
        elimination.accounting_month,
        eliminated_line.line_code,
        scope.sub_fund,
        sum(elimination.eliminated_month) as amount_month,
        sum(elimination.eliminated_year_to_date) as amount_year_to_date
    from elimination
    inner join eliminated_line on elimination.flow = eliminated_line.flow
    cross join lateral (values ('total'), (elimination.sub_fund)) as scope (sub_fund)
    group by
        elimination.group_code, elimination.fund_code, elimination.accounting_month, eliminated_line.line_code, scope.sub_fund
)

select
    member_sum.group_code,
    member_sum.fund_code,
    member_sum.accounting_month,
    member_sum.line_code,
    member_sum.line_name,
    member_sum.sub_fund,
    member_sum.amount_month::numeric(18, 2) as member_sum_month,
    coalesce(eliminated.amount_month, 0)::numeric(18, 2) as eliminated_month,
    (member_sum.amount_month - coalesce(eliminated.amount_month, 0))::numeric(18, 2) as consolidated_month,
    member_sum.amount_year_to_date::numeric(18, 2) as member_sum_year_to_date,
    coalesce(eliminated.amount_year_to_date, 0)::numeric(18, 2) as eliminated_year_to_date,
    (member_sum.amount_year_to_date - coalesce(eliminated.amount_year_to_date, 0))::numeric(18, 2) as consolidated_year_to_date,
    group_month.member_count,
    group_month.member_with_books_count,
    group_month.is_complete,
    member_sum.year_to_date_complete and group_month.is_complete as year_to_date_complete
from member_sum
inner join group_month
    on
        member_sum.group_code = group_month.group_code
        and member_sum.fund_code = group_month.fund_code
        and member_sum.accounting_month = group_month.accounting_month
left join eliminated
    on
        member_sum.group_code = eliminated.group_code
        and member_sum.fund_code = eliminated.fund_code
        and member_sum.accounting_month = eliminated.accounting_month
        and member_sum.line_code = eliminated.line_code
        and member_sum.sub_fund = eliminated.sub_fund
