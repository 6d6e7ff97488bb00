-- noqa: disable=ST05
with head as (
    {{ ledger_head('published') }}
),

{{ provider_terms() }},

{{ maternity_paid() }},

placed as (
    select
        paid.*,
        term.name_zh,
        term.name_en,
        term.hospital_level,
        case when term.is_in_force then term.effective_from end as agreement_from,
        case when term.is_in_force then term.effective_to end as agreement_to,
        case when term.is_in_force then term.signed_on end as signed_on,
        term.status as agreement_status,
        case
            when term.effective_from is null then 'none'
            when not term.is_in_force then 'not_in_force'
            when not term.covers_maternity then 'without_maternity'
            else 'valid'
        end as outcome
    from paid
    left join lateral (
        {{ term_on('paid.region_code', 'paid.institution_code', 'paid.service_date') }}
    ) as term on true
    where paid.is_direct and paid.institution_code is not null
)

select
    region_code,
    institution_code,
    max(name_zh) as institution_name,
    max(name_en) as institution_name_en,
    max(hospital_level) as hospital_level,
    agreement_from,
    max(agreement_to) as agreement_to,
    max(signed_on) as signed_on,
    max(agreement_status) as agreement_status,
    outcome,
    count(distinct claim_no) as claim_count,
    count(distinct person_no) as person_count,
    min(service_date) as first_service_on,
    max(service_date) as last_service_on,
    sum(amount)::numeric(18, 2) as amount,
    coalesce(sum(amount) filter (where outcome <> 'valid'), 0)::numeric(18, 2) as amount_without
from placed
group by region_code, institution_code, agreement_from, outcome
