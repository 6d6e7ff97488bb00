-- Which fund books the event, and by which group of benefits.
with event as (
    select
        *,
        case
            when event_type like 'contribution.%' or event_type like 'claim.%' or event_type like 'advance.%'
                then root_insurance_type = '510' and root_occurred_on < merger_date
            else fund_code = 'MAT'
        end as is_maternity_fact,
        -- what the medical fund clears out of area it clears for its own insured
        (root_insurance_type = '310' or (event_type = 'outofarea.cleared' and fund_code = 'EMI'))
        and root_occurred_on < merger_date as is_medical_before_merger
    from {{ ref('stg_event_context') }}
),

funded as (
    select
        *,
        case
            when is_maternity_fact and is_before_merger and posting_month < merger_month then 'MAT'
            else 'EMI'
        end as target_fund_code,
        case
            when root_benefit_item in ('inpatient', 'pharmacy', 'maternity_allowance', 'nutrition_subsidy') then root_benefit_item
            when root_benefit_item in ('outpatient', 'outpatient_chronic') then 'outpatient'
            when root_benefit_item in (
                'prenatal', 'delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage', 'family_planning',
                'maternity_complication'
            ) then 'maternity_medical'
        end as benefit_group
    from event
)

select
    *,
    case
        when target_fund_code = 'MAT' then 'mat_' || benefit_group
        when benefit_group in ('maternity_allowance', 'nutrition_subsidy') and is_medical_before_merger then 'pre_merger_' || benefit_group
        when benefit_group = 'maternity_medical' and is_medical_before_merger
            then case when root_admitted_on is not null then 'pre_merger_admitted' else 'pre_merger_outpatient' end
        else benefit_group
    end as benefit_class,
    case when benefit_group in ('inpatient', 'pharmacy') then benefit_group else 'outpatient' end as personal_class,
    extract(year from posting_month)
    = extract(
        year from coalesce(
            root_posting_month, case when event_type = 'claim.recovered' then service_on end, posting_month
        )
    ) as is_same_year
from funded
