-- noqa: disable=ST05
with head as (
    {{ ledger_head('published') }}
),

{{ provider_terms() }},

-- Paid to the institution itself: offsets of its advances too, payments that the bank never made left out.
paid as (
    select
        event.region_code,
        event.institution_code,
        event.claim_no,
        event.person_no,
        {{ treatment_day('event') }} as service_date,
        coalesce(event.pooled_amount, 0) + coalesce(event.personal_account_amount, 0) as amount
    from {{ source('events', 'event') }} as event
    inner join head
        on event.region_code = head.region_code and event.seq <= head.seq and {{ readable('event.region_code') }}
    where
        event.event_type in ('claim.paid', 'advance.offset')
        and event.benefit_item in ({{ quoted(maternity_medical_items()) }})
        and event.institution_code is not null
        and (event.event_type = 'advance.offset' or event.payee_type = 'institution')
        and not exists (
            select from {{ source('events', 'event') }} as reversal
            where
                reversal.region_code = event.region_code and reversal.original_seq = event.seq
                and reversal.event_type = 'claim.reversed' and reversal.seq <= head.seq
        )
),

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
