"""Balance: books and the statements drawn from them agree with themselves and with the journal (B01-B12)."""

from __future__ import annotations

from expectations.check import Check
from expectations.suites import _statement_sql as statements
from expectations.suites._fragments import LINES, LOG_MONEY, MERGER_DATE, MONEY_EVENT_COUNT

ACCOUNTING = "fund_accounting"

# One when the journal holds anything at all up to the head: what the statements are drawn from.
_ANY_LINE = """
    select count(*) from (
        select 1 from ledger.journal_line as line
        where line.region_code = $region and line.event_seq <= $head limit 1
    ) as any_line
"""

B01 = Check(
    code="B01",
    title_zh="每笔分录借贷相等",
    title_en="debits of every entry equal its credits",
    severity="fail",
    owner=ACCOUNTING,
    clause="ledger §6.1；会计法 借贷记账法",
    offending=f"""
        select
            min(line.entry_id) || '/' || line.fund_code as item,
            min(line.entry_id) as entry_id,
            line.fund_code,
            min(line.accounting_month) as accounting_month,
            line.event_seq,
            sum(line.debit_amount) as debit_amount,
            sum(line.credit_amount) as credit_amount,
            abs(coalesce(sum(line.debit_amount), 0) - coalesce(sum(line.credit_amount), 0)) as amount
        from {LINES}
        group by line.event_seq, line.entry_no, line.fund_code
        having sum(line.debit_amount) is distinct from sum(line.credit_amount)
            or bool_or(line.debit_amount is null or line.credit_amount is null)
            or count(*) < 2
    """,
    examined=f"""
        select count(*) from (select 1 from {LINES} group by line.event_seq, line.entry_no, line.fund_code) as entry
    """,
    population=MONEY_EVENT_COUNT,
)

B02 = Check(
    code="B02",
    title_zh="各基金试算平衡",
    title_en="the trial balance of every fund is zero",
    severity="fail",
    owner=ACCOUNTING,
    clause="ledger §6.1",
    offending="""
        select
            balance.fund_code || '/' || balance.accounting_month as item,
            balance.fund_code,
            balance.accounting_month,
            sum(balance.opening_balance) as opening_difference,
            sum(balance.debit_amount) - sum(balance.credit_amount) as turnover_difference,
            sum(balance.closing_balance) as closing_difference,
            greatest(
                abs(sum(balance.opening_balance)), abs(sum(balance.closing_balance)),
                abs(sum(balance.debit_amount) - sum(balance.credit_amount))
            ) as amount
        from ledger.candidate_trial_balance as balance
        where balance.region_code = $region
        group by balance.fund_code, balance.accounting_month
        having sum(balance.opening_balance) is distinct from 0
            or sum(balance.closing_balance) is distinct from 0
            or sum(balance.debit_amount) is distinct from sum(balance.credit_amount)
    """,
    examined="""
        select count(*) from ledger.candidate_trial_balance as balance where balance.region_code = $region
    """,
    population=_ANY_LINE,
)

B03 = Check(
    code="B03",
    title_zh="资产等于负债加净资产，且逐项等于分录",
    title_en="assets equal liabilities plus net assets, and every line of the balance sheet moved as the journal says",
    severity="fail",
    owner=ACCOUNTING,
    clause="ledger §6.1；社会保险基金会计制度 资产负债表",
    offending=statements.BALANCE_SHEET,
    examined="select count(*) from ledger.candidate_balance_sheet as sheet where sheet.region_code = $region",
    population=_ANY_LINE,
)

B04 = Check(
    code="B04",
    title_zh="期初加本期收支结余等于期末，期末等于下期期初",
    title_en="opening plus surplus equals closing, and closing equals the next month's opening",
    severity="fail",
    owner=ACCOUNTING,
    clause="ledger §5, §6.1",
    offending=statements.CONTINUITY,
    examined="""
        select
            (select count(*) from ledger.candidate_income_expenditure_statement as line
                where line.region_code = $region)
            + (select count(*) from ledger.candidate_trial_balance as balance where balance.region_code = $region)
    """,
    population=_ANY_LINE,
)

