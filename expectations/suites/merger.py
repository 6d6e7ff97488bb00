"""Merger and maternity line: no income of its own, and an expenditure line that is what was paid (M01-M03, M06)."""

from __future__ import annotations

from expectations.check import Check
from expectations.suites._fragments import CURRENT_EVENTS, EVENTS, LINES, LINES_AND_EVENTS, MATERNITY_PAYMENTS
from expectations.suites._statement_sql import PUBLISHED_STATEMENT, STATEMENT

ACCOUNTING = "fund_accounting"
BENEFITS = "benefit_settlement"

_MATERNITY_LINES = f"""
    select count(*) from {LINES} and (line.account_code like '50010103%' or line.account_code like '500110%')
"""

M01 = Check(
    code="M01",
    title_zh="合并基金内没有生育保险费收入项目",
    title_en="no maternity income line in the merged fund",
    severity="fail",
    owner=ACCOUNTING,
    clause="国办发〔2019〕10号 二（二）：不再单列生育保险基金收入",
    offending="""
        select
            line.entry_id || '/' || line.line_no as item,
            line.entry_id, line.event_seq, line.fund_code, line.accounting_month, line.account_code,
                account.name_zh as account_name,
            line.debit_amount + line.credit_amount as amount
        from ledger.journal_line as line
        left join (
            select distinct on (account_code) account_code, name_zh from policy.chart_of_accounts
            order by account_code, effective_from desc, known_from desc
        ) as account on account.account_code = line.account_code
        where line.region_code = $region and line.event_seq > $after and line.event_seq <= $head
            and line.fund_code = 'EMI' and line.account_code like '4%'
            and (line.account_code like '400110%' or account.name_zh like '%生育%' or account.account_code is null)
        union all
        select
            concat_ws('/', 'statement', statement.accounting_month, statement.line_code), null, null,
                statement.fund_code,
            statement.accounting_month, statement.line_code, statement.line_name, statement.amount_month
        from ledger.candidate_income_expenditure_statement as statement
        where statement.region_code = $region and statement.fund_code = 'EMI' and statement.sub_fund = 'total'
            and statement.line_code like 'I%' and statement.line_name like '%生育%'
    """,
    examined=f"select count(*) from {LINES} and line.fund_code = 'EMI' and line.account_code like '4%'",
    population=f"""
        select count(*) from {EVENTS} and event.event_type = 'contribution.collected' and event.insurance_type = '310'
            and coalesce(event.employer_amount, 0) + coalesce(event.personal_amount, 0) + coalesce(event.late_fee,
                0) > 0
    """,
)

M02 = Check(
    code="M02",
    title_zh="生育待遇支出 = 生育医疗费用 + 生育津贴 = 生育支出明细 = 日志中的统筹生育支付",
    title_en="E113 = E1131 + E1132 = the maternity detail = pooled maternity payments in the log",
    severity="fail",
    owner=BENEFITS,
    clause="国办发〔2019〕10号；ledger §5 E113",
    offending=f"""
        with {STATEMENT}, {PUBLISHED_STATEMENT},
        touched as (select distinct line.fund_code, line.accounting_month from {LINES}),
        shown as (
            select fund_code, accounting_month,
                sum(amount_month) filter (where line_code = 'E113') as e113,
                sum(amount_month) filter (where line_code = 'E1131') as e1131,
                sum(amount_month) filter (where line_code = 'E1132') as e1132
            from statement where sub_fund = 'total' and line_code in ('E113', 'E1131', 'E1132')
            group by 1, 2
        ),
        detail as (
            select fund_code, accounting_month, sum(amount) as amount
            from ledger.candidate_maternity_expenditure as detail
            where detail.region_code = $region and detail.accounting_month = any(array(select accounting_month
                from touched))
            group by 1, 2
        ),
        shown_before as (
            select fund_code, accounting_month, amount_month as e113
            from published where sub_fund = 'total' and line_code = 'E113'
        ),
        paid as (
            select fund_code, accounting_month, sum(amount) as amount from ({MATERNITY_PAYMENTS})
                as payment group by 1, 2
        )
        select
            concat_ws('/', 'sum', fund_code, accounting_month) as item,
            'E113 ≠ E1131 + E1132' as reason,
            fund_code, accounting_month, e113 as statement_amount, e1131 + e1132 as compared_amount,
            abs(coalesce(e113, 0) - coalesce(e1131 + e1132, 0)) as amount
        from shown where e113 is distinct from e1131 + e1132
        union all
        select
            concat_ws('/', 'detail', fund_code, accounting_month),
                '收支表与生育支出明细不符 / the statement differs from the maternity detail',
            fund_code, accounting_month, shown.e113, detail.amount, abs(coalesce(shown.e113,
                0) - coalesce(detail.amount, 0))
        from (select shown.* from shown inner join touched using (fund_code, accounting_month)) as shown
        full join detail using (fund_code, accounting_month)
        where coalesce(shown.e113, 0) is distinct from coalesce(detail.amount, 0)
            and (fund_code, accounting_month) in (select fund_code, accounting_month from touched)
        union all
        select
            concat_ws('/', 'log', fund_code, accounting_month),
                '收支表与日志中的生育支付不符 / the statement differs from the payments in the log',
            fund_code, accounting_month, added.amount, paid.amount, abs(coalesce(added.amount,
                0) - coalesce(paid.amount, 0))
        from (
            select fund_code, accounting_month, coalesce(shown.e113, 0) - coalesce(shown_before.e113, 0) as amount
            from shown full join shown_before using (fund_code, accounting_month)
        ) as added
        full join paid using (fund_code, accounting_month)
        where coalesce(added.amount, 0) is distinct from coalesce(paid.amount, 0)
    """,
    examined=_MATERNITY_LINES,
    population=f"select count(*) from ({MATERNITY_PAYMENTS}) as payment",
)

