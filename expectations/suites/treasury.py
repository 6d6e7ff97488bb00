"""Treasury and reconciliation: money keeps to its paths, the books agree with outside statements (T01-T06)."""

from __future__ import annotations

from expectations.check import Check
from expectations.suites._fiscal_identity_sql import IDENTITY
from expectations.suites._fragments import LINES, LOG_MONEY
from expectations.suites._temporary_items_sql import TEMPORARY_ITEMS, TEMPORARY_LINES, TEMPORARY_TURNOVER
from expectations.suites._tie_out_sql import compared_statements, differing_items, new_statements

ACCOUNTING = "fund_accounting"
BENEFITS = "benefit_settlement"

# Accounts between which money may move: those that a path of the seed begins or ends with.
_MONEY = """
    select account.account_code, account.symbol from policy.money_account as account
    where account.symbol in (select from_account from policy.cash_path union select to_account from policy.cash_path)
"""
_MONEY_LINES = (
    f"{LINES} and line.entry_kind = 'normal' and line.account_code in (select account_code from ({_MONEY}) as money)"
)

# What an entry takes out of each account or brings into it; red lines count by their sign.
_PATHS = f"""
    with moved as (
        select line.event_seq, line.entry_no, line.fund_code, line.account_code, min(line.entry_id) as entry_id,
            min(line.event_type) as event_type, min(line.accounting_month) as accounting_month,
            min(line.institution_code) as institution_code,
            sum(line.debit_amount - line.credit_amount) as amount
        from {_MONEY_LINES}
        group by line.event_seq, line.entry_no, line.fund_code, line.account_code
        having sum(line.debit_amount - line.credit_amount) <> 0
    ),
    allowed_path as (
        select source.account_code as from_account, target.account_code as to_account
        from policy.cash_path as path
        inner join policy.money_account as source on source.symbol = path.from_account
        inner join policy.money_account as target on target.symbol = path.to_account
    ),
    pair as (
        select taken.entry_id, taken.event_seq, taken.fund_code, taken.accounting_month, taken.event_type,
            taken.account_code as from_account, brought.account_code as to_account, taken.institution_code,
            least(-taken.amount, brought.amount) as amount
        from moved as taken
        inner join moved as brought using (event_seq, entry_no, fund_code)
        where taken.amount < 0 and brought.amount > 0
    ),
    single as (
        select moved.*, case when moved.amount > 0 then 'in' else 'out' end as direction
        from moved
        where not exists (
            select from moved as other
            where other.event_seq = moved.event_seq and other.entry_no = moved.entry_no
                and other.fund_code = moved.fund_code and sign(other.amount) = -sign(moved.amount)
        )
    )
    select
        pair.entry_id || '/' || pair.from_account || '>' || pair.to_account as item,
        '不允许的划转路径 / no such path between accounts' as reason,
        pair.entry_id, pair.event_seq, pair.fund_code, pair.accounting_month, pair.from_account, pair.to_account,
        pair.institution_code, pair.amount
    from pair
    where (pair.from_account, pair.to_account) not in (select from_account, to_account from allowed_path)
        or pair.event_type <> 'cash.transferred'
    union all
    select
        single.entry_id || '/' || single.account_code || '/' || single.direction,
        case single.direction
            when 'in' then '该业务的款项不得存入此账户 / money of this kind must not come into this account'
            else '该业务不得由此账户付款 / payments of this kind must not leave this account'
        end,
        single.entry_id, single.event_seq, single.fund_code, single.accounting_month,
        case single.direction when 'out' then single.account_code end,
        case single.direction when 'in' then single.account_code end,
        single.institution_code, abs(single.amount)
    from single
    where not exists (
        select from policy.money_account_use as allowed
        where allowed.event_type = single.event_type and allowed.account_code = single.account_code
            and allowed.direction = single.direction
    )
"""

# Types that always move a deposit or cash, whatever their row says.
_ALWAYS_MOVE_MONEY = (
    "'claim.paid', 'cash.transferred', 'interest.credited', 'subsidy.received', 'superior.received', "
    "'subordinate.received', 'remitted.up', 'subsidised.down', 'transfer.received', 'transfer.sent', "
    "'receipt.unidentified', 'payment.returned', 'payment.reissued', 'other.received', 'other.paid', "
    "'catastrophic.transferred', 'account.paid_out', 'advance.paid', 'advance.returned'"
)

T01 = Check(
    code="T01",
    title_zh="资金只在允许的路径上收付",
    title_en="money moves along allowed paths only",
    severity="fail",
    owner=ACCOUNTING,
    clause="财社〔2017〕144号 第四十条至第四十二条；ledger §2",
    offending=_PATHS,
    examined=f"select count(*) from (select distinct line.event_seq, line.entry_no from {_MONEY_LINES}) as entry",
    population=f"""
        select count(*) from ({LOG_MONEY}) as log_money
        where log_money.amount > 0 and log_money.event_type in ({_ALWAYS_MOVE_MONEY})
    """,
)

T02 = Check(
    code="T02",
    title_zh="各账户账面余额与银行、国库对账单相符，差额由未达账项说明",
    title_en="account balances equal the outside statement, but for named items in transit",
    severity="fail",
    owner=ACCOUNTING,
    clause="社会保险经办条例 第四十一条；财社〔2017〕144号 第四十条至第四十二条",
    relists=True,
    offending=differing_items("bank_balance", "T02"),
    examined=compared_statements("bank_balance", "T02"),
    population=new_statements("bank_balance"),
)

T03 = Check(
    code="T03",
    title_zh="账面征收额（含滞纳金）与税务机关逐日、逐月合计相符",
    title_en="collections with late fees equal the tax office's totals of each day and month",
    severity="fail",
    owner=ACCOUNTING,
    clause="社会保险经办条例 第四十一条；社会保险费征缴暂行条例 第十五条",
    relists=True,
    offending=differing_items("tax_collected", "T03"),
    examined=compared_statements("tax_collected", "T03"),
    population=new_statements("tax_collected"),
)

T04 = Check(
    code="T04",
    title_zh="财政侧支出与经办侧支出勾稽相符",
    title_en="the fiscal side's expenditure reconciles with the agency's",
    severity="fail",
    owner=ACCOUNTING,
    clause="财办〔2018〕43号；社会保险经办条例 第四十一条；quality T04",
    relists=True,
    offending=differing_items("fiscal_expenditure", "T04", more=IDENTITY),
    examined=compared_statements("fiscal_expenditure", "T04"),
    population=new_statements("fiscal_expenditure"),
)

T05 = Check(
    code="T05",
    title_zh="支付定点机构的金额与机构对账单相符",
    title_en="payments to each institution equal its own statement",
    severity="warn",
    owner=BENEFITS,
    clause="社会保险经办条例 第四十一条",
    relists=True,
    offending=differing_items("institution_settled", "T05", always_warns=True),
    examined=compared_statements("institution_settled", "T05"),
    population=new_statements("institution_settled"),
)

T06 = Check(
    code="T06",
    title_zh="暂付款、暂收款没有长期挂账",
    title_en="no temporary payment or receipt stays open beyond the limit",
    severity="warn",
    owner=ACCOUNTING,
    clause="财社〔2017〕144号：暂付、暂收款项应及时清理",
    offending=TEMPORARY_ITEMS,
    examined=f"select count(*) from {TEMPORARY_LINES}",
    population=TEMPORARY_TURNOVER,
)

CHECKS: tuple[Check, ...] = (T01, T02, T03, T04, T05, T06)
