-- A month closes by an event with a seq of its own, so the month open to an event depends on the order of the log alone.
with closed as (
    select
        region_code,
        seq as after_seq,
        (max(accounting_month) over (partition by region_code order by seq) + interval '1 month')::date as open_month
    from {{ source('events', 'event') }}
    where event_type = 'period.closed'
),

opened as (
    select distinct
        region_code,
        0::bigint as after_seq,
        date '0001-01-01' as open_month
    from {{ ref('policy_region') }}

    union all

    select region_code, after_seq, open_month from closed
)

select
    region_code,
    after_seq,
    coalesce(lead(after_seq) over (partition by region_code order by after_seq), 9223372036854775807) as until_seq,
    open_month
from opened
