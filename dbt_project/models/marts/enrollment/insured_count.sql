with head as (
    {{ ledger_head('published') }}
),

latest as (
    {{ region_latest_month() }}
),

reach as (
    {{ insured_reach() }}
),

calendar as (
    {{ insured_calendar() }}
),

turnover as (
    select
        delta.region_code,
        delta.insured_month,
        delta.insurance_type,
        delta.enrollment_category,
        delta.worker_group,
        delta.employer_no,
        sum(delta.person_change)::integer as person_change,
        sum(delta.joined_change)::integer as joined_count,
        sum(delta.left_change)::integer as left_count,
        sum(delta.moved_in_change)::integer as moved_in_count,
        sum(delta.moved_out_change)::integer as moved_out_count,
        sum(delta.within_month_change)::integer as within_month_count
    from {{ ref('insured_turnover') }} as delta
    inner join head
        on delta.region_code = head.region_code and delta.last_seq <= head.seq and {{ readable('delta.region_code') }}
    group by
        delta.region_code, delta.insured_month, delta.insurance_type, delta.enrollment_category, delta.worker_group,
        delta.employer_no
),

-- An employer counts from the month in which its first person is insured to the one in which the last has gone.
employer_turn as (
    select
        *,
        (persons > 0)::integer - (persons - person_change > 0)::integer as employer_change,
        (category_persons > 0)::integer - (category_persons - category_person_change > 0)::integer as category_change,
        row_number() over (
            partition by region_code, insurance_type, enrollment_category, employer_no, insured_month
            order by worker_group
        ) as group_no
    from (
        select
            *,
            sum(person_change) over (
                partition by region_code, insurance_type, enrollment_category, worker_group, employer_no
                order by insured_month
            ) as persons,
            sum(person_change) over (
                partition by region_code, insurance_type, enrollment_category, employer_no
                order by insured_month
            ) as category_persons,
            sum(person_change) over (
                partition by region_code, insurance_type, enrollment_category, employer_no, insured_month
            ) as category_person_change
        from turnover
        where employer_no is not null
    ) as running
),

category_employer as materialized (
    select
        region_code,
        insurance_type,
        enrollment_category,
        insured_month,
        sum(sum(category_change)) over (
            partition by region_code, insurance_type, enrollment_category order by insured_month
        ) as employers
    from employer_turn
    where group_no = 1
    group by region_code, insurance_type, enrollment_category, insured_month
),

flow as (
    select
        region_code,
        insured_month,
        insurance_type,
        enrollment_category,
        worker_group,
        sum(person_change) as person_change,
        sum(joined_count) as joined_count,
        sum(left_count) as left_count,
        sum(moved_in_count) as moved_in_count,
        sum(moved_out_count) as moved_out_count,
        sum(within_month_count) as within_month_count,
        sum(employer_change) as employer_change
    from (
        select
            region_code,
            insured_month,
            insurance_type,
            enrollment_category,
            worker_group,
            person_change,
            joined_count,
            left_count,
            moved_in_count,
            moved_out_count,
            within_month_count,
            0 as employer_change
        from turnover
        union all
        select
            region_code,
            insured_month,
            insurance_type,
            enrollment_category,
            worker_group,
            0,
            0,
            0,
            0,
            0,
            0,
            employer_change
        from employer_turn
    ) as change
    group by region_code, insured_month, insurance_type, enrollment_category, worker_group
),

kind as (
    select distinct
        region_code,
        insurance_type,
        enrollment_category,
        worker_group
    from flow
),

counted as (
    select
        calendar.region_code,
        calendar.insured_month,
        calendar.next_month,
        calendar.merger_date,
        kind.insurance_type,
        kind.enrollment_category,
        kind.worker_group,
        sum(flow.person_change) over each_kind as person_count,
        sum(flow.employer_change) over each_kind as employer_count,
        coalesce(flow.joined_count, 0) as joined_count,
        coalesce(flow.left_count, 0) as left_count,
        coalesce(flow.moved_in_count, 0) as moved_in_count,
        coalesce(flow.moved_out_count, 0) as moved_out_count,
        coalesce(flow.within_month_count, 0) as within_month_count
    from kind
    inner join calendar on kind.region_code = calendar.region_code
    left join flow
        on
            calendar.region_code = flow.region_code
            and calendar.insured_month = flow.insured_month
            and kind.insurance_type = flow.insurance_type
            and kind.enrollment_category = flow.enrollment_category
            and kind.worker_group is not distinct from flow.worker_group
    window each_kind as (
        partition by calendar.region_code, kind.insurance_type, kind.enrollment_category, kind.worker_group
        order by calendar.insured_month
    )
)

select
    counted.region_code,
    counted.insured_month,
    counted.insurance_type,
    counted.enrollment_category,
    counted.worker_group,
    counted.person_count::bigint as person_count,
    (counted.person_count + counted.within_month_count)::bigint as person_in_month_count,
    counted.joined_count::bigint as joined_count,
    counted.left_count::bigint as left_count,
    counted.moved_in_count::bigint as moved_in_count,
    counted.moved_out_count::bigint as moved_out_count,
    case when counted.worker_group = 'new_form' then counted.person_count else 0 end::bigint as new_form_count,
    case when counted.worker_group = 'migrant' then counted.person_count else 0 end::bigint as migrant_count,
    case
        when counted.enrollment_category <> 'employee' then 0
        when (counted.insurance_type = '510') = (counted.next_month <= counted.merger_date) then counted.person_count
        else 0
    end::bigint as maternity_covered_count,
    coalesce(counted.employer_count, 0)::bigint as employer_count,
    coalesce((
        select category_employer.employers
        from category_employer
        where
            category_employer.region_code = counted.region_code
            and category_employer.insurance_type = counted.insurance_type
            and category_employer.enrollment_category = counted.enrollment_category
            and category_employer.insured_month <= counted.insured_month
        order by category_employer.insured_month desc
        limit 1
    ), 0)::bigint as category_employer_count
from counted
where
    -- From the merger on there is no enrolment in maternity insurance alone: who had it goes on under 310.
    (counted.insurance_type = '310' or counted.next_month <= counted.merger_date)
    and (
        counted.person_count <> 0 or counted.joined_count <> 0 or counted.left_count <> 0 or counted.moved_in_count <> 0
        or counted.moved_out_count <> 0 or counted.within_month_count <> 0
    )
