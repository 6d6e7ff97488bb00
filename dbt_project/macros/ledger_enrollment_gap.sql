{#- Gaps between medical and maternity enrolment: one row a person, kind, gap and month, as known last. Only persons who have one
    are looked up, by kind. -#}
{% macro ledger_enrollment_gap(bound) -%}
with head as (
    {{ ledger_head(bound) }}
),

latest as (
    {{ region_latest_month() }}
),

gap as (
    select
        version.region_code,
        version.person_no,
        version.last_seq,
        version.gap_kind,
        version.employer_no,
        version.gap_from,
        version.gap_until,
        version.contribution_base,
        head.seq as head_seq,
        latest.latest_month,
        least(
            version.gap_until,
            case when version.gap_kind in ('310_without_510', '510_without_310') then region.merger_date end,
            'infinity'::date
        ) as counted_until
    from {{ ref('enrollment_coverage') }} as version
    inner join head
        on version.region_code = head.region_code and version.last_seq <= head.seq
        {%- if bound == 'published' %} and {{ readable('version.region_code') }}{% endif %}
    left join latest on version.region_code = latest.region_code
    left join {{ ref('stg_region') }} as region
        on version.region_code = region.region_code and region.known_until = 'infinity'
    where
        version.gap_kind in ('310_without_510', '510_without_310', 'uncovered_after_merger', '510_after_merger')
        and not exists (
            select 1
            from {{ ref('enrollment_coverage') }} as later
            where
                later.region_code = version.region_code
                and later.person_no = version.person_no
                and later.batch_id > version.batch_id
                and later.last_seq <= head.seq
        )
),

-- In months that the books have reached.
gap_month as (
    select
        gap.*,
        each_month.first_day::date as gap_month,
        (each_month.first_day + interval '1 month')::date as next_month
    from gap
    cross join lateral generate_series(
        date_trunc('month', gap.gap_from::timestamp),
        greatest(gap.latest_month, date_trunc('month', gap.gap_from::timestamp)::date)::timestamp,
        interval '1 month'
    ) as each_month (first_day)
    where each_month.first_day::date < gap.counted_until
),

employer as (
    select
        known.region_code,
        known.employer_no,
        registered.employer_type
    from (select distinct region_code, employer_no, head_seq from gap) as known
    left join lateral (
        select event.employer_type
        from {{ source('events', 'event') }} as event
        where
            event.region_code = known.region_code
            and event.employer_no = known.employer_no
            and event.event_type = 'employer.registered'
            and event.seq <= known.head_seq
        order by event.seq desc
        limit 1
    ) as registered on true
),

-- What the missing insurance costs: the rates of the employer's type, looked up once a month and type.
priced as (
    select
        wanted.*,
        rate.employer_rate + rate.personal_rate as rate,
        base_limit.base_floor,
        base_limit.base_ceiling
    from (
        select distinct
            gap_month.region_code,
            gap_month.gap_month,
            gap_month.gap_kind,
            employer.employer_type
        from gap_month
        left join employer
            on
                gap_month.region_code = employer.region_code
                and gap_month.employer_no is not distinct from employer.employer_no
        where gap_month.gap_kind <> '510_after_merger'
    ) as wanted
    cross join lateral (
        select
            rule.employer_rate,
            rule.personal_rate
        from {{ ref('policy_rate') }} as rule
        where
            rule.region_code = wanted.region_code
            and rule.enrollment_category = 'employee'
            and rule.insurance_type = case wanted.gap_kind when '310_without_510' then '510' else '310' end
            and {{ in_force('rule', 'wanted.gap_month') }}
            and (rule.employer_type is null or rule.employer_type = wanted.employer_type)
        order by rule.employer_type is null, rule.known_from desc, rule.effective_from desc
        limit 1
    ) as rate
    cross join lateral (
        select
            rule.base_floor,
            rule.base_ceiling
        from {{ ref('policy_base') }} as rule
        where rule.region_code = wanted.region_code and {{ in_force('rule', 'wanted.gap_month') }}
        order by rule.known_from desc, rule.effective_from desc
        limit 1
    ) as base_limit
)

select
    gap_month.region_code,
    gap_month.person_no,
    gap_month.gap_kind,
    gap_month.employer_no,
    employer.employer_type,
    gap_month.gap_from,
    gap_month.gap_until,
    gap_month.gap_month,
    least(gap_month.next_month, gap_month.counted_until) - greatest(gap_month.gap_from, gap_month.gap_month) as gap_days,
    gap_month.next_month <= gap_month.counted_until as is_at_month_end,
    gap_month.contribution_base,
    case
        when gap_month.contribution_base is not null
            then round(
                greatest(least(gap_month.contribution_base, priced.base_ceiling), priced.base_floor) * priced.rate, 2
            )
    end::numeric(18, 2) as missed_amount,
    gap_month.last_seq,
    gap_month.head_seq
from gap_month
left join employer
    on gap_month.region_code = employer.region_code and gap_month.employer_no is not distinct from employer.employer_no
left join priced
    on
        gap_month.region_code = priced.region_code
        and gap_month.gap_month = priced.gap_month
        and gap_month.gap_kind = priced.gap_kind
        and employer.employer_type is not distinct from priced.employer_type
{%- endmacro %}
