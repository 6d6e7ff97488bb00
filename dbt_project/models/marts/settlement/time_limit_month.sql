with head as (
    {{ ledger_head('published') }}
),

{{ time_limit_ctes() }}

select
    region_code,
    matter,
    decided_month,
    count(*) as claim_count,
    count(*) filter (where outcome = 'in_time') as in_time_count,
    count(*) filter (where outcome = 'late') as late_count,
    count(*) filter (where outcome in ('not_known', 'not_computable')) as not_known_count,
    round(
        count(*) filter (where outcome = 'in_time')::numeric / nullif(count(*) filter (where outcome in ('in_time', 'late')), 0), 4
    )::numeric(9, 4) as in_time_share,
    round(avg(working_days_used), 1)::numeric(9, 1) as working_days_average,
    max(working_days_used)::integer as working_days_max,
    min(limit_value)::integer as limit_working_days
from judged
group by region_code, matter, decided_month
