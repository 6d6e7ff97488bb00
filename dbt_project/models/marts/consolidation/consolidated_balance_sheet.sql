with {{ ledger_calendar('published') }},

member as (
    {{ consolidation_member() }}
),

{{ consolidation_month() }},

member_sum as (
    select
        member.group_code,
        sheet.fund_code,
        sheet.accounting_month,
        sheet.line_code,
        sheet.line_name,
        sheet.sub_fund,
        sum(sheet.opening_amount) as opening_amount,
        sum(sheet.closing_amount) as closing_amount
    from ({{ ledger_balance_sheet('published') }}) as sheet
    inner join member
        on
            sheet.region_code = member.region_code
            and sheet.accounting_month between member.first_month and member.last_day
    group by member.group_code, sheet.fund_code, sheet.accounting_month, sheet.line_code, sheet.line_name, sheet.sub_fund
)

-- On the cash basis members owe each other nothing that both of them book: between levels there are flows, no balances.
select
    member_sum.group_code,
    member_sum.fund_code,
    member_sum.accounting_month,
    member_sum.line_code,
    member_sum.line_name,
    member_sum.sub_fund,
    member_sum.opening_amount::numeric(18, 2) as member_sum_opening,
    0::numeric(18, 2) as eliminated_opening,
    member_sum.opening_amount::numeric(18, 2) as consolidated_opening,
    member_sum.closing_amount::numeric(18, 2) as member_sum_closing,
    0::numeric(18, 2) as eliminated_closing,
    member_sum.closing_amount::numeric(18, 2) as consolidated_closing,
    group_month.member_count,
    group_month.member_with_books_count,
    group_month.is_complete
from member_sum
inner join group_month
    on
        member_sum.group_code = group_month.group_code
        and member_sum.fund_code = group_month.fund_code
        and member_sum.accounting_month = group_month.accounting_month
