"""SQL of check C04: which files are due by the source calendar, and which of them have not come.

A rule reads `monthly day 10 until 2020-06`
    or `quarterly day 10 until 2020Q2` (`until` may be left out): the file of a period, known by
the period in its name, is due on that day of the month after the period. Periods count
    from the one in which the source was activated.
"""

from __future__ import annotations

# A source without a region is due in every region that it has ever sent, and in all of them before it has sent any.
_SENT_NOTHING = """not exists (
            select from events.batch as batch
            inner join events.file_registry as file on file.file_id = batch.file_id
            where file.source_system = calendar.source_system
        )"""

_CALENDAR = f"""
    select
        calendar.*,
        regexp_match(calendar.due_rule,
            '^(monthly|quarterly) day ([0-9]{{1,2}})( until ([0-9]{{4}}-[0-9]{{2}}|[0-9]{{4}}Q[1-4]))?$$') as parts
    from events.source_calendar as calendar
    where calendar.region_code = $region
        or (calendar.region_code is null and (exists (
            select from events.batch as batch
            inner join events.file_registry as file on file.file_id = batch.file_id
            where batch.region_code = $region and file.source_system = calendar.source_system
        ) or {_SENT_NOTHING}))
"""

_RULE = f"""
    select
        calendar.source_system, calendar.family, calendar.due_rule, calendar.active_from,
        case calendar.parts[1] when 'monthly' then 'month' else 'quarter' end as unit,
        case calendar.parts[1] when 'monthly' then interval '1 month' else interval '3 months' end as step,
        calendar.parts[2]::integer as due_day,
        case
            when calendar.parts[4] like '____Q_' then make_date(left(calendar.parts[4], 4)::integer,
                right(calendar.parts[4], 1)::integer * 3, 1)
            when calendar.parts[4] is not null then to_date(calendar.parts[4], 'YYYY-MM')
            else date 'infinity'
        end as last_month
    from ({_CALENDAR}) as calendar
    where calendar.parts is not null
"""

# One row a file that should have come by now or soon: its period has ended.
_DUE = f"""
    select
        rule.source_system, rule.family, rule.due_rule, period.starts_at::date as period_start,
        least(
            (period.starts_at + rule.step)::date + rule.due_day - 1,
            (period.starts_at + rule.step + interval '1 month')::date - 1
        ) as due_on,
        case rule.unit
            when 'month' then array[to_char(period.starts_at, 'YYYYMM'), to_char(period.starts_at, 'YYYY-MM')]
            else array[to_char(period.starts_at, 'YYYY"Q"Q')]
        end as names
    from ({_RULE}) as rule
    cross join lateral generate_series(
        date_trunc(rule.unit, rule.active_from::timestamp),
        least(rule.last_month::timestamp, $business_date - rule.step),
        rule.step
    ) as period (starts_at)
"""

DUE_FILES = f"""
    select
        concat_ws('/', due.source_system, due.family, due.names[1]) as item,
        case when $business_date > due.due_on then 'fail' else 'warn' end as severity,
        '应到文件未到 / a due file has not come' as reason,
        due.source_system, due.family, due.due_rule, due.names[1] as period, due.due_on,
        (
            select string_agg(file.file_name || ' (' || file.state || coalesce(' ' || file.error_code, '') || ')', ', ')
            from events.file as file
            where file.source_system = due.source_system and coalesce(file.family, due.family) = due.family
                and exists (select from unnest(due.names) as name (part) where strpos(file.file_name, name.part) > 0)
        ) as seen,
        null::numeric as amount
    from ({_DUE}) as due
    where not exists (
        select from events.file as file
        where file.source_system = due.source_system and coalesce(file.family, due.family) = due.family
            and file.state in ('loaded', 'duplicate_file')
            and exists (select from unnest(due.names) as name (part) where strpos(file.file_name, name.part) > 0)
    )
    union all
    select
        concat_ws('/', calendar.source_system, calendar.family, calendar.due_rule), 'fail',
        '无法读懂的报送规则 / the due rule cannot be read', calendar.source_system, calendar.family, calendar.due_rule,
        null, null, null, null
    from ({_CALENDAR}) as calendar
    where calendar.parts is null
"""

DUE_FILES_EXAMINED = f"select count(*) from ({_DUE}) as due"

# From the activation dates alone: calendars of this region with at least one whole period behind them.
DUE_FILES_POPULATION = f"""
    select count(*) from events.source_calendar as calendar
    where (calendar.region_code = $region or calendar.region_code is null and (exists (
            select from events.event as event
            where event.region_code = $region and event.seq > $after and event.seq <= $head
                and event.source_system = calendar.source_system
        ) or {_SENT_NOTHING}))
        and date_trunc(case when calendar.due_rule like 'm%' then 'month' else 'quarter' end,
            calendar.active_from::timestamp)
            + case when calendar.due_rule like 'm%' then interval '1 month'
                else interval '3 months' end <= $business_date
"""
