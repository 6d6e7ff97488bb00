with head as (
    {{ ledger_head('published') }}
),

-- As registered last: a base is not split where an employer has changed its type.
employer as (
    select distinct on (event.region_code, event.employer_no) event.region_code, event.employer_no, event.employer_type
    from {{ source('events', 'event') }} as event
    inner join head on event.region_code = head.region_code and event.seq <= head.seq
    where event.event_type = 'employer.registered' and {{ readable('event.region_code') }}
    order by event.region_code asc, event.employer_no asc, event.seq desc
),

base as (
    select
        delta.region_code,
        delta.contribution_month,
        employer.employer_type,
        sum(delta.base_change) as contribution_base,
        sum(delta.person_change) as persons
    from {{ ref('employer_base_turnover') }} as delta
    inner join head
        on delta.region_code = head.region_code and delta.last_seq <= head.seq and {{ readable('delta.region_code') }}
    left join employer on delta.region_code = employer.region_code and delta.employer_no = employer.employer_no
    group by delta.region_code, delta.contribution_month, employer.employer_type
)

select
    region_code,
    contribution_month,
    employer_type,
    contribution_base::numeric(24, 2) as contribution_base,
    persons::bigint as persons,
    {{ employer_rate_of('base.region_code', 'base.employer_type', 'base.contribution_month') }}::numeric(12, 9) as employer_rate,
    {{ employer_rate_of('base.region_code', 'base.employer_type', 'base.contribution_month', relieved=true) }}::numeric(
        12, 9
    ) as employer_rate_due
from base
where contribution_base <> 0 or persons <> 0
