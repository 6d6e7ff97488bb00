with head as (
    {{ ledger_head('published') }}
),

-- Payments that the bank never made are left out; what came back later was settled as it was.
paid as (
    select
        event.region_code,
        date_trunc('month', event.occurred_on::timestamp)::date as paid_month,
        event.event_type = 'advance.offset' or event.payee_type = 'institution' as is_direct,
        event.claim_no,
        coalesce(event.pooled_amount, 0) + coalesce(event.personal_account_amount, 0) as amount
    from {{ source('events', 'event') }} as event
    inner join head
        on event.region_code = head.region_code and event.seq <= head.seq and {{ readable('event.region_code') }}
    where
        event.event_type in ('claim.paid', 'advance.offset')
        and event.benefit_item in ({{ quoted(maternity_medical_items()) }})
        and not exists (
            select from {{ source('events', 'event') }} as reversal
            where
                reversal.region_code = event.region_code and reversal.original_seq = event.seq
                and reversal.event_type = 'claim.reversed' and reversal.seq <= head.seq
        )
)

select
    region_code,
    paid_month,
    count(distinct claim_no) as claim_count,
    count(distinct claim_no) filter (where is_direct) as direct_claim_count,
    sum(amount)::numeric(18, 2) as amount,
    coalesce(sum(amount) filter (where is_direct), 0)::numeric(18, 2) as direct_amount,
    coalesce(sum(amount) filter (where not is_direct), 0)::numeric(18, 2) as reimbursed_amount,
    round(coalesce(sum(amount) filter (where is_direct), 0) / nullif(sum(amount), 0), 4)::numeric(9, 4) as direct_settlement_share
from paid
group by region_code, paid_month
