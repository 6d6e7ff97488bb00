{{ config(
    materialized='incremental', on_schema_change='fail', meta={'guards': ['append_only']},
    indexes=[{'columns': ['region_code', 'settled_month', 'institution_code']}, {'columns': ['region_code', 'last_seq']}]
) }}

-- By the day of payment, because a limit may change after the fact: whether a payment was in time is judged when it is read.
with event as (
    select * from {{ source('events', 'event') }}
    where
        {{ pending(ref('built_head'), 'last_seq', 'seq') }}
        and event_type in ('claim.settled', 'claim.paid', 'advance.offset', 'claim.reversed')
),

-- Materialized: a new ledger has no statistics yet, and the claims would be joined by their batch alone before the claim of a correction
-- is known, every event of a batch with all of its claims.
part as materialized (
    select
        event.region_code,
        event.batch_id,
        event.seq,
        coalesce(corrected.claim_no, event.claim_no) as claim_no,
        event.event_type = 'claim.settled' as is_settlement,
        coalesce(corrected.settlement_kind, event.settlement_kind, 'case') = 'deposit_release' as is_release,
        coalesce(corrected.event_type, event.event_type) = 'advance.offset'
        or coalesce(corrected.payee_type, event.payee_type) = 'institution' as is_direct,
        -- what the bank never paid is taken out of the day on which it was to be paid
        case when event.event_type <> 'claim.settled' then coalesce(corrected.occurred_on, event.occurred_on) end as paid_on,
        case event.event_type
            when 'claim.reversed' then -coalesce(corrected.pooled_amount, 0) - coalesce(corrected.personal_account_amount, 0)
            else coalesce(event.pooled_amount, 0) + coalesce(event.personal_account_amount, 0)
        end as amount,
        case when event.event_type = 'claim.settled' then coalesce(event.deposit_withheld_amount, 0) else 0 end as withheld_amount
    from event
    {{ join_corrected('event') }}
),

-- What is paid before its settlement is known keeps its claim: whoever reads looks the settlement up.
placed as (
    select
        part.*,
        claim.settled_month,
        claim.institution_code,
        claim.settled_seq,
        case when claim.settled_month is null then part.claim_no end as waiting_claim_no
    from part
    inner join {{ ref('claim_turnover') }} as claim
        on part.region_code = claim.region_code and part.claim_no = claim.claim_no and part.batch_id = claim.batch_id
)

select
    region_code,
    settled_month,
    institution_code,
    paid_on,
    waiting_claim_no as claim_no,
    batch_id,
    max(seq) as last_seq,
    count(*) filter (where is_settlement and seq = settled_seq) as claim_count,
    coalesce(sum(amount) filter (where is_settlement), 0)::numeric(18, 2) as settled_amount,
    sum(withheld_amount)::numeric(18, 2) as withheld_amount,
    coalesce(sum(amount) filter (where not is_settlement and not is_release), 0)::numeric(18, 2) as paid_amount,
    coalesce(sum(amount) filter (where not is_settlement and not is_release and is_direct), 0)::numeric(18, 2) as direct_amount,
    coalesce(sum(amount) filter (where not is_settlement and is_release), 0)::numeric(18, 2) as released_amount
from placed
group by region_code, settled_month, institution_code, paid_on, waiting_claim_no, batch_id
