with {{ ledger_calendar('published') }},

member as (
    {{ consolidation_member() }}
),

books as (
    select
        region_code,
        min(accounting_month) as first_month,
        max(accounting_month) as last_month
    from calendar
    group by region_code
)

select
    member.group_code,
    member.group_name_zh,
    member.group_name_en,
    member.region_code,
    member.parent_region_code,
    member.first_month as member_from,
    nullif(member.last_day, 'infinity'::date) as member_to,
    head.seq,
    head.rules_sha256,
    head.published_at,
    books.first_month as books_from,
    books.last_month as books_to
from member
left join head on member.region_code = head.region_code
left join books on member.region_code = books.region_code
