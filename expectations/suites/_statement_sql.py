"""SQL of the checks on statements. Which account belongs to which line is written down here a second time, on purpose:
the statements take it from seeds, and a check that read the same seeds would agree with every mistake in them.
An account that moves to another line from a month on is noted in both: there by rows with dates, here in MOVED."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from expectations.suites._fragments import LINES

_INCOME = {
    "I11": ("400101", "400102", "400110"), "I12": ("400103",), "I13": ("400104",), "I20": ("4101",), "I30": ("4201",),
    "I40": ("4301",), "I50": ("490101", "490102", "490109"), "I70": ("4401",), "I80": ("4402",),
}  # fmt: skip
_EXPENDITURE = {
    "E111": ("50010101",), "E112": ("50010102",), "E1131": ("5001010301", "50011001"),
    "E1132": ("5001010302", "5001010303", "50011002", "50011003"), "E1133": ("5001010303", "50011003"),
    "E12": ("50010201", "50010202", "50010203"), "E20": ("5101",), "E30": ("5201",), "E40": ("5901",),
    "E60": ("5301",), "E70": ("5302",),
}  # fmt: skip
_ASSETS = {
    "A10": ("1001",), "A20": ("1005",), "A30": ("1002",), "A41": ("100301",), "A42": ("100302",), "A50": ("1004",),
    "A60": ("1101",), "A70": ("1201",),
}  # fmt: skip
_LIABILITIES = {"L10": ("2001",), "L20": ("2101",)}


class Move(NamedTuple):
    """From an accounting month (its first day) on, an account counts for another line of the same statement."""

    account_code: str
    from_line: str
    to_line: str
    first_month: date


MOVED: tuple[Move, ...] = ()

STATEMENT_SUMS = {
    "I10": ("I11", "I12", "I13"), "I60": ("I10", "I20", "I30", "I40", "I50"), "I90": ("I60", "I70", "I80"),
    "E113": ("E1131", "E1132"), "E11": ("E111", "E112", "E113"), "E10": ("E11", "E12"),
    "E50": ("E10", "E20", "E30", "E40"), "E90": ("E50", "E60", "E70"), "S10": ("I90", "-E90"),
}  # fmt: skip
SHEET_SUMS = {
    "A40": ("A41", "A42"), "A90": ("A10", "A20", "A30", "A40", "A50", "A60", "A70"), "L90": ("L10", "L20"),
    "N90": ("N10", "N20"), "T90": ("L90", "N90"), "A90 = T90": ("T90",),
}  # fmt: skip
STATEMENT_LINES = (
    *_INCOME,
    "I10",
    "I60",
    "I90",
    *_EXPENDITURE,
    "E10",
    "E11",
    "E113",
    "E50",
    "E90",
    "S10",
    "S20",
    "S25",
    "S30",
)


def account_lines(mapping: Mapping[str, tuple[str, ...]], sign: int, moved: tuple[Move, ...] = MOVED) -> str:
    """Rows of VALUES: account, line, sign, and the first and last day of the months in which it counts for the line.

    `mapping` is the layout before the first of the moves.
    """
    return ", ".join(
        f"('{account}', '{line}', {sign}, '{first}'::date, '{last}'::date)"
        for account, line, first, last in _spans(mapping, moved)
    )


def _spans(mapping: Mapping[str, tuple[str, ...]], moved: tuple[Move, ...]) -> Iterator[tuple[str, str, str, str]]:
    for line, accounts in mapping.items():
        arriving = [(move.account_code, move.first_month.isoformat()) for move in moved if move.to_line == line]
        for account, first in [*((account, "-infinity") for account in accounts), *arriving]:
            leaving = [
                (move.first_month.replace(day=1) - timedelta(days=1)).isoformat()
                for move in moved
                if (move.account_code, move.from_line) == (account, line) and move.first_month.isoformat() > first
            ]
            yield account, line, first, min(leaving, default="infinity")


def _sum_parts(sums: dict[str, tuple[str, ...]]) -> str:
    parts = [(total, part) for total, children in sums.items() for part in children]
    return ", ".join(
        f"('{total.split(' ')[0]}', '{part.lstrip('-')}', {-1 if part.startswith('-') else 1}, '{total}')"
        for total, part in parts
    )


# CTEs of the checks below: the candidate, and the figures published before; none when all history is checked, and
# $after is 0.
STATEMENT = """
    statement as materialized (
        select * from ledger.candidate_income_expenditure_statement as candidate_line
            where candidate_line.region_code = $region
    )"""
PUBLISHED_STATEMENT = """
    published as materialized (
        select * from marts.income_expenditure_statement as published_line
            where published_line.region_code = $region and $after > 0
    )"""
SHEET = """
    sheet as materialized (
        select * from ledger.candidate_balance_sheet as candidate_line where candidate_line.region_code = $region
    )"""

# The increment's journal lines, summed: everything below reads these few rows instead of the lines.
POSTED = f"""
    posted as materialized (
        select line.fund_code, line.accounting_month, line.account_code, line.sub_fund, line.entry_kind,
            sum(line.credit_amount - line.debit_amount) as amount
        from {LINES}
        group by 1, 2, 3, 4, 5
    )"""

# What the increment's journal lines add to each line, month and sub-fund, against what the candidate adds to the
# published statement.
# Everything published was checked in its turn, so the whole is covered at the cost of the increment.
STATEMENT_AGAINST_JOURNAL = f"""
    select
        concat_ws('/', fund_code, accounting_month, line_code, sub_fund) as item,
        '收支表与分录不符 / the statement differs from the journal' as reason,
        fund_code, accounting_month, line_code, sub_fund,
        coalesce(statement_change.amount, 0) as statement_amount,
        coalesce(journal.amount, 0) as journal_amount,
        null::text as entry_id,
        null::bigint as event_seq,
        abs(coalesce(statement_change.amount, 0) - coalesce(journal.amount, 0)) as amount
    from (
        select posted.fund_code, posted.accounting_month, mapping.line_code, scope.sub_fund,
            sum(mapping.sign * posted.amount) as amount
        from posted
        inner join (
            values {account_lines(_INCOME, 1)}, {account_lines(_EXPENDITURE, -1)},
                ('3001', 'S25', 1, '-infinity', 'infinity'), ('3002', 'S25', 1, '-infinity', 'infinity')
        ) as mapping (account_code, line_code, sign, first_month, last_month)
            on mapping.account_code = posted.account_code
            and posted.accounting_month between mapping.first_month and mapping.last_month
        inner join (values ('total'), ('pooled'), ('personal')) as scope (sub_fund)
            on scope.sub_fund in ('total', posted.sub_fund)
        where case mapping.line_code
                when 'S25' then posted.entry_kind in ('opening', 'merger') else posted.entry_kind <> 'closing'
            end
        group by 1, 2, 3, 4
    ) as journal
    full join (
        select fund_code, accounting_month, line_code, sub_fund,
            coalesce(statement.amount_month, 0) - coalesce(published.amount_month, 0) as amount
        from statement
        full join published using (fund_code, accounting_month, line_code, sub_fund)
        where line_code in ({", ".join(f"'{line}'" for line in (*_INCOME, *_EXPENDITURE, "S25"))})
    ) as statement_change using (fund_code, accounting_month, line_code, sub_fund)
    where coalesce(journal.amount, 0) is distinct from coalesce(statement_change.amount, 0)
