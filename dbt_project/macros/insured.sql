{#-
    What is known of enrolments up to a head, of ledger.enrollment_spell and insured_turnover. CTE bodies; `head` is a CTE of
    (region_code, seq).
-#}

{#- The newest version of each person: found by index for one person, by one pass for a region. -#}
{% macro newest_spell(bound) -%}
    select spell.*
    from {{ ref('enrollment_spell') }} as spell
    inner join head
        on spell.region_code = head.region_code and spell.last_seq <= head.seq
        {%- if bound == 'published' %} and {{ readable('spell.region_code') }}{% endif %}
    where not exists (
        select 1
        from {{ ref('enrollment_spell') }} as later
        where
            later.region_code = spell.region_code
            and later.person_no = spell.person_no
            and later.batch_id > spell.batch_id
            and later.last_seq <= head.seq
    )
{%- endmacro %}

{#- One row a region: first and last month of its enrolments, and the last day before the merger. The last month is the one that
    the books have reached, or the last in which something of an enrolment is said to change. -#}
{% macro insured_reach() -%}
    select
        head.region_code,
        earliest.insured_month as first_month,
        greatest(newest.insured_month, latest.latest_month) as last_month,
        region.merger_date
    from head
    cross join lateral (
        select delta.insured_month
        from {{ ref('insured_turnover') }} as delta
        where delta.region_code = head.region_code and delta.last_seq <= head.seq
        order by delta.insured_month asc
        limit 1
    ) as earliest
    cross join lateral (
        select delta.insured_month
        from {{ ref('insured_turnover') }} as delta
        where delta.region_code = head.region_code and delta.last_seq <= head.seq
        order by delta.insured_month desc
        limit 1
    ) as newest
    left join latest on head.region_code = latest.region_code
    left join {{ ref('stg_region') }} as region
        on head.region_code = region.region_code and region.known_until = 'infinity'
{%- endmacro %}

{#- One row a region and month of its reach. -#}
{% macro insured_calendar() -%}
    select
        reach.region_code,
        reach.first_month,
        reach.last_month,
        reach.merger_date,
        each_month.first_day::date as insured_month,
        (each_month.first_day + interval '1 month')::date as next_month
    from reach
    cross join lateral generate_series(
        reach.first_month::timestamp, reach.last_month::timestamp, interval '1 month'
    ) as each_month (first_day)
{%- endmacro %}

{#- What a limit of policy_enrollment_limit says for a region on a day: subqueries of one value. -#}
{% macro enrollment_limit(region, limit_code, day, column) -%}
    (
        select limits.{{ column }}
        from {{ ref('policy_enrollment_limit') }} as limits
        where
            limits.region_code = {{ region }} and limits.limit_code = {{ limit_code }} and {{ in_force('limits', day) }}
        order by limits.known_from desc, limits.effective_from desc
        limit 1
    )
{%- endmacro %}

{#- A person's enrolments in medical insurance up to a seq, one row an enrolment: a lateral subquery. -#}
{% macro medical_enrolments(region, person, head_seq) -%}
    select
            spell.insured_from,
            spell.insured_until,
            (array_agg(spell.enrollment_category order by spell.valid_from desc))[1] as enrollment_category,
            (array_agg(spell.employer_no order by spell.valid_from desc))[1] as employer_no,
            daterange(spell.insured_from, spell.insured_until) as days
        from {{ ref('enrollment_spell') }} as spell
        where
            spell.region_code = {{ region }}
            and spell.person_no = {{ person }}
            and spell.insurance_type = '310'
            and spell.batch_id = (
                select max(version.batch_id)
                from {{ ref('enrollment_spell') }} as version
                where
                    version.region_code = {{ region }}
                    and version.person_no = {{ person }}
                    and version.last_seq <= {{ head_seq }}
            )
        group by spell.insured_from, spell.insured_until
        order by spell.insured_from
        offset 0
{%- endmacro %}
