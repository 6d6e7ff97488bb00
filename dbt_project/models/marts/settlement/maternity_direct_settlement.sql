with head as (
    {{ ledger_head('published') }}
),

{{ maternity_paid() }}

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
