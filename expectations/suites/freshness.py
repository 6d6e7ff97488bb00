"""Freshness: who has gone silent: a source as a whole, or we ourselves (F01, F02)."""

from __future__ import annotations

from expectations.check import AUDIT, GATE, LOOK, Check
from expectations.suites._fragments import PLATFORMS

OPERATIONS = "data_operations"

# The clock: now, or noon of the business date where that was set to another day.
NOW = """case
            when $business_date = (clock_timestamp() at time zone 'Asia/Shanghai')::date then clock_timestamp()
            else ($business_date + time '12:00') at time zone 'Asia/Shanghai'
        end"""


def _limit(subject: str, column: str) -> str:
    """Hours of a limit; the region's own row goes before the general one. Without any row everything is late."""
    return f"""coalesce((
            select limits.{column}_after_hours from policy.freshness_limit as limits
            where limits.subject = '{subject}' and (limits.region_code = $region or limits.region_code is null)
            order by limits.region_code nulls last limit 1
        ), 0) * interval '1 hour'"""


# One row a source that is due in the region: its shortest rhythm, and until when it was to send. A rule that cannot be
# read is told by C04. A source that is due in no region by name is due where it has sent, or everywhere while it has
# sent nothing.
_SOURCES = """
    select
        rule.source_system,
        min(rule.period + rule.due_day) as rhythm,
        min(rule.active_from) as active_from,
        max(rule.ends_on) as ends_on
    from (
        select
            calendar.source_system,
            calendar.active_from,
            case parts.said[1] when 'monthly' then interval '1 month' else interval '3 months' end as period,
            make_interval(days => parts.said[2]::integer) as due_day,
            case
                when parts.said[4] like '____Q_'
                    then (make_date(left(parts.said[4], 4)::integer, right(parts.said[4], 1)::integer * 3, 1)
                        + interval '1 month')::date
                when parts.said[4] is not null
                    then (to_date(parts.said[4], 'YYYY-MM') + interval '1 month')::date
                else 'infinity'::date
            end as ends_on
        from events.source_calendar as calendar
        cross join lateral (
            select regexp_match(
                calendar.due_rule,
                '^(monthly|quarterly) day (0?[1-9]|[12][0-9]|3[01])( until ([0-9]+-[0-9]+|[0-9]+Q[1-4]))?$$'
            ) as said
        ) as parts
        where parts.said is not null
            and (
                calendar.region_code = $region
                or calendar.region_code is null and (
                    exists (
                        select from events.source_region as sent
                        where sent.region_code = $region and sent.source_system = calendar.source_system
                    )
                    or not exists (
                        select from events.source_region as sent where sent.source_system = calendar.source_system
                    )
                )
            )
    ) as rule
    group by rule.source_system
"""

# A settlement platform that has migrated has nothing more to send; what it owes of the time before is M09's.
_MIGRATED = f"""
    select platform.source_system from ({PLATFORMS}) as platform where platform.migrated_on <= $business_date
"""

# A file that brings the region no batch ends the silence all the same: nothing new in it, or none that passed. It must
# be the region's: one without any row, one with quarantined rows of the region, or of a source that sends to no other.
_READ = """
    select max(outcome.finished_at) as finished_at
    from events.file_registry as file
    inner join events.file_outcome as outcome on outcome.file_id = file.file_id
    where file.source_system = source.source_system and outcome.state = 'loaded'
        and (
            outcome.rows = 0
            or not exists (
                select from events.source_region as sent
                where sent.source_system = source.source_system and sent.region_code <> $region
            )
            or exists (
                select from events.quarantine as held where held.file_id = file.file_id and held.region_code = $region
            )
        )
"""

