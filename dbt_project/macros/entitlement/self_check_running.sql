{#- Whether what the notices want set up also runs: evidence of its newest run, not that a parameter exists. Each answer has the instant of
    that run. -#}

{#- Files by the source calendar whose day has passed, in time or not. The calendar counts from the period in which a source was activated.
    It is `events.due_file` over the tables, which readers of a mart may not call; a test holds the two together. -#}
{% macro self_check_files(business_date) -%}
calendar_rule as (
    select
        calendar.source_system, calendar.family, calendar.region_code, calendar.active_from, calendar.said,
        case calendar.said[1] when 'monthly' then 'month' else 'quarter' end as unit,
        case calendar.said[1] when 'monthly' then interval '1 month' else interval '3 months' end as step,
        case
            when calendar.said[4] like '____Q_'
                then make_date(left(calendar.said[4], 4)::integer, right(calendar.said[4], 1)::integer * 3, 1)
            when calendar.said[4] is not null then to_date(calendar.said[4], 'YYYY-MM')
            else {{ business_date }}
        end as last_month
    from (
        select
            listed.*,
            regexp_match(
                listed.due_rule,
                '^(monthly|quarterly) day (0?[1-9]|[12][0-9]|3[01])( until ([0-9]{4}-(?:0[1-9]|1[0-2])|[0-9]{4}Q[1-4]))?$'
            ) as said
        from {{ source('events', 'source_calendar') }} as listed
    ) as calendar
    where calendar.said is not null
),

due_period as (
    select
        rule.source_system, rule.family, rule.region_code,
        least(
            (period.started_at + rule.step)::date + rule.said[2]::integer - 1,
            (period.started_at + rule.step + interval '1 month')::date - 1
        ) as due_on,
        case rule.unit
            when 'month' then array[to_char(period.started_at, 'YYYYMM'), to_char(period.started_at, 'YYYY-MM')]
            else array[to_char(period.started_at, 'YYYY"Q"Q')]
        end as names
    from calendar_rule as rule
    cross join lateral generate_series(
        date_trunc(rule.unit, rule.active_from::timestamp), least(rule.last_month, {{ business_date }})::timestamp, rule.step
    ) as period (started_at)
),

file_seen as (
    select
        seen.source_system, seen.family, seen.file_name, (seen.first_seen_at at time zone 'Asia/Shanghai')::date as arrived_on
    from {{ source('events', 'file') }} as seen
    left join {{ source('events', 'file_registry') }} as original on seen.duplicate_of = original.file_id
    where
        seen.file_name !~ '(^|/)corrections\..+\.(registration|contribution|claim|treasury)\.[0-9]+\.[^/]*\.xlsx$'
        and (
            seen.state = 'loaded'
            or (seen.state = 'duplicate_file' and original.file_name !~ '(19|20)[0-9]{2}(Q[1-4]|-?(0[1-9]|1[0-2]))')
        )
),

due_file as (
    select
        due.region_code,
        due.due_on,
        (
            select min(file.arrived_on) from file_seen as file
            where
                file.source_system = due.source_system
                and coalesce(file.family, due.family) = due.family
                and exists (select from unnest(due.names) as known (part) where strpos(file.file_name, known.part) > 0)
        ) as arrived_on
    from due_period as due
    where due.due_on < {{ business_date }}
)
{%- endmacro %}

{#- When the table of each month was public: the first publication after the month's end that has the month in it. -#}
{% macro self_check_public(business_date) -%}
public_month as (
    select
        month.region_code,
        month.accounting_month,
        {{ last_day('month.accounting_month') }} + rule.due_day as due_on,
        (
            select min((told.published_at at time zone 'Asia/Shanghai')::date)
            from {{ source('publication', 'publication') }} as told
            where
                told.region_code = month.region_code
                and told.seq >= month.first_seq
                and (told.published_at at time zone 'Asia/Shanghai')::date > {{ last_day('month.accounting_month') }}
        ) as public_on
    from (
        select turnover.region_code, turnover.accounting_month, min(turnover.last_seq) as first_seq
        from {{ ref('account_turnover') }} as turnover
        inner join reviewed on turnover.region_code = reviewed.region_code and turnover.last_seq <= reviewed.head_seq
        where turnover.fund_code = 'EMI'
        group by turnover.region_code, turnover.accounting_month
    ) as month
    cross join lateral (
        select known.due_day
        from {{ ref('disclosure_calendar') }} as known
        where known.region_code = month.region_code and {{ in_force('known', 'month.accounting_month') }}
        order by known.known_from desc, known.effective_from desc
        limit 1
    ) as rule
    where {{ last_day('month.accounting_month') }} + rule.due_day < {{ business_date }}
)
{%- endmacro %}

{% macro self_check_running() -%}
{% set today = "(now() at time zone 'Asia/Shanghai')::date" %}
{{ self_check_files(today) }},

{{ self_check_public(today) }},

newest_publication as (
    select told.region_code, max(told.published_at) as published_at
    from {{ source('publication', 'publication') }} as told
    inner join reviewed on told.region_code = reviewed.region_code
    group by told.region_code
),

series as (
    select
        known.region_code, known.series_code,
        max(known.accounting_month) as latest_month
    from {{ ref('forecast_series') }} as known
    -- The balance is no series of its own: it follows from income and expenditure.
    where known.is_complete and known.series_value is not null and known.series_code <> 'pooled_balance'
    group by known.region_code, known.series_code
),

-- The newest fit of each series that people review rates by.
fitted as (
    select series.region_code, series.latest_month, run.last_month, run.made_at
    from series
    left join lateral (
        select made.last_month, made.made_at
        from {{ source('forecast', 'run') }} as made
        where made.region_code = series.region_code and made.series_code = series.series_code
        order by made.run_no desc
        limit 1
    ) as run on true
),

indicator as (
    select latest.region_code, latest.level
    from {{ ref('risk_indicator') }} as latest
    where
        latest.accounting_month = (
            select max(month.accounting_month) from {{ ref('fund_month') }} as month where month.region_code = latest.region_code
        )
        and latest.level is not null
),

running_answer as (
    select
        region_code, 'F10' as item_code, count(*) filter (where last_month >= latest_month) as numerator, count(*) as denominator,
        max(made_at) as evidenced_at
    from fitted
    group by region_code
    union all
    select
        indicator.region_code, 'F11', count(*) filter (where indicator.level <> 'no_data'), count(*),
        max(newest_publication.published_at)
    from indicator
    left join newest_publication on indicator.region_code = newest_publication.region_code
    group by indicator.region_code
    union all
    select
        public_month.region_code, 'F12', count(*) filter (where public_month.public_on <= public_month.due_on), count(*),
        max(newest_publication.published_at)
    from public_month
    left join newest_publication on public_month.region_code = newest_publication.region_code
    group by public_month.region_code
    union all
    select
        reviewed.region_code, 'P2', count(*) filter (where due_file.arrived_on <= due_file.due_on), count(*),
        (max(due_file.arrived_on)::timestamp at time zone 'Asia/Shanghai')
    from reviewed
    inner join due_file on due_file.region_code is null or reviewed.region_code = due_file.region_code
    group by reviewed.region_code
    union all
    select reviewed.region_code, 'S4', count(*) filter (where rule.state = 'on'), count(*), null
    from reviewed
    inner join {{ ref('monitoring_rule_state') }} as rule on reviewed.region_code = rule.region_code
    group by reviewed.region_code
    union all
    select
        agreed.region_code, 'S5', count(distinct measured.institution_code), count(distinct agreed.institution_code), null
    from {{ ref('provider_agreement_status') }} as agreed
    left join {{ ref('provider_indicator') }} as measured
        on
            agreed.region_code = measured.region_code
            and agreed.institution_code = measured.institution_code
            and measured.outcome in ('met', 'missed')
    where agreed.outcome = 'valid'
    group by agreed.region_code
)
{%- endmacro %}
