"""SQL of the identity of check T04: the fiscal side's expenditure of a month against the agency's.

The fiscal side books expenditure when it funds the expenditure account or pays directly, the agency when a benefit is
paid. So, of a fund's month:

    fiscal - agency = change of 1004 + change of 1001 + change of 1101 - change of 2001 - income kept there
                      + recoveries of the year that went to 100301

Changes of 1101 and 2001 count where the other side of the entry is the expenditure account, cash, or an expenditure.
What the fiscal side states is a calendar month's; entries that a closed month did not take any more are moved back to
it. Expenditure and changes of the two accounts come from the turnover, the other terms from the entries.
"""

from __future__ import annotations

from expectations.suites._tie_out_sql import More

_AGENCY_MONEY = "('1004', '1001')"

# Benefits of this year that came back into the fiscal account: some fiscal sides deduct them from what they state.
_RECOVERED = """coalesce((
                    select sum(back.debit_amount - back.credit_amount) from ledger.journal_line as back
                    where back.region_code = $region and back.event_seq <= $head
                        and back.accounting_month = {month} and back.fund_code = {fund}
                        and back.account_code = '100301' and back.event_type = 'claim.recovered'
                        and exists (
                            select from ledger.journal_line as spent
                            where spent.region_code = back.region_code and spent.event_seq = back.event_seq
                                and spent.entry_no = back.entry_no and spent.account_code like '5%'
                        )
                ), 0)"""

