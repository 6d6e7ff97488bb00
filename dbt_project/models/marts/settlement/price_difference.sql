with head as (
    {{ ledger_head('published') }}
),

{{ price_difference_ctes() }}

select
    region_code,
    event_seq,
    claim_no,
    settled_month,
    rule_date,
    person_no,
    institution_code,
    hospital_level,
    benefit_item,
    settlement_kind,
    payment_method,
    method_demanded,
    basis,
    gestation_weeks,
    stage,
    price::numeric(18, 2) as price,
    stage_price::numeric(18, 2) as stage_limit,
    case when basis = 'heads' then whole_prices when missing is null then 1 end::bigint as unit_count,
    settled_amount::numeric(18, 2) as settled_amount,
    pregnancy_amount::numeric(18, 2) as pregnancy_amount,
    stage_amount::numeric(18, 2) as stage_amount,
    case when not may_be_special then settled_amount - difference end::numeric(18, 2) as due_amount,
    case when not may_be_special then difference end::numeric(18, 2) as difference,
    case when missing is null and not may_be_special then greatest(difference, 0) end::numeric(18, 2) as over_amount,
    case when missing is null and not may_be_special then greatest(-difference, 0) end::numeric(18, 2) as under_amount,
    medical_fee_total::numeric(18, 2) as medical_fee_total,
    patient_paid_amount::numeric(18, 2) as patient_paid_amount,
    case
        when medical_fee_total is not null and patient_threshold is not null
            then round(greatest(medical_fee_total - patient_threshold, 0) * patient_share, 2)
    end::numeric(18, 2) as patient_share_due,
    case
        when missing is not null or may_be_special then 'not_computable'
        when difference > 0 then 'over'
        when difference < 0 then 'under'
        else 'as_priced'
    end as outcome,
    nullif(concat_ws(
        '；',
        missing,
        case
            when may_be_special then '恰为传染病等病例的加价，日志不能辨别 / exactly the addition for infectious cases, which the log can''t tell'
        end,
        case
            when missing is null and basis = 'limit' and difference > 0
                then '超过孕期或分段限额 / above the limit of the pregnancy or its stage'
        end,
        case
            when missing is null and basis = 'limit' and is_staged and stage is null
                then '孕周未载，分段限额未核对 / weeks not told: the limit of the stage was not applied'
        end,
        case when missing is null and not may_be_special and basis = 'case' and difference <> 0 then '与价格不符 / not the price' end
    ), '') as reason,
    coalesce(price_status, stage_status) as price_status,
    nullif(concat_ws('; ', price_rule, stage_rule), '') as rules
from compared
