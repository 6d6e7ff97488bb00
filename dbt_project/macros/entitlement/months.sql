{#- The employer's average of last year, and the person's months of contributions before the day. -#}
{% macro entitlement_months() -%}
-- The months to be averaged: last year's from the employer's registration on; of an employer registered this year, or within the last
-- twelve months where the rule says so, those before the birth.
spanned as (
    select
        ruled.*,
        span.base_from,
        case
            when span.is_new then ruled.rule_month
            else date_trunc('year', ruled.rule_date::timestamp)::date
        end as base_until
    from ruled
    left join lateral (
        select
            registered.month >= date_trunc('year', ruled.rule_date::timestamp)
            or (
                ruled.short_employer_average = 'months_before_birth'
                and registered.month > ruled.rule_month - interval '12 months'
            ) as is_new,
            greatest(
                (date_trunc('year', ruled.rule_date::timestamp) - interval '1 year')::date,
                registered.month
            ) as base_from
        from (select date_trunc('month', ruled.registered_on::timestamp)::date as month) as registered
    ) as span on ruled.is_allowance
),

-- An average is known only where the log reaches all of these months; of those that it reaches, the assessed ones count.
averaged as (
    select
        spanned.*,
        last_year.months as base_months,
        last_year.base / last_year.persons as average_base,
        case
            when
                spanned.base_rule = 'employer_previous_year_average'
                and last_year.persons > 0
                and not exists(
                    select from generate_series(
                        spanned.base_from::timestamp, spanned.base_until - interval '1 month', interval '1 month'
                    ) as each_month (first_day)
                    where not exists(
                        select from {{ ref('employer_base_turnover') }} as delta
                        where
                            delta.region_code = spanned.region_code
                            and delta.contribution_month = each_month.first_day::date
                            and delta.last_seq <= spanned.head_seq
                    )
                )
                then {{ rounded_by('last_year.base / last_year.persons / spanned.divisor', 'spanned.daily_base_rounding', 'spanned.daily_base_decimals') }}
        end as demanded_base
    from spanned
    left join lateral (
        select
            count(*) filter (where month.persons > 0) as months,
            sum(month.base) filter (where month.persons > 0) as base,
            sum(month.persons) filter (where month.persons > 0) as persons
        from (
            select
                sum(delta.base_change) as base,
                sum(delta.person_change) as persons
            from {{ ref('employer_base_turnover') }} as delta
            where
                delta.region_code = spanned.region_code
                and delta.employer_no = spanned.employer_no
                and delta.contribution_month >= spanned.base_from
                and delta.contribution_month < spanned.base_until
                and delta.last_seq <= spanned.head_seq
            group by delta.contribution_month
        ) as month
    ) as last_year on spanned.is_allowance
),

-- The person's months: maternity insurance before the merger, the merged one from then on, in a category that has the benefit.
contributed as (
    select
        averaged.*,
        coalesce(own.months, '{}') as own_months,
        coalesce(own.consecutive, 0) as months_contributed
    from averaged
    left join lateral (
        select
            array_agg(paid_month.month) as months,
            count(*) filter (
                where paid_month.month = averaged.rule_month - make_interval(months => paid_month.place::integer)
            ) as consecutive
        from (
            select
                assessed.contribution_month as month,
                row_number() over (order by assessed.contribution_month desc) as place
            from {{ ref('assessed_contribution') }} as assessed
            where
                assessed.region_code = averaged.region_code
                and assessed.person_no = averaged.person_no
                and assessed.contribution_month < averaged.rule_month
                and assessed.insurance_type
                = case when assessed.contribution_month < averaged.merger_date then '510' else '310' end
                and (averaged.categories is null or assessed.enrollment_category = any(averaged.categories))
                and assessed.last_seq <= averaged.head_seq
            group by assessed.contribution_month
            having sum(assessed.change_amount) > 0
        ) as paid_month
    ) as own on true
),

-- Months before the birth in which the person had to be insured. A month of which the log holds no assessment of the region at all lies
-- before its reach, and speaks against nobody. One assessed only after the birth is a payment made up later.
waited as (
    select
        contributed.*,
        waiting.lacking as months_lacking,
        waiting.beyond as months_beyond_log,
        waiting.late as months_made_up
    from contributed
    left join lateral (
        select
            count(*) filter (
                where (not month.is_insured and month.is_in_log) or (month.is_late and contributed.late_months_count is false)
            ) as lacking,
            count(*) filter (where not month.is_insured and not month.is_in_log) as beyond,
            count(*) filter (where month.is_late) as late
        from (
            select
                each_month.first_day::date = any(contributed.own_months) as is_insured,
                exists(
                    select from {{ ref('employer_base_turnover') }} as delta
                    where
                        delta.region_code = contributed.region_code
                        and delta.contribution_month = each_month.first_day::date
                        and delta.last_seq <= contributed.head_seq
                ) as is_in_log,
                each_month.first_day::date = any(contributed.own_months)
                and not exists(
                    select from {{ ref('assessed_contribution') }} as assessed
                    inner join {{ source('events', 'event') }} as event
                        on assessed.region_code = event.region_code and assessed.last_seq = event.seq
                    where
                        assessed.region_code = contributed.region_code
                        and assessed.person_no = contributed.person_no
                        and assessed.contribution_month = each_month.first_day::date
                        and assessed.change_amount > 0
                        and assessed.last_seq <= contributed.head_seq
                        and event.occurred_on <= contributed.rule_date
                ) as is_late
            from generate_series(
                contributed.rule_month - make_interval(months => contributed.consecutive_months),
                contributed.rule_month - interval '1 month', interval '1 month'
            ) as each_month (first_day)
        ) as month
    ) as waiting on true
)
{%- endmacro %}