_TABLES = f""",
        fiscal as (
            select figure.fund_code, figure.accounting_month, min(figure.stated_on) as stated_on,
                sum(figure.stated_amount) as stated, sum(figure.explained_amount) as explained,
                min(figure.stated_seq) as stated_seq
            from (
                select distinct item.figure_no, item.fund_code, item.accounting_month, item.stated_on,
                    item.stated_amount, item.explained_amount, item.stated_seq
                from item where item.scope = 'month'
            ) as figure
            group by figure.fund_code, figure.accounting_month
        ),
        -- Fiscal payments of one month that are booked in another.
        moved as (
            select late.fund_code, late.in_month as accounting_month,
                coalesce(sum(case when late.accounting_month = late.in_month then -late.amount else late.amount end), 0)
                    as amount
            from (
                select money.fund_code, money.accounting_month, money.amount, each.accounting_month as in_month
                from month as each
                inner join ledger.journal_line as line
                    on line.accounting_month >= each.accounting_month
                    and line.accounting_month <= each.accounting_month + interval '2 months'
                    and each.accounting_month in (line.accounting_month, line.original_month)
                inner join ledger.candidate_money_line as money
                    on money.region_code = line.region_code and money.entry_id = line.entry_id
                    and money.line_no = line.line_no and money.event_seq = line.event_seq
                where line.region_code = $region and line.event_seq <= $head and line.account_code = '100301'
                    and line.original_month is not null and line.original_month <> line.accounting_month
                    and money.region_code = $region and money.is_fiscal_payment
            ) as late
            group by late.fund_code, late.in_month
        ),
        turned as (
            select turnover.fund_code, turnover.accounting_month,
                sum(turnover.debit_amount - turnover.credit_amount)
                    filter (where turnover.account_code like '5%') as spent,
                sum(turnover.debit_amount - turnover.credit_amount)
                    filter (where turnover.account_code in {_AGENCY_MONEY}) as kept
            from ledger.account_turnover as turnover
            where turnover.region_code = $region and turnover.last_seq <= $head and turnover.entry_kind = 'normal'
                and turnover.accounting_month = any(array(select fiscal.accounting_month from fiscal))
            group by turnover.fund_code, turnover.accounting_month
        ),
        -- The other lines of entries that spend, or move the expenditure account or cash.
        other_side as (
            select line.fund_code, line.accounting_month, line.account_code, line.event_type, line.event_seq,
                line.entry_no, line.debit_amount - line.credit_amount as amount
            from ledger.journal_line as line
            where line.region_code = $region and line.event_seq <= $head and line.entry_kind = 'normal'
                and line.accounting_month = any(array(select fiscal.accounting_month from fiscal))
                and line.event_type not like 'contribution.%'
                and line.account_code not in {_AGENCY_MONEY} and line.account_code not like '5%'
                and exists (
                    select from ledger.journal_line as touched
                    where touched.region_code = line.region_code and touched.event_seq = line.event_seq
                        and touched.entry_no = line.entry_no and touched.fund_code = line.fund_code
                        and (touched.account_code in {_AGENCY_MONEY} or touched.account_code like '5%')
                )
        ),
        term as (
            select other_side.fund_code, other_side.accounting_month,
                coalesce(sum(amount) filter (where account_code = '1101'), 0) as temporary_payments,
                coalesce(-sum(amount) filter (where account_code = '2001'), 0) as temporary_receipts,
                coalesce(-sum(amount) filter (where account_code like '4%'), 0)
                    - coalesce(sum(amount) filter (where account_code = '100301'
                        and event_type = 'cash.transferred' and amount > 0), 0) as income_kept,
                coalesce(sum(amount) filter (
                    where account_code not in ('1101', '2001', '100301') and account_code not like '4%'), 0) as others
            from other_side
            group by other_side.fund_code, other_side.accounting_month
        ),
        -- The bank never made a direct payment of an earlier year: taken off the fiscal side's, income of the agency.
        never_paid as (
            select line.fund_code, line.accounting_month, -sum(line.debit_amount - line.credit_amount) as amount
            from ledger.journal_line as line
            where line.region_code = $region and line.event_seq <= $head and line.account_code = '100301'
                and line.accounting_month = any(array(select fiscal.accounting_month from fiscal))
                and line.event_type = 'claim.reversed'
                and exists (
                    select from ledger.journal_line as earned
                    where earned.region_code = line.region_code and earned.event_seq = line.event_seq
                        and earned.entry_no = line.entry_no and earned.account_code like '4%'
                )
            group by line.fund_code, line.accounting_month
        ),
        identity as (
            select fiscal.*,
                fiscal.stated + fiscal.explained + coalesce(moved.amount, 0) as fiscal_amount,
                coalesce(turned.spent, 0) as spent, coalesce(turned.kept, 0) as kept,
                coalesce(term.temporary_payments, 0) as temporary_payments,
                coalesce(term.temporary_receipts, 0) as temporary_receipts,
                coalesce(term.income_kept, 0) as income_kept,
                coalesce(term.others, 0) + coalesce(never_paid.amount, 0) as others,
                {_RECOVERED.format(month="fiscal.accounting_month", fund="fiscal.fund_code")} as recovered
            from fiscal
            left join moved using (fund_code, accounting_month)
            left join turned using (fund_code, accounting_month)
            left join term using (fund_code, accounting_month)
            left join never_paid using (fund_code, accounting_month)
        ),
        judged as (
            select identity.*,
                fiscal_amount - spent
                    - (kept + temporary_payments - temporary_receipts - income_kept + recovered + others) as remainder
            from identity
        )"""

_ROWS = """
            union all
            select
                concat_ws('/', 'identity', judged.fund_code, judged.accounting_month), 'fail',
                '财政侧与经办侧支出差额不等于账户变动 / the two sides differ by other than what the accounts changed',
                judged.fund_code, judged.accounting_month, 'fiscal_expenditure', 'month', '1004', null, null,
                judged.stated_on, judged.spent + judged.remainder, judged.stated, judged.remainder, null, null, null,
                null, null, null, judged.stated_seq, judged.stated_seq, judged.remainder,
                judged.spent, judged.kept, judged.temporary_payments, judged.temporary_receipts, judged.income_kept,
                judged.recovered, judged.others
            from judged
            where judged.remainder <> 0 and judged.remainder <> -judged.recovered"""

IDENTITY = More(
    accepted="item.scope = 'month' and item.matched_by = 'none' and item.item_difference = "
    + _RECOVERED.format(month="item.accounting_month", fund="item.fund_code"),
    columns=(
        "agency_expenditure",
        "account_change",
        "temporary_payment_change",
        "temporary_receipt_change",
        "income_kept",
        "recovered_to_special",
        "other_change",
    ),
    tables=_TABLES,
    rows=_ROWS,
)