"""

UNMAPPED_ACCOUNTS = f"""
    select
        line.entry_id || '/' || line.line_no, '科目不属于任何报表行 / the account belongs to no line of the statement',
        line.fund_code, line.accounting_month, line.account_code, line.sub_fund, null, null, line.entry_id,
            line.event_seq,
        line.debit_amount + line.credit_amount
    from {LINES}
        and left(line.account_code, 1) in ('4', '5') and line.entry_kind <> 'closing'
        and line.account_code not in (
            select account_code from (values {account_lines(_INCOME, 1)}, {account_lines(_EXPENDITURE, -1)})
            as mapping (account_code, line_code, sign, first_month, last_month)
            where line.accounting_month between mapping.first_month and mapping.last_month
        )
"""

SUMS_OF_LINES = f"""
    select
        concat_ws('/', fund_code, accounting_month, sub_fund, line_code),
            '明细行之和不等于合计行 / sub-lines do not add up',
        fund_code, accounting_month, line_code, sub_fund, total.amount_month, part.amount_month, null, null,
        abs(coalesce(total.amount_month, 0) - coalesce(part.amount_month, 0))
            + abs(coalesce(total.amount_year_to_date, 0) - coalesce(part.amount_year_to_date, 0))
    from (
        select statement.fund_code, statement.accounting_month, statement.sub_fund, parts.line_code,
            sum(parts.sign * statement.amount_month) as amount_month,
            sum(parts.sign * statement.amount_year_to_date) as amount_year_to_date
        from statement
        inner join (values {_sum_parts(STATEMENT_SUMS)}) as parts (line_code, part, sign, label)
            on parts.part = statement.line_code
        group by 1, 2, 3, 4
    ) as part
    full join (
        select * from statement where line_code in ({", ".join(f"'{line}'" for line in STATEMENT_SUMS)})
    ) as total using (fund_code, accounting_month, sub_fund, line_code)
    where part.amount_month is distinct from total.amount_month or part.amount_year_to_date is distinct
        from total.amount_year_to_date
