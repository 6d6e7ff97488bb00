with event as (
    select * from {{ source('events', 'event') }}
),

-- one row a region: the month open to an event is found by bisection, however many months have been closed
opening as (
    select
        region_code,
        array_agg(after_seq order by after_seq) as after_seqs,
        array_agg(open_month order by after_seq) as open_months
    from {{ ref('stg_open_month') }}
    group by region_code
),

timed as (
    select
        event.*,
        region.merger_date,
        region.merger_month,
        (event.recorded_at at time zone 'Asia/Shanghai')::date as known_on,
        event.occurred_on < region.merger_date as is_before_merger,
        date_trunc('month', event.occurred_on::timestamp)::date as occurred_month,
        opening.open_months[width_bucket(event.seq - 1, opening.after_seqs)] as open_month,
        coalesce(type.carries_money, true) as carries_money,
        coalesce(type.business_type, 'unknown') as business_type
    from event
    left join {{ ref('event_type') }} as type
        on event.event_type = type.event_type
    left join {{ ref('stg_region') }} as region
        on
            event.region_code = region.region_code
            and (event.recorded_at at time zone 'Asia/Shanghai')::date >= region.known_from
            and (event.recorded_at at time zone 'Asia/Shanghai')::date < region.known_until
    left join opening
        on event.region_code = opening.region_code
)

select
    region_code, seq, batch_id, event_type, business_type, carries_money, known_on, occurred_on, original_seq,
    merger_date, merger_month, is_before_merger,
    greatest(occurred_month, open_month) as posting_month,
    greatest(occurred_on, open_month) as posting_date,
    case when open_month > occurred_month then occurred_month end as original_month,
    accounting_month, insurance_type, enrollment_category, benefit_item,
    coalesce(settlement_kind, 'case') as settlement_kind,
    -- an advance to another area has no number: it is kept by the other side
    case when business_type = 'out_of_area' then counterparty end as out_of_area_counterparty,
    admitted_on, service_on, claim_no, institution_code, person_no, employer_no, payment_method, tax_voucher_no as receipt_no,
    case when event_type like 'claim.%' or event_type like 'advance.%' then coalesce(pay_account, 'expenditure') end as pay_account,
    case
        when event_type in ('claim.recovered', 'advance.returned') then coalesce(deposit_account, 'special')
        else deposit_account
    end as deposit_account,
    fund_code, sub_fund, account, from_account, to_account, identified_as,
    coalesce(employer_amount, 0) as employer_amount,
    coalesce(personal_amount, 0) as personal_amount,
    coalesce(personal_account_credit, 0) as personal_account_credit,
    coalesce(late_fee, 0) as late_fee,
    coalesce(pooled_amount, 0) as pooled_amount,
    coalesce(personal_account_amount, 0) as personal_account_amount,
    coalesce(amount, 0) as amount
from timed
