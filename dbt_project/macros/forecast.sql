{#- What the forecast marts have in common. -#}

{#- The newest forecast of each series of a region made at or before its published head; heads is a CTE of (region_code, seq). -#}
{% macro newest_forecast(heads) -%}
    select distinct on (run.region_code, run.series_code) run.*
    from {{ source('forecast', 'run') }} as run
    inner join {{ heads }} on run.region_code = {{ heads }}.region_code and run.head_seq <= {{ heads }}.seq
    where {{ readable('run.region_code') }}
    order by run.region_code asc, run.series_code asc, run.run_no desc
{%- endmacro %}

{#- Half the width of a 95 % interval of a normal distribution, in standard deviations. -#}
{% macro normal_95() -%}
    1.959964
{%- endmacro %}

{#- The months a year's review may count: over when the head was published, or closed. -#}
{% macro month_is_complete(month, head, closed) -%}
    (
        {{ month }} < date_trunc('month', {{ head }}.published_at at time zone 'Asia/Shanghai')::date
        or {{ closed }}.accounting_month is not null
    )
{%- endmacro %}

{#- Employer rate of a type of employers in a month as known now: the rates of all insurances in force added up, a rate of the
    type going before that for all types. `relieved`: what of it is due in the month, as in marts.rate_in_force. -#}
{% macro employer_rate_of(region, employer_type, month, relieved=false) -%}
    (
        select sum(chosen.employer_rate{% if relieved %} * coalesce({{ due_share_of(region, employer_type, month, 'chosen.insurance_type') }}, 1){% endif %})
        from (
            select distinct on (rate.insurance_type) rate.insurance_type, rate.employer_rate
            from {{ ref('policy_rate') }} as rate
            where
                rate.region_code = {{ region }} and rate.enrollment_category = 'employee'
                and (rate.employer_type is null or rate.employer_type = {{ employer_type }})
                and {{ in_force('rate', month) }}
            order by rate.insurance_type asc, rate.employer_type is null asc, rate.known_from desc, rate.effective_from desc
        ) as chosen
    )
{%- endmacro %}

{#- Share of the employers' part that is due by the relief in force for a month, null without one. -#}
{% macro due_share_of(region, employer_type, month, insurance_type) -%}
    (
        select relief.due_share
        from {{ ref('policy_contribution_relief') }} as relief
        where
            relief.region_code = {{ region }} and relief.insurance_type = {{ insurance_type }}
            and (relief.employer_type is null or relief.employer_type = {{ employer_type }})
            and {{ in_force('relief', month) }}
        order by relief.employer_type is null asc, relief.known_from desc, relief.effective_from desc
        limit 1
    )
{%- endmacro %}

{#- Employer rate of a region in a month, the types of employers weighted by their contribution bases: `weight` is a CTE of (region_code,
    employer_type, contribution_base). Without any assessed base it is the rate for employers that have none of their own.
    `relieved`: what of it is due in the month. -#}
{% macro weighted_employer_rate(region, month, weight, relieved=false) -%}
    coalesce(
        (
            select {{ share('sum(base.contribution_base * ' ~ employer_rate_of(region, 'base.employer_type', month, relieved) ~ ')', 'sum(base.contribution_base)') }}
            from {{ weight }} as base
            where base.region_code = {{ region }}
        ),
        {{ employer_rate_of(region, 'null::text', month, relieved) }}
    )
{%- endmacro %}

{#- Bases of the newest twelve contribution months assessed, by type of employers: a CTE body. -#}
{% macro newest_base_weights() -%}
    select base.region_code, base.employer_type, sum(base.contribution_base) as contribution_base
    from {{ ref('rate_base') }} as base
    inner join (
        select region_code, max(contribution_month) as newest_month from {{ ref('rate_base') }} group by region_code
    ) as newest on base.region_code = newest.region_code and base.contribution_month > newest.newest_month - interval '12 months'
    group by base.region_code, base.employer_type
{%- endmacro %}
