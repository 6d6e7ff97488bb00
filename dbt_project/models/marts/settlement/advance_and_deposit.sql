-- noqa: disable=ST05
with head as (
    {{ ledger_head('published') }}
),

latest as (
    {{ region_latest_month() }}
),

{{ provider_terms() }},

{{ settled_rows() }},

looked_at as (
    select head.region_code, head.seq, (latest.latest_month + interval '1 month' - interval '1 day')::date as as_of
    from head
    inner join latest on head.region_code = latest.region_code
),

-- What follows an advance names it; an offset whose payment was reversed gives it back.
advance as (
    select
        event.region_code,
        'advance' as item_kind,
        event.seq::text as item_key,
        event.seq as event_seq,
        event.institution_code,
        event.occurred_on as opened_on,
        event.pooled_amount as opened_amount,
        null::numeric as base_amount,
        coalesce(used.offset_amount, 0) as settled_amount,
        coalesce(used.returned_amount, 0) as returned_amount,
        looked_at.as_of
    from {{ source('events', 'event') }} as event
    inner join looked_at
        on event.region_code = looked_at.region_code and event.seq <= looked_at.seq and {{ readable('event.region_code') }}
    left join lateral (
        select
            sum(case
                when use.event_type = 'advance.offset' and undone.seq is null
                    then coalesce(use.pooled_amount, 0) + coalesce(use.personal_account_amount, 0)
            end) as offset_amount,
            sum(case when use.event_type = 'advance.returned' then use.pooled_amount end) as returned_amount
        from {{ source('events', 'event') }} as use
        left join {{ source('events', 'event') }} as undone
            on
                use.region_code = undone.region_code and use.seq = undone.original_seq
                and undone.event_type = 'claim.reversed' and looked_at.seq >= undone.seq
        where
            use.region_code = event.region_code and use.original_seq = event.seq and use.seq <= looked_at.seq
            and use.event_type in ('advance.offset', 'advance.returned')
    ) as used on true
    where event.event_type = 'advance.paid'
),

deposit as (
    select
        settled_row.region_code,
        'deposit' as item_kind,
        settled_row.institution_code || '/' || extract(year from settled_row.settled_month) as item_key,
        null::bigint as event_seq,
        settled_row.institution_code,
        make_date(extract(year from settled_row.settled_month)::integer, 12, 31) as opened_on,
        sum(settled_row.withheld_amount) as opened_amount,
        sum(settled_row.settled_amount) as base_amount,
        sum(settled_row.released_amount) as settled_amount,
        0 as returned_amount,
        looked_at.as_of
    from settled_row
    inner join looked_at on settled_row.region_code = looked_at.region_code
    where settled_row.institution_code is not null and settled_row.settled_month is not null
    group by
        settled_row.region_code, settled_row.institution_code, extract(year from settled_row.settled_month), looked_at.as_of
    having sum(settled_row.withheld_amount) <> 0 or sum(settled_row.released_amount) <> 0
),

item as (
    select * from advance
    union all
    select * from deposit
),

aged as (
    select
        item.*,
        item.opened_amount - item.settled_amount - item.returned_amount as outstanding_amount,
        greatest(item.as_of - item.opened_on, 0) as age_days,
        rule.limit_value,
        rule.limit_status
    from item
    left join lateral (
        {{ time_limit_in_force('item.region_code', "item.item_kind || '_outstanding'", 'item.as_of') }}
    ) as rule on true
)

select
    aged.region_code,
    aged.item_kind,
    aged.item_key,
    aged.event_seq,
    aged.institution_code,
    term.name_zh as institution_name,
    aged.opened_on,
    case when aged.item_kind = 'deposit' then extract(year from aged.opened_on) end::integer as settlement_year,
    aged.opened_amount::numeric(18, 2) as opened_amount,
    aged.settled_amount::numeric(18, 2) as settled_amount,
    aged.returned_amount::numeric(18, 2) as returned_amount,
    aged.outstanding_amount::numeric(18, 2) as outstanding_amount,
    aged.base_amount::numeric(18, 2) as base_amount,
    round(aged.opened_amount / nullif(aged.base_amount, 0), 4)::numeric(9, 4) as withholding_rate,
    aged.as_of,
    case when aged.outstanding_amount <> 0 then aged.age_days end::integer as age_days,
    aged.limit_value::integer as limit_days,
    aged.limit_status,
    coalesce(aged.outstanding_amount > 0 and aged.age_days > aged.limit_value, false) as is_beyond_limit
from aged
left join lateral (
    {{ term_on('aged.region_code', 'aged.institution_code', 'aged.opened_on') }}
) as term on true
