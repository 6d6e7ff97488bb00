-- noqa: disable=ST05
with head as (
    {{ ledger_head('published') }}
),

{{ maternity_line('published') }},

-- A correction goes by the day of the care that it corrects, as the payment did.
dated as (
    select
        line.*,
        coalesce(
            corrected.discharged_on, corrected.service_on, corrected.occurred_on, {{ treatment_day('event') }}
        ) as rule_date
    from maternity_line as line
    inner join {{ source('events', 'event') }} as event on line.region_code = event.region_code and line.event_seq = event.seq
    {{ join_corrected('event') }}
),

ruled as (
    select
        dated.region_code,
        dated.fund_code,
        dated.accounting_month,
        dated.benefit_item,
        dated.payment_method,
        method.payment_method as method_demanded,
        max(method.status) as rule_status,
        dated.claim_no,
        dated.person_no,
        sum(dated.amount) as amount,
        -- without a price of every part it is no number of heads
        case when bool_and(head_price.price is not null) then sum(dated.amount / head_price.price) end as heads
    from dated
    left join lateral (
        {{ payment_method_in_force('dated.region_code', 'dated.benefit_item', 'dated.rule_date') }}
    ) as method on true
    left join lateral (
        select nullif(rule.price, 0) as price
        from {{ ref('policy_price') }} as rule
        where
            rule.region_code = dated.region_code and rule.benefit_item = dated.benefit_item
            and rule.weeks_from is null and rule.hospital_level is null and rule.price_kind = 'price'
            and {{ in_force('rule', 'dated.rule_date') }}
        order by rule.known_from desc, rule.effective_from desc
        limit 1
    ) as head_price on dated.payment_method = 'per_capita'
    group by
        dated.region_code, dated.fund_code, dated.accounting_month, dated.benefit_item, dated.payment_method, method.payment_method,
        dated.claim_no, dated.person_no
),

summed as (
    select
        region_code,
        fund_code,
        accounting_month,
        benefit_item,
        payment_method,
        method_demanded,
        max(rule_status) as rule_status,
        count(distinct claim_no) filter (where amount > 0) as claim_count,
        count(distinct person_no) filter (where amount > 0) as person_count,
        case when bool_and(heads is not null) then sum(heads) end as heads,
        sum(amount) as amount
    from ruled
    group by region_code, fund_code, accounting_month, benefit_item, payment_method, method_demanded
),

shared as (
    select
        *,
        sum(amount) over of_item as item_amount,
        sum(amount) filter (where method_demanded is not null) over of_item as ruled_amount,
        coalesce(sum(amount) filter (where payment_method = method_demanded) over of_item, 0) as demanded_amount
    from summed
    window of_item as (partition by region_code, fund_code, accounting_month, benefit_item)
)

select
    region_code,
    fund_code,
    accounting_month,
    benefit_item,
    payment_method,
    method_demanded,
    rule_status,
    coalesce(payment_method = method_demanded, false) as is_as_demanded,
    claim_count,
    person_count,
    case payment_method when 'per_capita' then round(heads, 2) else claim_count end::numeric(18, 2) as unit_count,
    case payment_method
        when 'per_capita' then case when heads is null then 'unknown' else 'heads_by_price' end
        when 'per_unit' then 'units'
        else 'cases'
    end as unit_basis,
    amount::numeric(18, 2) as amount,
    item_amount::numeric(18, 2) as item_amount,
    demanded_amount::numeric(18, 2) as demanded_amount,
    round(demanded_amount / nullif(ruled_amount, 0), 4)::numeric(9, 4) as demanded_method_share
from shared
