with head as (
    {{ ledger_head('published') }}
),

latest as (
    {{ region_latest_month() }}
),

delta as (
    select
        region_code, institution_code, accounting_month, last_seq,
        settled_amount, withheld_amount, claim_count,
        0 as paid_amount, 0 as taken_back_amount, 0 as released_amount, 0 as payment_amount, 0 as direct_amount, 0 as advance_amount
    from {{ ref('institution_settled') }}
    union all
    select
        region_code, institution_code, accounting_month, last_seq,
        0, 0, 0,
        paid_amount, taken_back_amount, released_amount, payment_amount, direct_amount, advance_amount
    from {{ ref('institution_turnover') }}
),

moved as (
    select
        delta.region_code,
        delta.institution_code,
        delta.accounting_month,
        sum(delta.settled_amount) as settled_amount,
        sum(delta.withheld_amount) as withheld_amount,
        sum(delta.claim_count) as claim_count,
        sum(delta.paid_amount) as paid_amount,
        sum(delta.taken_back_amount) as taken_back_amount,
        sum(delta.released_amount) as released_amount,
        sum(delta.payment_amount) as payment_amount,
        sum(delta.direct_amount) as direct_amount,
        sum(delta.advance_amount) as advance_amount
    from delta
    inner join head
        on delta.region_code = head.region_code and delta.last_seq <= head.seq and {{ readable('delta.region_code') }}
    group by delta.region_code, delta.institution_code, delta.accounting_month
),

-- From the first movement on every month has its row, to the region's latest month: balances stand still, they don't go away.
followed as (
    select
        moved.*,
        lead(moved.accounting_month) over (
            partition by moved.region_code, moved.institution_code order by moved.accounting_month
        ) as next_month
    from moved
),

monthly as (
    select
        followed.region_code,
        followed.institution_code,
        month.started_at::date as accounting_month,
        month.started_at = followed.accounting_month as is_moved,
        followed.settled_amount,
        followed.withheld_amount,
        followed.claim_count,
        followed.paid_amount,
        followed.taken_back_amount,
        followed.released_amount,
        followed.payment_amount,
        followed.direct_amount,
        followed.advance_amount
    from followed
    left join latest on followed.region_code = latest.region_code
    cross join lateral generate_series(
        followed.accounting_month::timestamp,
        coalesce(
            followed.next_month - interval '1 month',
            greatest(latest.latest_month, followed.accounting_month)::timestamp
        ),
        interval '1 month'
    ) as month (started_at)
),

balanced as (
    select
        *,
        coalesce(sum(withheld_amount - released_amount) filter (where is_moved) over so_far, 0) as deposit_balance,
        coalesce(sum(advance_amount) filter (where is_moved) over so_far, 0) as advance_balance,
        -- What was recovered or written back is no longer owed: it lowers what is paid and what was settled alike.
        coalesce(sum(settled_amount - paid_amount - taken_back_amount) filter (where is_moved) over so_far, 0) as not_yet_paid
    from monthly
    window so_far as (partition by region_code, institution_code order by accounting_month)
)

select
    region_code,
    institution_code,
    accounting_month,
    case when is_moved then settled_amount else 0 end::numeric(18, 2) as settled_amount,
    case when is_moved then paid_amount else 0 end::numeric(18, 2) as paid_amount,
    deposit_balance::numeric(18, 2) as deposit_withheld_amount,
    advance_balance::numeric(18, 2) as advance_balance,
    (not_yet_paid - deposit_balance)::numeric(18, 2) as unpaid_amount,
    case when is_moved then claim_count else 0 end::bigint as claim_count,
    case when is_moved then round(direct_amount / nullif(payment_amount, 0), 4) end::numeric(7, 4) as direct_settlement_share
from balanced
