with head as (
    {{ ledger_head('published') }}
),

latest as (
    {{ region_latest_month() }}
),

premium as (
    select
        delta.region_code,
        delta.employer_no,
        delta.contribution_month,
        delta.insurance_type,
        delta.enrollment_category,
        sum(delta.assessed_change) as assessed_amount,
        sum(delta.collected_amount) as collected_amount,
        sum(delta.refunded_amount) as refunded_amount
    from {{ ref('contribution_turnover') }} as delta
    inner join head
        on delta.region_code = head.region_code and delta.last_seq <= head.seq and {{ readable('delta.region_code') }}
    group by
        delta.region_code, delta.employer_no, delta.contribution_month, delta.insurance_type, delta.enrollment_category
),

owed as (
    -- What was collected beyond the assessment of one row settles nothing of another.
    select *, greatest(assessed_amount - collected_amount + refunded_amount, 0) as arrears_amount
    from premium
)

select
    owed.region_code,
    owed.employer_no,
    owed.contribution_month,
    owed.insurance_type,
    owed.enrollment_category,
    owed.assessed_amount::numeric(18, 2) as assessed_amount,
    owed.collected_amount::numeric(18, 2) as collected_amount,
    owed.refunded_amount::numeric(18, 2) as refunded_amount,
    owed.arrears_amount::numeric(18, 2) as arrears_amount,
    case
        when owed.arrears_amount > 0 and latest.latest_month > owed.contribution_month
            then
                12 * (extract(year from latest.latest_month) - extract(year from owed.contribution_month))
                + extract(month from latest.latest_month) - extract(month from owed.contribution_month)
        else 0
    end::integer as months_overdue
from owed
left join latest on owed.region_code = latest.region_code
