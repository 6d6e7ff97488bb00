-- What was paid too much and what too little stand apart, in rows and in sums: neither is ever set off against the other.
with head as (
    {{ ledger_head('published') }}
),

{{ entitlement_ctes('published') }},

differing as (
    select
        entitlement.region_code,
        date_trunc('month', entitlement.paid_on::timestamp)::date as paid_month,
        entitlement.claim_no,
        entitlement.benefit_item,
        entitlement.outcome as kind,
        entitlement.person_no,
        entitlement.employer_no,
        entitlement.computed_amount as amount_due,
        entitlement.paid_amount::numeric(18, 2) as amount_paid,
        entitlement.awaited_amount::numeric(18, 2) as amount_awaited,
        greatest(entitlement.difference, 0)::numeric(18, 2) as overpaid_amount,
        greatest(-entitlement.difference, 0)::numeric(18, 2) as underpaid_amount,
        entitlement.reason_zh,
        entitlement.reason_en,
        entitlement.event_seq
    from entitlement
    where entitlement.outcome in ('overpaid', 'not_entitled', 'underpaid')
)

select
    differing.*,
    count(*) filter (where differing.overpaid_amount > 0) over each_month as month_overpaid_count,
    (sum(differing.overpaid_amount) over each_month)::numeric(18, 2) as month_overpaid_amount,
    count(*) filter (where differing.underpaid_amount > 0) over each_month as month_underpaid_count,
    (sum(differing.underpaid_amount) over each_month)::numeric(18, 2) as month_underpaid_amount
from differing
window each_month as (partition by differing.region_code, differing.paid_month)