B05 = Check(
    code="B05",
    title_zh="收支表逐行等于分录，明细行加总等于合计行",
    title_en="every line of the statement equals the journal's own lines, and sub-lines add up",
    severity="fail",
    owner=ACCOUNTING,
    clause="ledger §5；社会保险基金会计制度 收支表",
    offending=statements.STATEMENT_LINES_AGAINST_JOURNAL,
    examined="""
        select count(*) from ledger.candidate_income_expenditure_statement as line where line.region_code = $region
    """,
    population=_ANY_LINE,
)

B06 = Check(
    code="B06",
    title_zh="统筹加个人账户等于合计",
    title_en="pooled plus personal equals total",
    severity="fail",
    owner=ACCOUNTING,
    clause="ledger §5, §6.1；统筹基金与个人账户分别核算",
    offending=statements.SUB_FUNDS,
    examined="""
        select count(*) from ledger.candidate_income_expenditure_statement as line where line.region_code = $region
    """,
    population=_ANY_LINE,
)

_MAT_FACTS = f"""
    select count(*) from ({LOG_MONEY}) as log_money
    inner join events.event as event on event.region_code = $region and event.seq = log_money.seq
    where event.seq > $after and event.seq <= $head and log_money.amount > 0 and event.occurred_on < {MERGER_DATE}
        and (event.insurance_type = '510' or event.fund_code = 'MAT')
"""

B07 = Check(
    code="B07",
    title_zh="合并后生育保险基金各科目为零，且不再记账",
    title_en="the maternity fund is zero from the end of its merger month on, and only the merger posts there",
    severity="fail",
    owner=ACCOUNTING,
    clause="国办发〔2019〕10号；ledger §2 fund.merged",
    offending=f"""
        select
            'MAT/' || turnover.account_code || '/' || turnover.sub_fund as item,
            '余额未清零 / balance is not zero' as reason,
            turnover.account_code,
            turnover.sub_fund,
            date_trunc('month', {MERGER_DATE}::timestamp)::date as accounting_month,
            null::text as entry_id,
            null::bigint as event_seq,
            sum(turnover.debit_amount - turnover.credit_amount) as amount
        from ledger.account_turnover as turnover
        where turnover.region_code = $region and turnover.fund_code = 'MAT' and turnover.batch_id <= $head_batch
            and (
                select max(latest.accounting_month) from ledger.account_turnover as latest
                where latest.region_code = $region and latest.batch_id <= $head_batch
            ) >= date_trunc('month', {MERGER_DATE}::timestamp)
        group by turnover.account_code, turnover.sub_fund
        having sum(turnover.debit_amount - turnover.credit_amount) is distinct from 0
        union all
        select
            line.entry_id || '/' || line.line_no,
            '合并日后记入生育保险基金 / posted to the maternity fund after its merger',
            line.account_code, line.sub_fund, line.accounting_month, line.entry_id, line.event_seq,
            line.debit_amount + line.credit_amount
        from {LINES}
            and line.fund_code = 'MAT' and line.entry_kind not in ('closing', 'merger')
            and (line.posting_date >= {MERGER_DATE} or line.accounting_month >= date_trunc('month',
                {MERGER_DATE}::timestamp))
        union all
        select
            'MAT/' || balance.account_code || '/' || balance.sub_fund || '/' || balance.accounting_month,
            '合并月起余额表不为零 / not zero in the trial balance from the merger month on',
            balance.account_code, balance.sub_fund, balance.accounting_month, null, null, balance.closing_balance
        from ledger.candidate_trial_balance as balance
        where balance.region_code = $region and balance.fund_code = 'MAT'
            and balance.accounting_month >= date_trunc('month', {MERGER_DATE}::timestamp)
            and balance.closing_balance is distinct from 0
    """,
    examined="""
        select count(*) from ledger.account_turnover as turnover
        where turnover.region_code = $region and turnover.fund_code = 'MAT' and turnover.batch_id <= $head_batch
    """,
    population=_MAT_FACTS,
)

