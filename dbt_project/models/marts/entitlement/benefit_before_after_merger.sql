-- noqa: disable=ST05,ST03
-- The same case by the rules of the day before the merger and by those since: a benefit is reduced when the new rules give less, or when
-- less than the old rules gave was paid. Wages that are indexed each year are the same rule.
with head as (
    {{ ledger_head('published') }}
),

{{ cash_by_old_and_new_rules('published') }},

{{ medical_by_old_and_new_rules('published') }},

each_case as (
    select
        region_code, benefit_item, claim_no, person_no, event_seq, merger_date, event_on, days_old_rules, days_new_rules,
        amount_old_rules, amount_new_rules, amount_paid, amount_awaited, rules_old, rules_new,
        null::numeric as own_amount, null::numeric as fee_total,
        reason_old_zh, reason_old_en, reason_new_zh, reason_new_en, true as is_cash
    from cash_case
    union all
    select
        region_code, benefit_item, claim_no, person_no, event_seq, merger_date, event_on, null, null,
        amount_old_rules, amount_new_rules, amount_paid, amount_awaited, null, null, own_amount, fee_total,
        case when amount_old_rules is null then '合并前无单一病种价格' end,
        case when amount_old_rules is null then 'no single price of the disease before the merger' end,
        case when amount_new_rules is null then '合并后无单一病种价格' end,
        case when amount_new_rules is null then 'no single price of the disease since the merger' end,
        false
    from medical_case
),

compared as (
    select
        *,
        event_on >= merger_date as is_after_merger,
        greatest(amount_old_rules - amount_new_rules, 0) as reduced_by_rules,
        -- a price of the disease is owed to the hospital: the fee may well be below it
        case
            when is_cash and event_on >= merger_date then greatest(amount_old_rules - amount_paid - amount_awaited, 0)
        end as paid_below_old_rules
    from each_case
)

select
    region_code,
    benefit_item,
    claim_no,
    person_no,
    event_on,
    merger_date,
    is_after_merger,
    case
        when merger_date is null or amount_old_rules is null or amount_new_rules is null then 'not_computable'
        when reduced_by_rules > 0 then 'reduced_by_rules'
        when paid_below_old_rules > 0 then 'paid_below_old_rules'
        else 'not_reduced'
    end as kind,
    days_old_rules,
    days_new_rules,
    amount_old_rules::numeric(18, 2) as amount_old_rules,
    amount_new_rules::numeric(18, 2) as amount_new_rules,
    amount_paid::numeric(18, 2) as amount_paid,
    amount_awaited::numeric(18, 2) as amount_awaited,
    reduced_by_rules::numeric(18, 2) as reduced_by_rules_amount,
    paid_below_old_rules::numeric(18, 2) as paid_below_old_amount,
    own_amount::numeric(18, 2) as own_amount,
    fee_total::numeric(18, 2) as fee_total,
    rules_old,
    rules_new,
    nullif(concat_ws('；', '合并前规则：' || reason_old_zh, '合并后规则：' || reason_new_zh), '') as reason_zh,
    nullif(concat_ws('; ', 'by the old rules: ' || reason_old_en, 'by the new rules: ' || reason_new_en), '') as reason_en,
    event_seq
from compared
