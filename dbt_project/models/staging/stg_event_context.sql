-- What an event refers to is read from the log itself, by key: a build looks up a few rows and never the whole history.
-- The root is the fact that a correction goes back to: it decides fund, accounts and the year compared. A fact is its own root.
with event as (
    select * from {{ ref('stg_event') }}
)

select
    event.*,
    referred.corrected_seq,
    coalesce(referred.advance_no, event.out_of_area_counterparty) as advance_no,
    referred.advance_institution_code,
    greatest(
        date_trunc('month', referred.occurred_on::timestamp)::date,
        referred.open_month
    ) as root_posting_month,
    coalesce(referred.event_type, event.event_type) as root_type,
    coalesce(referred.insurance_type, event.insurance_type, referred.advance_insurance_type) as root_insurance_type,
    coalesce(referred.enrollment_category, event.enrollment_category) as root_enrollment_category,
    coalesce(referred.benefit_item, event.benefit_item) as root_benefit_item,
    -- a recovery from the yearly clearing has no original: its service date stands for it
    coalesce(
        referred.occurred_on, case when event.event_type = 'claim.recovered' then event.service_on end, event.occurred_on
    ) as root_occurred_on,
    coalesce(referred.admitted_on, event.admitted_on) as root_admitted_on,
    case when referred.event_type is null then event.pay_account else coalesce(referred.pay_account, 'expenditure') end as root_pay_account,
    coalesce(referred.pooled_amount, 0) as root_pooled_amount,
    coalesce(referred.personal_account_amount, 0) as root_personal_account_amount,
    coalesce(referred.person_no, event.person_no) as root_person_no,
    coalesce(referred.employer_no, event.employer_no) as root_employer_no,
    coalesce(referred.institution_code, event.institution_code) as root_institution_code,
    coalesce(referred.payment_method, event.payment_method) as root_payment_method,
    coalesce(referred.claim_no, event.claim_no) as root_claim_no
from event
left join lateral (
    select
        root.seq as corrected_seq, root.event_type, root.occurred_on, root.insurance_type, root.enrollment_category, root.benefit_item,
        root.admitted_on, root.pay_account, root.pooled_amount, root.personal_account_amount, root.person_no, root.employer_no,
        root.institution_code, root.payment_method, root.claim_no, root_opened.open_month,
        coalesce(advance.claim_no, advance.counterparty) as advance_no,
        advance.institution_code as advance_institution_code,
        advance.insurance_type as advance_insurance_type
    from {{ source('events', 'event') }} as original
    left join {{ source('events', 'event') }} as root
        on
            original.region_code = root.region_code
            and root.seq = case
                when event.event_type = 'return.written_back' then original.original_seq
                when event.event_type in ('contribution.refunded', 'claim.reversed', 'claim.recovered', 'advance.returned')
                    then original.seq
            end
    left join {{ ref('stg_open_month') }} as root_opened
        on
            root.region_code = root_opened.region_code
            and root.seq > root_opened.after_seq
            and root.seq <= root_opened.until_seq
    left join {{ source('events', 'event') }} as advance
        on
            original.region_code = advance.region_code
            and advance.seq = case
                when event.event_type in ('advance.offset', 'advance.returned', 'outofarea.cleared', 'outofarea.reimbursed')
                    then original.seq
                when event.event_type in ('claim.reversed', 'claim.recovered') and original.event_type = 'advance.offset'
                    then original.original_seq
            end
    where event.region_code = original.region_code and event.original_seq = original.seq
    -- a look-up by key for the few events that refer to another, and never a join of the log with itself
    offset 0 -- noqa: AM09
) as referred on true
