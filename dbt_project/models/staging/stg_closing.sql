-- What each closing event closes, and what the one before it in the same fund has closed already. Both grow with seq, so a line
-- is still open to a closing exactly when the one before it came too early or ended too early for the line.
with control as (
    select
        region_code, seq, batch_id, event_type, business_type,
        case when event_type = 'fund.merged' then 'merger' else 'year' end as closing_kind,
        case when event_type = 'fund.merged' then posting_month else make_date(closed_year, 12, 1) end as accounting_month,
        case when event_type = 'fund.merged' then posting_date else make_date(closed_year, 12, 31) end as posting_date,
        row_number() over (partition by region_code, event_type order by seq) as place,
        min(case when event_type = 'fund.merged' then seq end) over (partition by region_code) as merger_seq
    from (
        select *, extract(year from coalesce(accounting_month, occurred_on))::integer as closed_year
        from {{ ref('stg_event') }}
        where event_type in ('fund.merged', 'year.closed')
    ) as closing_event
),

-- the merger closes the maternity fund for good: no later year end, no second merger
closing as (
    select control.*, fund.fund_code
    from control
    cross join (values ('EMI'), ('MAT')) as fund (fund_code)
    where case
        when control.closing_kind = 'merger' then fund.fund_code = 'MAT' and control.place = 1
        else fund.fund_code = 'EMI' or control.merger_seq is null or control.seq < control.merger_seq
    end
)

select
    region_code, fund_code, seq as closing_seq, batch_id, event_type, business_type, closing_kind, accounting_month, posting_date,
    case when closing_kind = 'merger' then 'infinity'::date else accounting_month end as cutoff_month,
    coalesce(lag(seq) over fund_order, 0) as previous_seq,
    coalesce(
        lag(case when closing_kind = 'merger' then 'infinity'::date else accounting_month end) over fund_order, '-infinity'::date
    ) as previous_cutoff_month
from closing
window fund_order as (partition by region_code, fund_code order by seq)
