-- What an event refers to is read from the log itself, by key: a build looks up a few rows and never the whole history.
-- The root is the fact that a correction goes back to: it decides fund, accounts and the year compared. A fact is its own root.
with event as (
    select * from {{ ref('stg_event') }}
),

related as (
    select
        event.*,
        original.event_type as original_type,
        case
            when event.event_type = 'return.written_back' then original.original_seq
            when event.event_type in ('contribution.refunded', 'claim.reversed', 'claim.recovered', 'advance.returned')
                then event.original_seq
        end as corrected_seq,
        case
            when event.event_type in ('advance.offset', 'advance.returned', 'outofarea.cleared', 'outofarea.reimbursed')
                then event.original_seq
            when event.event_type in ('claim.reversed', 'claim.recovered') and original.event_type = 'advance.offset'
                then original.original_seq
        end as advance_seq
    from event
    left join {{ source('events', 'event') }} as original
        on
            event.region_code = original.region_code
            and event.original_seq = original.seq
)

select
    related.*,
    -- out of area an advance has no number: it is kept by the other side
    coalesce(advance.claim_no, advance.counterparty) as advance_no,
    advance.institution_code as advance_institution_code,
    greatest(date_trunc('month', root.occurred_on::timestamp)::date, root_opened.open_month) as root_posting_month,
    coalesce(root.event_type, related.event_type) as root_type,
    coalesce(root.insurance_type, related.insurance_type, advance.insurance_type) as root_insurance_type,
    coalesce(root.enrollment_category, related.enrollment_category) as root_enrollment_category,
    coalesce(root.benefit_item, related.benefit_item) as root_benefit_item,
    -- a recovery from the yearly clearing has no original: its service date stands for it
    coalesce(
        root.occurred_on, case when related.event_type = 'claim.recovered' then related.service_on end, related.occurred_on
    ) as root_occurred_on,
    coalesce(root.admitted_on, related.admitted_on) as root_admitted_on,
    case when root.seq is null then related.pay_account else coalesce(root.pay_account, 'expenditure') end as root_pay_account,
    coalesce(root.pooled_amount, 0) as root_pooled_amount,
    coalesce(root.personal_account_amount, 0) as root_personal_account_amount
from related
left join {{ source('events', 'event') }} as root
    on
        related.region_code = root.region_code
        and related.corrected_seq = root.seq
left join {{ ref('stg_open_month') }} as root_opened
    on
        root.region_code = root_opened.region_code
        and root.seq > root_opened.after_seq
        and root.seq <= root_opened.until_seq
left join {{ source('events', 'event') }} as advance
    on
        related.region_code = advance.region_code
        and related.advance_seq = advance.seq
