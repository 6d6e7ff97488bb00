with gap as (
    {{ ledger_enrollment_gap('published') | indent(4) }}
),

employer_gap as (
    select
        region_code,
        employer_no,
        employer_type,
        gap_month,
        gap_kind,
        max(head_seq) as head_seq,
        count(*) as person_count,
        count(*) filter (where is_at_month_end) as person_at_month_end_count,
        count(*) filter (where is_open) as person_still_open_count,
        sum(gap_days) as gap_days,
        sum(contribution_base) as base_amount,
        sum(missed_amount) as missed_amount,
        count(*) filter (where is_at_month_end and missed_amount is null) as person_without_amount_count,
        min(since) as since
    from (
        select
            region_code,
            employer_no,
            employer_type,
            gap_month,
            gap_kind,
            person_no,
            max(head_seq) as head_seq,
            bool_or(is_at_month_end) as is_at_month_end,
            bool_or(gap_until is null) as is_open,
            sum(gap_days) as gap_days,
            max(contribution_base) as contribution_base,
            max(missed_amount) filter (where is_at_month_end) as missed_amount,
            min(gap_from) as since
        from gap
        group by region_code, employer_no, employer_type, gap_month, gap_kind, person_no
    ) as person_gap
    group by region_code, employer_no, employer_type, gap_month, gap_kind
),

head as (
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

new_form as (
    select
        calendar.region_code,
        calendar.insured_month,
        sum(sum(delta.person_change)) over each_region as person_count,
        sum(delta.within_month_change) as within_month_count
    from calendar
    left join head on calendar.region_code = head.region_code
    left join {{ ref('insured_turnover') }} as delta
        on
            calendar.region_code = delta.region_code
            and calendar.insured_month = delta.insured_month
            and head.seq >= delta.last_seq
            and delta.insurance_type = '310'
            and delta.enrollment_category = 'flexible'
            and delta.worker_group = 'new_form'
            and {{ readable('delta.region_code') }}
    group by calendar.region_code, calendar.insured_month
    window each_region as (partition by calendar.region_code order by calendar.insured_month)
),

listed as (
    select
        employer_gap.region_code,
        employer_gap.gap_month,
        employer_gap.gap_kind,
        employer_gap.employer_no,
        registered.employer_name,
        employer_gap.employer_type,
        employer_gap.person_count,
        employer_gap.person_at_month_end_count,
        employer_gap.person_still_open_count,
        employer_gap.gap_days,
        employer_gap.base_amount,
        employer_gap.missed_amount,
        employer_gap.person_without_amount_count,
        employer_gap.since
    from employer_gap
    left join lateral (
        select event.employer_name
        from {{ source('events', 'event') }} as event
        where
            event.region_code = employer_gap.region_code
            and event.employer_no = employer_gap.employer_no
            and event.event_type = 'employer.registered'
            and event.seq <= employer_gap.head_seq
        order by event.seq desc
        limit 1
    ) as registered on true
    union all
    -- By rule without maternity insurance: counted apart, and no gap of anybody's.
    select
        region_code,
        insured_month,
        'new_form_flexible',
        null,
        null,
        null,
        person_count + coalesce(within_month_count, 0),
        person_count,
        null,
        null,
        null,
        null,
        null,
        null
    from new_form
    where person_count + coalesce(within_month_count, 0) > 0
)

select
    listed.region_code,
    listed.gap_month,
    case
        when kind.period <> 'both' then kind.period
        when (listed.gap_month + interval '1 month')::date <= region.merger_date then 'before_merger'
        else 'after_merger'
    end as period,
    listed.gap_kind,
    kind.name_zh as gap_name_zh,
    kind.name_en as gap_name_en,
    kind.is_gap,
    listed.employer_no,
    listed.employer_name,
    listed.employer_type,
    listed.person_count::bigint as person_count,
    listed.person_at_month_end_count::bigint as person_at_month_end_count,
    listed.person_still_open_count::bigint as person_still_open_count,
    listed.gap_days::bigint as gap_days,
    listed.base_amount::numeric(18, 2) as base_amount,
    listed.missed_amount::numeric(18, 2) as missed_amount,
    listed.person_without_amount_count::bigint as person_without_amount_count,
    listed.since,
    kind.clause
from listed
inner join {{ ref('enrollment_gap_kind') }} as kind on listed.gap_kind = kind.gap_kind
left join {{ ref('stg_region') }} as region
    on listed.region_code = region.region_code and region.known_until = 'infinity'