"""

YEAR_TO_DATE = """
    select
        concat_ws('/', fund_code, accounting_month, sub_fund, line_code, 'ytd'),
        '本年累计不等于各月之和 / the year to date is not the sum of its months',
        fund_code, accounting_month, line_code, sub_fund, amount_year_to_date, sum_of_months, null, null,
        abs(coalesce(amount_year_to_date, 0) - coalesce(sum_of_months, 0))
    from (
        select *, sum(amount_month) over (
            partition by fund_code, sub_fund, line_code, extract(year from accounting_month) order by accounting_month
        ) as sum_of_months
        from statement
        where line_code not in ('S20', 'S30')
    ) as cumulative
    where amount_year_to_date is distinct from sum_of_months
"""

ROW_SET = f"""
    select
        concat_ws('/', fund_code, accounting_month, line_code, sub_fund, 'row'),
        '报表行缺失、重复或为空 / a row of the statement is missing, double or empty',
        fund_code, accounting_month, line_code, sub_fund, null, coalesce(held.row_count, 0), null, null, null
    from (
        select fund_month.fund_code, fund_month.accounting_month, listed.line_code, scope.sub_fund
        from (select distinct fund_code, accounting_month from statement) as fund_month
        cross join unnest(array[{", ".join(f"'{line}'" for line in STATEMENT_LINES)}]) as listed (line_code)
        cross join (values ('total'), ('pooled'), ('personal')) as scope (sub_fund)
    ) as expected
    full join (
        select fund_code, accounting_month, line_code, sub_fund,
            count(*) filter (where amount_month is not null and amount_year_to_date is not null) as row_count
        from statement group by 1, 2, 3, 4
    ) as held using (fund_code, accounting_month, line_code, sub_fund)
    where expected.line_code is null or held.row_count is distinct from 1
"""

BALANCE_SHEET_IDENTITY = f"""
    select
        concat_ws('/', fund_code, accounting_month, sub_fund, label) as item,
        '资产负债表不平 / the balance sheet does not add up' as reason,
        fund_code, accounting_month, label as line_code, sub_fund,
        total.closing_amount as sheet_amount, part.closing_amount as expected_amount,
        abs(coalesce(total.closing_amount, 0) - coalesce(part.closing_amount, 0)) as amount
    from (
        select sheet.fund_code, sheet.accounting_month, sheet.sub_fund, parts.line_code, parts.label,
            sum(parts.sign * sheet.closing_amount) as closing_amount
        from sheet
        inner join (values {_sum_parts(SHEET_SUMS)}) as parts (line_code, part, sign, label)
            on parts.part = sheet.line_code
        where sheet.sub_fund = 'total' or parts.line_code = 'N90'
        group by 1, 2, 3, 4, 5
    ) as part
    full join (
        select sheet.*, labels.label from sheet
        inner join (select distinct line_code, label from (values {_sum_parts(SHEET_SUMS)}) as parts (line_code,
            part, sign, label))
            as labels using (line_code)
        where sheet.sub_fund = 'total' or sheet.line_code = 'N90'
    ) as total using (fund_code, accounting_month, sub_fund, label)
    where part.closing_amount is distinct from total.closing_amount
