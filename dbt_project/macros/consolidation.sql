{#-
    Several regions as one group: sums of the members' published figures, less what they paid each other.
    CTEs here follow those of ledger_calendar('published'): head, turnover, merger, fund_span, calendar.
-#}

{#- Members of the groups that the current user may read as a whole: a sum over some of the members would mislead. -#}
{% macro consolidation_member() -%}
    select
        group_code, group_name_zh, group_name_en, region_code, parent_region_code,
        date_trunc('month', effective_from::timestamp)::date as first_month,
        coalesce(effective_to, 'infinity'::date) as last_day
    from {{ ref('consolidation_member') }}
    where group_code in (
        select listed.group_code
        from {{ ref('consolidation_member') }} as listed
        group by listed.group_code
        having bool_and({{ readable('listed.region_code') }})
    )
{%- endmacro %}

{#- CTE group_month: one row a (group, fund, month) that any member in force has books for, and whether all of them have.
    A member has books for a month when any of its funds has: the maternity fund ends, its region does not. -#}
{% macro consolidation_month() -%}
region_month as (
    select distinct region_code, accounting_month from calendar
),

member_month as (
    select
        member.group_code, region_month.accounting_month,
        count(distinct member.region_code) as member_with_books_count
    from member
    inner join region_month
        on region_month.region_code = member.region_code
        and region_month.accounting_month between member.first_month and member.last_day
    group by 1, 2
),

group_month as (
    select
        fund_month.group_code, fund_month.fund_code, fund_month.accounting_month,
        in_force.member_count, member_month.member_with_books_count,
        in_force.member_count = member_month.member_with_books_count as is_complete
    from (
        select distinct member.group_code, calendar.fund_code, calendar.accounting_month
        from member
        inner join calendar
            on calendar.region_code = member.region_code
            and calendar.accounting_month between member.first_month and member.last_day
    ) as fund_month
    inner join member_month using (group_code, accounting_month)
    cross join lateral (
        select count(distinct member.region_code) as member_count
        from member
        where member.group_code = fund_month.group_code
            and fund_month.accounting_month between member.first_month and member.last_day
    ) as in_force
)
{%- endmacro %}

{#- CTEs up to elimination: one row a (group, fund, month, flow, upper, lower, sub-fund) of what moved between levels.
    Who the other side is says the event's counterparty, a region code; a lower member that names none means its parent. An upper
    member that names none may mean any of many: nothing is guessed, the amount stays and shows as unnamed. -#}
{% macro consolidation_elimination() -%}
level_account as (
    select * from (values
        ('4401', 'subsidy', 'lower'), ('5301', 'subsidy', 'upper'), ('5302', 'remittance', 'lower'), ('4402', 'remittance', 'upper')
    ) as listed (account_code, flow, level)
),

flow_line as (
    select
        line.region_code, line.fund_code, line.accounting_month, line.sub_fund, level_account.flow, level_account.level,
        nullif(btrim(event.counterparty), '') as counterparty,
        -- income stands in credit, expenditure in debit
        case when line.account_code in ('4401', '4402') then line.credit_amount - line.debit_amount
            else line.debit_amount - line.credit_amount
        end as amount
    from {{ source('events', 'event') }} as event
    inner join head on event.region_code = head.region_code and event.seq <= head.seq
    inner join {{ ref('journal_line') }} as line
        on line.region_code = event.region_code and line.event_seq = event.seq and line.entry_kind = 'normal'
    inner join level_account on level_account.account_code = line.account_code
    -- the words of the index that finds these few events
    where {{ readable('event.region_code') }} and {{ level_event('event') }}
),

named as (
    select
        member.group_code, flow_line.*,
        coalesce(flow_line.counterparty, case flow_line.level when 'lower' then member.parent_region_code end) as other_code
    from flow_line
    inner join member
        on member.region_code = flow_line.region_code
        and flow_line.accounting_month between member.first_month and member.last_day
),

sided as (
    select
        group_code, region_code, fund_code, accounting_month, flow, level, sub_fund, amount,
        case level when 'upper' then region_code else other_code end as upper_region_code,
        case level when 'lower' then region_code else other_code end as lower_region_code,
        case
            when other_code is null then 'unnamed'
            when other_code <> region_code and exists (
                select from member as other
                where other.group_code = named.group_code and other.region_code = named.other_code
                    and named.accounting_month between other.first_month and other.last_day
            ) then 'member'
            else 'outside'
        end as relation
    from named
),

side_year as (
    select
        group_code, region_code, fund_code, flow, level, sub_fund, upper_region_code, lower_region_code, relation,
        extract(year from accounting_month) as of_year,
        min(accounting_month) as first_month
    from sided
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
),

-- A side is listed from its first movement of a year on, for the months of its own books: in a month for which a member has none,
-- its year to date is in no sum and must not be eliminated from any.
side_amount as (
    select
        group_code, region_code, fund_code, accounting_month, flow, level, sub_fund, upper_region_code, lower_region_code, relation,
        amount
    from sided
    union all
    select
        side.group_code, side.region_code, side.fund_code, calendar.accounting_month, side.flow, side.level, side.sub_fund,
        side.upper_region_code, side.lower_region_code, side.relation, 0
    from side_year as side
    inner join calendar
        on calendar.region_code = side.region_code and calendar.fund_code = side.fund_code
        and calendar.accounting_month >= side.first_month and extract(year from calendar.accounting_month) = side.of_year
    inner join member
        on member.group_code = side.group_code and member.region_code = side.region_code
        and calendar.accounting_month between member.first_month and member.last_day
),

side_month as (
    select
        group_code, region_code, fund_code, accounting_month, flow, level, sub_fund, upper_region_code, lower_region_code, relation,
        sum(amount) as amount_month,
        sum(sum(amount)) over (
            partition by
                group_code, region_code, fund_code, flow, level, sub_fund, upper_region_code, lower_region_code, relation,
                extract(year from accounting_month)
            order by accounting_month
        ) as amount_year_to_date
    from side_amount
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
),

pair_month as (
    select
        group_code, fund_code, accounting_month, flow, sub_fund, upper_region_code, lower_region_code, relation,
        coalesce(sum(amount_month) filter (where level = 'upper'), 0) as upper_month,
        coalesce(sum(amount_month) filter (where level = 'lower'), 0) as lower_month,
        coalesce(sum(amount_year_to_date) filter (where level = 'upper'), 0) as upper_year_to_date,
        coalesce(sum(amount_year_to_date) filter (where level = 'lower'), 0) as lower_year_to_date
    from side_month
    group by 1, 2, 3, 4, 5, 6, 7, 8
),

-- Never more than both sides have.
elimination as (
    select
        *,
        case relation when 'member' then greatest(least(upper_month, lower_month), 0) else 0 end as eliminated_month,
        case relation when 'member' then greatest(least(upper_year_to_date, lower_year_to_date), 0) else 0 end
            as eliminated_year_to_date
    from pair_month
)
{%- endmacro %}

{#- Events that may move money between levels; migration 0019 keeps an index of them by these words. -#}
{% macro level_event(event) -%}
    (
        {{ event }}.event_type in ('superior.received', 'subordinate.received', 'remitted.up', 'subsidised.down')
        or {{ event }}.event_type = 'receipt.identified' and {{ event }}.identified_as in ('4401', '4402', '5301', '5302')
    )
{%- endmacro %}