B09 = Check(
    code="B09",
    title_zh="收入户月末余额为零",
    title_en="the income account is empty at month end",
    severity="warn",
    owner=ACCOUNTING,
    clause="财社〔2017〕144号 第四十条",
    offending="""
        select
            balance.fund_code || '/' || balance.accounting_month as item,
            balance.fund_code,
            balance.accounting_month,
            balance.account_code,
            balance.closing_balance as amount
        from ledger.candidate_trial_balance as balance
        where balance.region_code = $region and balance.account_code = '1002'
            and balance.accounting_month + interval '1 month' <= $business_date
            and balance.closing_balance is distinct from 0
    """,
    examined="""
        select count(*) from ledger.candidate_trial_balance as balance
        where balance.region_code = $region and balance.account_code = '1002'
            and balance.accounting_month + interval '1 month' <= $business_date
    """,
    population=f"""
        select count(*) from {LINES} and line.account_code = '1002'
            and line.accounting_month + interval '1 month' <= $business_date
    """,
)

B10 = Check(
    code="B10",
    title_zh="资产、负债科目无反向余额",
    title_en="no balance on the wrong side of an asset or liability account",
    severity="warn",
    owner=ACCOUNTING,
    clause="ledger §1 normal_side",
    offending="""
        select
            balance.fund_code || '/' || balance.account_code || '/' || balance.accounting_month as item,
            balance.fund_code,
            balance.accounting_month,
            balance.account_code,
            abs(balance.closing_balance) as amount
        from ledger.candidate_trial_balance as balance
        where balance.region_code = $region
            and (
                (balance.account_code like '1%' and (balance.closing_balance >= 0) is not true)
                or (balance.account_code like '2%' and (balance.closing_balance <= 0) is not true)
            )
    """,
    examined="""
        select count(*) from ledger.candidate_trial_balance as balance
        where balance.region_code = $region and (balance.account_code like '1%' or balance.account_code like '2%')
    """,
    population=_ANY_LINE,
)

_CLOSED = """
    select closing.accounting_month, closing.seq, closing.ledger_sha256 from events.event as closing
    where closing.region_code = $region and closing.event_type = 'period.closed' and closing.seq <= $head
"""

B08 = Check(
    code="B08",
    title_zh="已关账月份自关账以来不变",
    title_en="closed months are what they were when they were closed",
    severity="fail",
    owner=ACCOUNTING,
    clause="ledger §3；会计基础工作规范 结账",
    offending=f"""
        select
            to_char(closed.accounting_month, 'YYYY-MM') || '/' || part.name as item,
            '与关账时不同 / not what it was at the close' as reason,
            closed.accounting_month,
            closed.seq as event_seq,
            null::text as entry_id,
            part.at_close as sha256_at_close,
            part.now as sha256_now,
            null::numeric as amount
        from ({_CLOSED}) as closed
        left join lateral (
            select figures.trial_balance_sha256, figures.statement_sha256, figures.balance_sheet_sha256
            from signoff.closing_figures as figures
            where figures.region_code = $region and figures.accounting_month = closed.accounting_month
                and figures.ledger_sha256 = closed.ledger_sha256
            limit 1
        ) as told on true
        left join ledger.candidate_closed_month as month
            on month.region_code = $region and month.accounting_month = closed.accounting_month
        cross join lateral (values
            ('trial_balance', told.trial_balance_sha256, month.trial_balance_sha256),
            ('statement', told.statement_sha256, month.statement_sha256),
            ('balance_sheet', told.balance_sheet_sha256, month.balance_sheet_sha256)
        ) as part (name, at_close, now)
        where part.at_close is distinct from part.now or part.now is null
        union all
        select
            line.entry_id || '/' || line.line_no,
            '记入已关账月份 / posted to a month that had been closed',
            line.accounting_month, line.event_seq, line.entry_id, null, null, line.debit_amount + line.credit_amount
        from {LINES}
            and exists (
                select from ({_CLOSED}) as closed
                where closed.accounting_month >= line.accounting_month and closed.seq < line.event_seq
            )
    """,
    examined="""
        select count(*) from ledger.candidate_closed_month as month where month.region_code = $region
    """,
    population=f"select count(*) from ({_CLOSED}) as closed",
)