"""

# Movement of each line in each month: by the increment's journal lines, and by candidate less published.
BALANCE_SHEET_AGAINST_JOURNAL = f"""
    select
        concat_ws('/', fund_code, accounting_month, sub_fund, line_code),
        '资产负债表与分录不符 / the balance sheet differs from the journal',
        fund_code, accounting_month, line_code, sub_fund, sheet_change.amount, journal.amount,
        abs(coalesce(sheet_change.amount, 0) - coalesce(journal.amount, 0))
    from (
        select posted.fund_code, posted.accounting_month, mapping.line_code, scope.sub_fund,
            sum(mapping.sign * posted.amount) as amount
        from posted
        cross join lateral (
            select listed.line_code, listed.sign
            from (
                values {account_lines(_ASSETS, -1)}, {account_lines(_LIABILITIES, 1)}
            ) as listed (account_code, line_code, sign, first_month, last_month)
            where listed.account_code = posted.account_code
                and posted.accounting_month between listed.first_month and listed.last_month
            union all
            select case posted.sub_fund when 'pooled' then 'N10' when 'personal' then 'N20' end, 1
            where left(posted.account_code, 1) in ('3', '4', '5')
        ) as mapping
        inner join (values ('total'), ('pooled'), ('personal')) as scope (sub_fund)
            on scope.sub_fund = 'total' or (scope.sub_fund = posted.sub_fund and mapping.line_code in ('N10', 'N20'))
        group by 1, 2, 3, 4
    ) as journal
    full join (
        select fund_code, accounting_month, line_code, sub_fund,
            coalesce(sheet.closing_amount - sheet.opening_amount, 0)
            - coalesce(published.closing_amount - published.opening_amount, 0) as amount
        from sheet
        full join published using (fund_code, accounting_month, line_code, sub_fund)
        where line_code in ({", ".join(f"'{line}'" for line in (*_ASSETS, *_LIABILITIES, "N10", "N20"))})
    ) as sheet_change using (fund_code, accounting_month, line_code, sub_fund)
    where coalesce(journal.amount, 0) is distinct from coalesce(sheet_change.amount, 0)
"""

BALANCE_SHEET = f"""
    with {SHEET}, {POSTED},
    published as materialized (
        select * from marts.balance_sheet as published_line
            where published_line.region_code = $region and $after > 0
    )
    {BALANCE_SHEET_IDENTITY}
    union all
    {BALANCE_SHEET_AGAINST_JOURNAL}
"""

STATEMENT_LINES_AGAINST_JOURNAL = f"""
    with {STATEMENT}, {PUBLISHED_STATEMENT}, {POSTED}
    {STATEMENT_AGAINST_JOURNAL}
    union all
    {UNMAPPED_ACCOUNTS}
    union all
    {SUMS_OF_LINES}
    union all
    {YEAR_TO_DATE}
    union all
    {ROW_SET}
"""

SUB_FUNDS = f"""
    with {STATEMENT}, {SHEET},
    figure as (
        select fund_code, accounting_month, line_code, sub_fund, 'month' as column_name, amount_month as amount
            from statement
        union all
        select fund_code, accounting_month, line_code, sub_fund, 'year to date', amount_year_to_date from statement
        union all
        select fund_code, accounting_month, line_code, sub_fund, 'closing', closing_amount from sheet
            where line_code like 'N%'
        union all
        select fund_code, accounting_month, line_code, sub_fund, 'opening', opening_amount from sheet
            where line_code like 'N%'
    )
    select
        concat_ws('/', fund_code, accounting_month, line_code, column_name) as item,
        fund_code, accounting_month, line_code, column_name,
        sum(amount) filter (where sub_fund = 'total') as total_amount,
        sum(amount) filter (where sub_fund = 'pooled') as pooled_amount,
        sum(amount) filter (where sub_fund = 'personal') as personal_amount,
        abs(sum(case sub_fund when 'total' then amount else -amount end)) as amount
    from figure
    group by fund_code, accounting_month, line_code, column_name
    having sum(amount) filter (where sub_fund = 'total') is distinct from
        sum(amount) filter (where sub_fund = 'pooled') + sum(amount) filter (where sub_fund = 'personal')
