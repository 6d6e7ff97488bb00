-- Recomputed when read, from what is known at the built head: an assessment, a birth or a rule that comes later must change the answer.
-- Everything is looked up by index from (region_code, claim_no): a reader who names claims pays for those alone (decisions 0036, 0046).
with head as (
    {{ ledger_head('built') }}
),

{{ entitlement_ctes('built') }}

select
    region_code,
    event_seq,
    claim_no,
    benefit_item,
    person_no,
    employer_no,
    rule_date,
    paid_on,
    care_item,
    care_claim_no,
    all_rules as rules,
    days,
    stated_days,
    daily_base::numeric(18, 2) as daily_base,
    stated_base,
    demanded_base::numeric(18, 2) as demanded_base,
    coalesce(consecutive_months, 0)::integer as waiting_months,
    coalesce(months_lacking, 0)::integer as months_lacking,
    coalesce(months_beyond_log, 0)::integer as months_beyond_log,
    payee_type,
    payee_demanded,
    computed_amount,
    paid_amount::numeric(18, 2) as paid_amount,
    awaited_amount::numeric(18, 2) as awaited_amount,
    difference,
    outcome,
    concat_ws(' / ', reason_zh, reason_en) as reason,
    clause
from entitlement