# Personal accounts of the increment by month, beside what N20 had before it: together they must give N20 now. Accounts
# come from what each person's lines moved, N20 from the turnover of the accounts of the chart.
_PERSONAL_MOVEMENT = """
    select account.fund_code, account.accounting_month,
        sum(account.credited_amount + account.interest_amount - account.paid_amount) as amount
    from ledger.personal_account_turnover as account
    where account.region_code = $region and account.last_seq > $after and account.last_seq <= $head
    group by 1, 2
    union all
    select turnover.fund_code, turnover.accounting_month, sum(turnover.credit_amount - turnover.debit_amount)
    from ledger.account_turnover as turnover
    where turnover.region_code = $region and turnover.last_seq <= $after and turnover.sub_fund = 'personal'
    group by 1, 2
"""

B11 = Check(
    code="B11",
    title_zh="个人账户之和等于个人账户结余",
    title_en="the personal accounts add up to the balance of the personal accounts",
    severity="fail",
    owner=ACCOUNTING,
    clause="ledger §5 personal_account_balance, §6.1；统筹基金与个人账户分别核算",
    offending=f"""
        with movement as materialized ({_PERSONAL_MOVEMENT}),
        sheet as materialized (
            select fund_code, accounting_month, closing_amount from ledger.candidate_balance_sheet as candidate_line
            where candidate_line.region_code = $region and line_code = 'N20' and sub_fund = 'total'
        ),
        month as (
            select fund_code, accounting_month from sheet
            union
            select fund_code, accounting_month from movement
        ),
        compared as (
            select
                month.fund_code,
                month.accounting_month,
                coalesce((
                    select sum(movement.amount) from movement
                    where movement.fund_code = month.fund_code
                        and movement.accounting_month <= month.accounting_month
                ), 0) as personal_accounts,
                sheet.closing_amount as balance_sheet_n20
            from month
            left join sheet using (fund_code, accounting_month)
        )
        select
            fund_code || '/' || accounting_month as item,
            fund_code,
            accounting_month,
            personal_accounts,
            balance_sheet_n20,
            abs(personal_accounts - coalesce(balance_sheet_n20, 0)) as amount
        from compared
        where personal_accounts is distinct from balance_sheet_n20
    """,
    examined="""
        select count(*) from ledger.personal_account_turnover as account
        where account.region_code = $region and account.last_seq > $after and account.last_seq <= $head
    """,
    population=f"""
        select count(*) from {LINES} and line.sub_fund = 'personal' and line.entry_kind in ('normal', 'opening')
    """,
)

# The day the region's books begin, up to the head; null for books that were never opened.
_OPENED_ON = """(
        select min(opening.occurred_on) from events.event as opening
        where opening.region_code = $region and opening.seq <= $head and opening.event_type = 'balance.opened'
    )"""

# From where on events are looked at: the increment, or the whole log when the increment opens the books.
_FACTS_AFTER = """(
        select case when count(*) > 0 then 0 else $after end from events.event as opening
        where opening.region_code = $region and opening.event_type = 'balance.opened'
            and opening.seq > $after and opening.seq <= $head
    )"""

B12 = Check(
    code="B12",
    title_zh="没有早于期初建账日的资金业务",
    title_en="no fact with money is dated before the books of its region were opened",
    severity="fail",
    owner=ACCOUNTING,
    clause="ledger §3 balance.opened；财会〔2017〕28号 期初余额",
    offending=f"""
        select
            'event/' || log_money.seq as item,
            log_money.seq as event_seq,
            log_money.event_type,
            log_money.source_event_key,
            log_money.occurred_on,
            {_OPENED_ON} as opened_on,
            date_trunc('month', log_money.occurred_on::timestamp)::date as accounting_month,
            log_money.amount
        from ({LOG_MONEY.replace("event.seq > $after", f"event.seq > {_FACTS_AFTER}")}) as log_money
        where log_money.amount > 0 and log_money.occurred_on < {_OPENED_ON}
    """,
    examined=f"""
        select case when {_OPENED_ON} is null then 0 else (
            select count(*) from ({LOG_MONEY}) as log_money where log_money.amount > 0
        ) end
    """,
    population=f"""
        select case when {_OPENED_ON} is null then 0 else (
            select count(*) from (
                select 1 from {LINES} and line.entry_kind in ('normal', 'opening') group by line.event_seq
            ) as posted
        ) end
    """,
)

CHECKS: tuple[Check, ...] = (B01, B02, B03, B04, B05, B06, B07, B08, B09, B10, B11, B12)