"""

CONTINUITY = f"""
    with {STATEMENT}, {SHEET},
    surplus as (
        select fund_code, accounting_month, sub_fund,
            max(amount_month) filter (where line_code = 'S10') as s10,
                max(amount_year_to_date) filter (where line_code = 'S10') as s10_year,
            max(amount_month) filter (where line_code = 'S20') as s20,
                max(amount_year_to_date) filter (where line_code = 'S20') as s20_year,
            max(amount_month) filter (where line_code = 'S25') as s25,
                max(amount_year_to_date) filter (where line_code = 'S25') as s25_year,
            max(amount_month) filter (where line_code = 'S30') as s30,
                max(amount_year_to_date) filter (where line_code = 'S30') as s30_year
        from statement group by 1, 2, 3
    ),
    -- One series an account or a line: opening, what happened, closing.
    series as (
        select fund_code, accounting_month, 'statement' as source, sub_fund as member, s20 as opening,
            s10 + s25 as movement, s30 as closing
        from surplus
        union all
        select fund_code, accounting_month, 'trial balance', account_code || '/' || sub_fund, opening_balance,
            debit_amount - credit_amount, closing_balance
        from ledger.candidate_trial_balance as balance where balance.region_code = $region
        union all
        select fund_code, accounting_month, 'balance sheet', line_code || '/' || sub_fund, opening_amount,
            closing_amount - opening_amount, closing_amount
        from sheet
    ),
    -- A line of balances that gains or loses an account opens with what stands on its accounts by the new layout.
    followed as (
        select series.*,
            lag(closing) over each_series as closing_before,
            lag(accounting_month) over each_series as month_before,
            source = 'balance sheet' and (split_part(member, '/', 1), accounting_month) in (
                select line_code, unnest(array[effective_from, (effective_to + interval '1 month')::date])
                from marts.statement_account where statement = 'balance_sheet'
            ) as is_laid_out_anew
        from series
        window each_series as (partition by fund_code, source, member order by accounting_month)
    )
    select
        concat_ws('/', source, fund_code, accounting_month, member) as item,
        '期初、发生、期末不衔接 / opening, movement and closing do not connect' as reason,
        fund_code, accounting_month, opening, movement, closing, closing_before, month_before,
        abs(opening + movement - closing) + abs(opening - coalesce(closing_before, 0)) as amount
    from followed
    where opening + movement is distinct from closing
        or (opening is distinct from coalesce(closing_before, 0) and not is_laid_out_anew)
        or (month_before + interval '1 month')::date <> accounting_month
    union all
    select
        concat_ws('/', 'year to date', fund_code, this_year.accounting_month, sub_fund),
        '本年累计不衔接 / the year to date does not begin with last December or does not reach the closing balance',
        fund_code, this_year.accounting_month, s20_year, s10_year + s25_year, s30_year, december.december_balance, null,
        abs(s20_year - coalesce(december.december_balance, 0)) + abs(s20_year + s10_year + s25_year - s30_year)
    from (select *, extract(year from accounting_month) as year from surplus) as this_year
    left join (
        select fund_code, sub_fund, extract(year from accounting_month) + 1 as year, s30 as december_balance
        from surplus where extract(month from accounting_month) = 12
    ) as december using (fund_code, sub_fund, year)
    where s20_year is distinct from coalesce(december_balance, 0)
        or s20_year + s10_year + s25_year is distinct from s30_year
        or s30_year is distinct from s30
    union all
    select
        concat_ws('/', 'net assets', fund_code, accounting_month, sub_fund),
        '期末滚存结余不等于净资产 / the closing balance is not the net assets of the balance sheet',
        fund_code, accounting_month, null, null, surplus.s30, net_assets.closing_amount, null,
        abs(coalesce(surplus.s30, 0) - coalesce(net_assets.closing_amount, 0))
    from surplus
    full join (select * from sheet where line_code = 'N90') as net_assets using (fund_code, accounting_month, sub_fund)
    where surplus.s30 is distinct from net_assets.closing_amount
"""
