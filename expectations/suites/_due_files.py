"""SQL of check C04: which files are due by the source calendar, and which of them have not come.

What is due and what has come is told by `events.due_file` (migration 0012), for this check as for everybody else. A
rule reads `monthly day 10 until 2020-06` or `quarterly day 10 until 2020Q2` (`until` may be left out): the file of a
period, known by the period in its name, is due on that day of the month after the period. Periods count from the one in
which the source was activated.
"""

from __future__ import annotations

# A source without a region is due in every region that it has ever sent, and in all of them before it has sent any.
_SENT_NOTHING = """not exists (
            select from events.batch as batch
            inner join events.file_registry as file on file.file_id = batch.file_id
            where file.source_system = calendar.source_system
        )"""

DUE = f"""
    select calendar.* from events.due_file($business_date) as calendar
    where calendar.region_code = $region
        or (calendar.region_code is null and (exists (
            select from events.batch as batch
            inner join events.file_registry as file on file.file_id = batch.file_id
            where batch.region_code = $region and file.source_system = calendar.source_system
        ) or {_SENT_NOTHING}))
"""

DUE_FILES = f"""
    select
        concat_ws('/', due.source_system, due.family, coalesce(due.period, due.due_rule)) as item,
        case due.state when 'awaited' then 'warn' else 'fail' end as severity,
        case due.state
            when 'unreadable' then '无法读懂的报送规则 / the due rule cannot be read'
            else '应到文件未到 / a due file has not come'
        end as reason,
        due.source_system, due.family, due.due_rule, due.period, due.due_on, due.seen, null::numeric as amount
    from ({DUE}) as due
    where due.state in ('missing', 'awaited', 'unreadable')
"""

DUE_FILES_EXAMINED = f"select count(*) from ({DUE}) as due where due.last_day < $business_date"

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