# Beginning of the silence: the newest batch that the source brought to the region, the newest file of the region that
# was read, else its activation.
_SILENCE = f"""
    select
        source.source_system,
        source.rhythm,
        heard.heard_at as recorded_at,
        coalesce(heard.heard_at, source.active_from::timestamp at time zone 'Asia/Shanghai') as since,
        least({NOW}, case
            when isfinite(source.ends_on)
                then (source.ends_on::timestamp + source.rhythm) at time zone 'Asia/Shanghai'
            else 'infinity'::timestamptz
        end) as until
    from ({_SOURCES}) as source
    left join lateral (
        select max(batch.recorded_at) as recorded_at
        from events.batch as batch
        inner join events.file_registry as file on file.file_id = batch.file_id
        where batch.region_code = $region and file.source_system = source.source_system
    ) as newest on true
    left join lateral ({_READ}) as read on true
    cross join lateral (select greatest(newest.recorded_at, read.finished_at) as heard_at) as heard
    where source.active_from <= $business_date and source.source_system not in ({_MIGRATED})
"""

F01 = Check(
    code="F01",
    title_zh="各来源系统仍按报送周期报送",
    title_en="every source still sends in its rhythm",
    severity="fail",
    owner=OPERATIONS,
    clause="quality F01；events.source_calendar",
    offending=f"""
        select
            source_system as item,
            '来源系统已静默，超过其报送周期 / the source has gone silent for longer than its rhythm' as reason,
            case when until - since > rhythm + {_limit("source", "fail")} then 'fail' else 'warn' end as severity,
            source_system, recorded_at as last_recorded_at,
            extract(day from until - since)::integer as silent_days,
            rhythm::text as rhythm,
            null::numeric as amount
        from ({_SILENCE}) as silence
        where until - since > rhythm + {_limit("source", "warn")}
    """,
    examined=f"select count(*) from ({_SILENCE}) as silence",
    population=f"""
        select count(distinct calendar.source_system) from events.source_calendar as calendar
        where calendar.region_code = $region and calendar.active_from <= $business_date
            and calendar.due_rule ~ '^(monthly|quarterly) day ' and calendar.source_system not in ({_MIGRATED})
    """,
    scopes=frozenset({GATE, AUDIT, LOOK}),
    freezes=False,
)

F02 = Check(
    code="F02",
    title_zh="已入日志的业务按时发布，夜间审计按时完成",
    title_en="what is recorded is published in time, and the nightly audit comes to its end in time",
    severity="fail",
    owner=OPERATIONS,
    clause="quality F02；ledger §5 published_head",
    offending=f"""
        select
            'publication' as item,
            '已入日志而未发布 / recorded and not public' as reason,
            case when waiting.age > {_limit("publication", "fail")} then 'fail' else 'warn' end as severity,
            waiting.published_seq, waiting.event_count, waiting.recorded_at as since,
            round(extract(epoch from waiting.age) / 3600, 1) as age_hours,
            null::numeric as amount
        from (
            select
                head.seq as published_seq,
                min(batch.recorded_at) as recorded_at,
                {NOW} - min(batch.recorded_at) as age,
                sum(batch.last_seq - batch.first_seq + 1) as event_count
            from (
                select coalesce(max(publication.seq), 0) as seq from ledger.publication as publication
                where publication.region_code = $region
            ) as head
            inner join events.batch as batch on batch.region_code = $region and batch.last_seq > head.seq
            group by head.seq
        ) as waiting
        where waiting.age > {_limit("publication", "warn")}
        union all
        select
            'audit',
            '夜间审计久未完成 / no nightly audit has come to its end',
            case when audited.age > {_limit("audit", "fail")} then 'fail' else 'warn' end,
            null, null, audited.since, round(extract(epoch from audited.age) / 3600, 1), null
        from (
            select since.ended_at as since, {NOW} - since.ended_at as age
            from (
                select coalesce(
                    (
                        select max(step.ended_at) from quality.audit_step as step
                        where step.part = 'audit' and step.outcome <> 'broken'
                    ),
                    -- none so far: since the region's books were first public
                    (
                        select min(publication.published_at) from ledger.publication as publication
                        where publication.region_code = $region
                    )
                ) as ended_at
            ) as since
        ) as audited
        -- no audit judges its own age: one that comes after broken nights is the cure
        where $scope = '{LOOK}' and audited.age > {_limit("audit", "warn")}
    """,
    examined="""
        select count(*) from events.batch as batch where batch.region_code = $region and batch.batch_id <= $head_batch
    """,
    population="select greatest($head, 0)",
    scopes=frozenset({AUDIT, LOOK}),
    freezes=False,
)

CHECKS: tuple[Check, ...] = (F01, F02)
