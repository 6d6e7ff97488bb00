"""SQL of check T06: what is still open of each temporary payment (1101) and receipt (2001), and since when.

Lines are reached by month and account, in the months in which the two accounts moved at all: the cost follows the
number of temporary items.
"""

from __future__ import annotations

from expectations.suites._tie_out_sql import BOOKS_DAY, threshold

# Days after which an open item is to be settled, where a region's thresholds say nothing.
OPEN_DAYS = 365

_ACCOUNTS = "('1101', '2001')"

TEMPORARY_LINES = f"""ledger.journal_line as line
        where line.region_code = $region and line.event_seq <= $head and line.account_code in {_ACCOUNTS}
            and line.entry_kind in ('normal', 'opening')
            and line.accounting_month = any(array(
                select distinct turnover.accounting_month from ledger.account_turnover as turnover
                where turnover.region_code = $region and turnover.account_code in {_ACCOUNTS}
            ))"""

TEMPORARY_TURNOVER = f"""
    select coalesce(sum(turnover.line_count), 0) from ledger.account_turnover as turnover
    where turnover.region_code = $region and turnover.last_seq <= $head and turnover.account_code in {_ACCOUNTS}
        and turnover.entry_kind in ('normal', 'opening')
"""

# Each line belongs to the item that it opens or settles. A reversed settlement gives back to the advance that was
# settled. The merger moves items between funds and settles none.
TEMPORARY_ITEMS = f"""
    with line as (
        select line.region_code, line.event_seq, line.entry_id, line.account_code, line.fund_code,
            line.debit_amount - line.credit_amount as amount
        from {TEMPORARY_LINES}
    ),
    placed as (
        select
            line.account_code, line.event_seq, line.entry_id, line.amount,
            case
                when event.event_type in ('advance.paid', 'outofarea.advanced', 'outofarea.paid_for_others',
                    'receipt.unidentified', 'payment.returned', 'balance.opened') then event.seq
                when original.event_type = 'advance.offset' then original.original_seq
                else coalesce(event.original_seq, event.seq)
            end as opened_seq
        from line
        inner join events.event as event on event.region_code = line.region_code and event.seq = line.event_seq
        left join events.event as original
            on original.region_code = event.region_code and original.seq = event.original_seq
    ),
    open_item as (
        select placed.account_code, placed.opened_seq,
            min(placed.entry_id) filter (where placed.event_seq = placed.opened_seq) as entry_id,
            sum(placed.amount) filter (where placed.event_seq = placed.opened_seq) as opened_amount,
            sum(placed.amount) as amount
        from placed
        group by placed.account_code, placed.opened_seq
        having sum(placed.amount) <> 0
    ),
    aged as (
        select open_item.*, opener.fund_code, opener.institution_code, opener.counterparty,
            opener.occurred_on as opened_on, {BOOKS_DAY} - opener.occurred_on as age_days,
            case open_item.account_code
                when '1101' then {threshold("temporary_payment_days", "yellow_above", OPEN_DAYS)}
                else {threshold("temporary_receipt_days", "yellow_above", OPEN_DAYS)}
            end as limit_days
        from open_item
        inner join events.event as opener on opener.region_code = $region and opener.seq = open_item.opened_seq
    )
    select
        aged.account_code || '/' || aged.opened_seq as item,
        case aged.account_code when '1101' then '暂付款长期未清 / a temporary payment has long been open'
            else '暂收款长期未清 / a temporary receipt has long been open' end as reason,
        aged.account_code, aged.fund_code, aged.entry_id, aged.opened_seq as event_seq, aged.institution_code,
        aged.counterparty, aged.opened_on, aged.age_days, aged.limit_days, abs(aged.opened_amount) as opened_amount,
        abs(aged.amount) as amount
    from aged
    where aged.age_days > aged.limit_days
"""
