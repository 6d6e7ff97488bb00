with head as (
    {{ ledger_head('published') }}
),

latest as (
    {{ region_latest_month() }}
),

-- The months in which the two accounts moved at all: the journal is reached by them.
moved as materialized (
    select distinct
        turnover.region_code,
        turnover.accounting_month,
        turnover.account_code,
        head.seq as head_seq
    from {{ ref('account_turnover') }} as turnover
    inner join head on turnover.region_code = head.region_code and turnover.last_seq <= head.seq
    where turnover.account_code in ('1101', '2001')
),

line as (
    select
        line.region_code,
        line.event_seq,
        line.account_code,
        line.debit_amount - line.credit_amount as amount,
        event.event_type,
        event.original_seq
    from moved
    inner join {{ ref('journal_line') }} as line
        on
            moved.region_code = line.region_code
            and moved.accounting_month = line.accounting_month
            and moved.account_code = line.account_code
            and moved.head_seq >= line.event_seq
            and {{ readable('line.region_code') }}
    inner join {{ source('events', 'event') }} as event
        on line.region_code = event.region_code and line.event_seq = event.seq
    where line.entry_kind in ('normal', 'opening')
),

-- Each line belongs to the item that it opens or settles. A reversed settlement gives back to the advance that was settled. The merger
-- moves items between funds and settles none.
placed as (
    select
        line.*,
        case
            when line.event_type in (
                'advance.paid', 'outofarea.advanced', 'outofarea.paid_for_others', 'receipt.unidentified', 'payment.returned',
                'balance.opened'
            ) then line.event_seq
            when original.event_type = 'advance.offset' then original.original_seq
            else coalesce(line.original_seq, line.event_seq)
        end as opened_seq
    from line
    left join {{ source('events', 'event') }} as original
        on line.region_code = original.region_code and line.original_seq = original.seq
),

open_item as (
    select
        placed.region_code,
        placed.account_code,
        placed.opened_seq,
        sum(placed.amount) filter (where placed.event_seq = placed.opened_seq) as opened_amount,
        sum(placed.amount) as amount
    from placed
    group by placed.region_code, placed.account_code, placed.opened_seq
    having sum(placed.amount) <> 0
),

aged as (
    select
        open_item.*,
        opener.fund_code,
        opener.event_type,
        opener.institution_code,
        opener.counterparty,
        opener.occurred_on as opened_on,
        latest.latest_month,
        {{ last_day('latest.latest_month') }} - opener.occurred_on as age_days
    from open_item
    inner join latest on open_item.region_code = latest.region_code
    inner join {{ source('events', 'event') }} as opener
        on open_item.region_code = opener.region_code and open_item.opened_seq = opener.seq
)

select
    aged.region_code,
    aged.account_code,
    aged.opened_seq as event_seq,
    aged.event_type,
    aged.fund_code,
    aged.institution_code,
    aged.counterparty,
    aged.opened_on,
    aged.latest_month as accounting_month,
    aged.age_days,
    band.band_code as age_band,
    abs(aged.opened_amount)::numeric(18, 2) as opened_amount,
    abs(aged.amount)::numeric(18, 2) as open_amount,
    threshold.yellow_above::integer as limit_days,
    coalesce(aged.age_days > threshold.yellow_above, false) as is_overdue
from aged
left join {{ ref('age_band') }} as band on aged.age_days between band.days_from and coalesce(band.days_to, aged.age_days)
left join lateral (
    {{ threshold_in_force(
        'aged.region_code',
        "case aged.account_code when '1101' then 'temporary_payment_days' else 'temporary_receipt_days' end",
        last_day('aged.latest_month')
    ) }}
) as threshold on true
