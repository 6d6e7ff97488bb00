with head as (
    {{ ledger_head('published') }}
),

{{ maternity_claim_month() }},

{{ maternity_first_paid() }},

visit as (
    select
        region_code,
        accounting_month,
        benefit_item,
        count(*) as visit_count
    from first_paid
    group by region_code, accounting_month, benefit_item
),

paid as (
    select
        claim_month.region_code,
        claim_month.accounting_month,
        claim_month.benefit_item,
        count(distinct claim_month.claim_no) filter (where claim_month.amount > 0) as claim_count,
        count(distinct claim_month.person_no) filter (where claim_month.amount > 0) as person_count,
        sum(claim_month.amount) as amount
    from claim_month
    group by claim_month.region_code, claim_month.accounting_month, claim_month.benefit_item
)

select
    paid.region_code,
    paid.accounting_month,
    paid.benefit_item,
    coalesce(definition.definition_code, 'none') as visit_definition,
    coalesce(paid.benefit_item = any(string_to_array(definition.counted_items, ' ')), false) as is_counted_as_visit,
    coalesce(visit.visit_count, 0)::bigint as visit_count,
    paid.claim_count::bigint as claim_count,
    paid.person_count::bigint as person_count,
    paid.amount::numeric(18, 2) as amount,
    round({{ per_case('paid.amount', 'paid.claim_count') }}, 2)::numeric(18, 2) as amount_per_claim,
    round({{ per_case('paid.amount', 'paid.person_count') }}, 2)::numeric(18, 2) as amount_per_person
from paid
left join visit
    on
        paid.region_code = visit.region_code
        and paid.accounting_month = visit.accounting_month
        and paid.benefit_item = visit.benefit_item
left join lateral (
    {{ definition_in_force('visit', 'paid.accounting_month') }}
) as definition on true