M03 = Check(
    code="M03",
    title_zh="生育待遇支出不得由个人账户列支",
    title_en="no maternity benefit line carries the personal sub-fund",
    severity="fail",
    owner=BENEFITS,
    clause="国办发〔2019〕10号：生育待遇由统筹基金支付",
    offending=f"""
        select
            line.entry_id || '/' || line.line_no as item,
            line.entry_id, line.event_seq, line.fund_code, line.accounting_month, line.account_code, line.sub_fund,
            line.person_no, line.claim_no, line.benefit_item, line.debit_amount + line.credit_amount as amount
        from {LINES}
            and (line.account_code like '50010103%' or line.account_code like '500110%')
                and line.sub_fund is distinct from 'pooled'
        union all
        select
            concat_ws('/', 'statement', statement.fund_code, statement.accounting_month, statement.line_code), null,
                null,
            statement.fund_code, statement.accounting_month, statement.line_code, statement.sub_fund, null, null, null,
            statement.amount_month
        from ledger.candidate_income_expenditure_statement as statement
        where statement.region_code = $region and statement.sub_fund = 'personal' and statement.line_code like 'E113%'
            and statement.amount_month is distinct from 0
    """,
    examined=_MATERNITY_LINES,
    population=f"select count(*) from ({MATERNITY_PAYMENTS}) as payment",
)

M06 = Check(
    code="M06",
    title_zh="未向个人收取生育保险费",
    title_en="nothing is collected from individuals for maternity",
    severity="fail",
    owner=ACCOUNTING,
    clause="社会保险法 第五十三条：职工不缴纳生育保险费",
    offending=f"""
        select
            'event/' || event.seq as item, event.seq as event_seq, null::text as entry_id, event.contribution_month,
            event.person_no, event.employer_no, event.tax_voucher_no, event.personal_amount as amount
        from {CURRENT_EVENTS}
            and event.insurance_type = '510' and event.family = 'contribution'
            and (coalesce(event.personal_amount, 0) <> 0 or event.enrollment_category in ('flexible', 'retiree'))
        union all
        select
            line.entry_id || '/' || line.line_no, line.event_seq, line.entry_id, line.accounting_month,
            line.person_no, line.employer_no, line.receipt_no, line.debit_amount + line.credit_amount
        from {LINES_AND_EVENTS}
            and event.family = 'contribution' and event.insurance_type = '510' and line.sub_fund = 'personal'
    """,
    examined=f"""
        select count(*) from {LINES_AND_EVENTS}
            and event.family = 'contribution' and event.insurance_type = '510'
    """,
    population=f"""
        select count(*) from {EVENTS}
            and event.insurance_type = '510' and event.event_type in ('contribution.collected', 'contribution.refunded')
            and coalesce(event.employer_amount, 0) + coalesce(event.personal_amount, 0) + coalesce(event.late_fee,
                0) > 0
    """,
)

CHECKS: tuple[Check, ...] = (M01, M02, M03, M06)
