-- noqa: disable=ST05
with head as (
    {{ ledger_head('published') }}
),

{{ business_calendar() }},

{{ provider_terms() }},

{{ settled_rows() }},

month as (
    select distinct region_code, settled_month
    from settled_row
    where settled_month is not null and institution_code is not null
),

-- Declared by a day of the next month; the working days are counted from the day after it.
due as (
    select
        month.region_code,
        month.settled_month,
        declared.day as declared_by,
        pay.limit_value as limit_working_days,
        pay.limit_status,
        counted.working_days as counted_from,
        last_day.day as due_on,
        counted.is_known and last_day.is_known as is_calendar_known
    from month
    left join lateral (
        {{ time_limit_in_force('month.region_code', "'declare_settlement'", 'month.settled_month') }}
    ) as declare on true
    left join lateral (
        {{ time_limit_in_force('month.region_code', "'pay_settlement'", 'month.settled_month') }}
    ) as pay on true
    cross join
        lateral (
            select (month.settled_month + interval '1 month' + make_interval(days => declare.limit_value - 1))::date as day
        ) as declared
    left join business_calendar as counted on declared.day = counted.day
    left join business_calendar as last_day
        on counted.working_days + pay.limit_value = last_day.working_days and last_day.is_working_day
),

summed as (
    select
        settled_row.region_code,
        settled_row.institution_code,
        settled_row.settled_month,
        sum(settled_row.claim_count) as claim_count,
        sum(settled_row.settled_amount) as settled_amount,
        sum(settled_row.withheld_amount) as withheld_amount,
        sum(settled_row.paid_amount) as paid_amount,
        sum(settled_row.direct_amount) as direct_amount,
        coalesce(sum(settled_row.paid_amount) filter (where settled_row.paid_on <= due.due_on), 0) as paid_in_time_amount,
        min(settled_row.paid_on) filter (where settled_row.paid_amount > 0) as first_paid_on,
        max(settled_row.paid_on) filter (where settled_row.paid_amount > 0) as last_paid_on,
        max(greatest(paid_day.working_days - due.counted_from, 0)) filter (where settled_row.paid_amount > 0) as working_days_max,
        sum(greatest(paid_day.working_days - due.counted_from, 0) * settled_row.paid_amount) filter (where settled_row.paid_amount > 0)
        / nullif(sum(settled_row.paid_amount) filter (where settled_row.paid_amount > 0 and paid_day.day is not null), 0)
            as working_days_average
    from settled_row
    inner join due on settled_row.region_code = due.region_code and settled_row.settled_month = due.settled_month
    left join business_calendar as paid_day on settled_row.paid_on = paid_day.day
    where settled_row.institution_code is not null
    group by settled_row.region_code, settled_row.institution_code, settled_row.settled_month
)

select
    summed.region_code,
    summed.institution_code,
    term.name_zh as institution_name,
    summed.settled_month,
    due.declared_by,
    due.limit_working_days::integer as limit_working_days,
    due.limit_status,
    due.due_on,
    coalesce(due.is_calendar_known, false) as is_calendar_known,
    summed.claim_count::bigint as claim_count,
    summed.settled_amount::numeric(18, 2) as settled_amount,
    summed.withheld_amount::numeric(18, 2) as withheld_amount,
    (summed.settled_amount - summed.withheld_amount)::numeric(18, 2) as payable_amount,
    summed.paid_amount::numeric(18, 2) as paid_amount,
    case when due.due_on is not null then summed.paid_in_time_amount end::numeric(18, 2) as paid_in_time_amount,
    case when due.due_on is not null then summed.paid_amount - summed.paid_in_time_amount end::numeric(18, 2) as paid_late_amount,
    (summed.settled_amount - summed.withheld_amount - summed.paid_amount)::numeric(18, 2) as unpaid_amount,
    summed.first_paid_on,
    summed.last_paid_on,
    round(summed.working_days_average, 1)::numeric(9, 1) as working_days_average,
    summed.working_days_max::integer as working_days_max,
    case
        when due.due_on is not null
            then round(summed.paid_in_time_amount / nullif(summed.settled_amount - summed.withheld_amount, 0), 4)
    end::numeric(9, 4) as in_time_share,
    summed.direct_amount::numeric(18, 2) as direct_amount,
    round(summed.direct_amount / nullif(summed.paid_amount, 0), 4)::numeric(9, 4) as direct_settlement_share
from summed
inner join due on summed.region_code = due.region_code and summed.settled_month = due.settled_month
left join lateral (
    {{ term_on('summed.region_code', 'summed.institution_code', 'summed.settled_month') }}
) as term on true
