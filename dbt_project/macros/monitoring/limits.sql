{#- Parts of the rules of claims monitoring (models/ledger/monitoring). Every rule begins with a CTE `limits`, one row a region with
    a published head: its bound, since when claims are looked at, and the parameters of the rule. -#}

{#- Condition that joins rows of a region to its limits. As an equality it is taken for the two-hundredth part of the rows, and a few such
    for a single row: then everything behind it is done in loops, a region of a million events in hours. -#}
{% macro with_limits(rows, limits='limits') -%}
    case when {{ rows }}.region_code = {{ limits }}.region_code then true else false end
{%- endmacro %}

{#- A parameter is that of the region, or else of all; in force on the day of publication; of several the one known last. The review, which goes region by
    region, names its region in a setting, since no condition of a query reaches a CTE that is read twice. A rule of
    which a parameter is not in force finds nothing. `since` counts back from the newest month in which claims were settled. -#}
{% macro monitoring_limits(rule_code, parameters, all_regions=false) -%}
    select
        head.region_code,
        head.seq,
        (
            coalesce(newest.settled_month, (head.published_at at time zone 'Asia/Shanghai')::date)
            - make_interval(months => given.look_back_months::integer)
        )::date as since,
        (head.published_at at time zone 'Asia/Shanghai')::date as published_on,
        {%- if 'opening_share' in parameters %}
            opening.opening_on,
        {%- endif %}
        {%- for parameter in ['benefit_within_days'] + parameters %}
            given.{{ parameter }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        {{ ledger_head('published') }}
    ) as head
    left join lateral (
        select turned.settled_month
        from {{ ref('claim_turnover') }} as turned
        where turned.region_code = head.region_code and turned.settled_month is not null and turned.last_seq <= head.seq
        order by turned.settled_month desc
        limit 1
    ) as newest on true
    cross join lateral (
        select
            {%- for parameter in ['look_back_months', 'switched_on', 'benefit_within_days'] + parameters %}
                max(stated.value) filter (where stated.parameter = '{{ parameter }}') as {{ parameter }}{{ ',' if not loop.last }}
            {%- endfor %}
        from (
            select distinct on (known.parameter)
                known.parameter,
                known.value
            from {{ ref('monitoring_parameter') }} as known
            where
                coalesce(known.rule_code, '{{ rule_code }}') = '{{ rule_code }}'
                and coalesce(known.region_code, head.region_code) = head.region_code
                and {{ in_force('known', "(head.published_at at time zone 'Asia/Shanghai')::date") }}
            order by
                known.parameter asc, known.rule_code is null asc, known.region_code is null asc, known.known_from desc,
                known.effective_from desc
        ) as stated
    ) as given
    {%- if 'opening_share' in parameters %}
    cross join lateral (
        {{ opening_day() }}
    ) as opening
    {%- endif %}
    where
        given.switched_on <> 0
        -- compared with nothing, some rules would find everything
        {%- for parameter in ['look_back_months', 'benefit_within_days'] + parameters %}
            and given.{{ parameter }} is not null
        {%- endfor %}
    {%- if not all_regions %}
        and head.region_code = coalesce(nullif(current_setting('merged_fund.region', true), ''), head.region_code)
    {%- endif %}
{%- endmacro %}

{#- The day on which the log begins for the insured: the first on which `opening_share` of them are registered at once. Those enrolled on it
    were so before, for how long nobody knows; one who is registered late with an older date moves nothing. Without such a day it is
    the first of all. -#}
{% macro opening_day() -%}
    select coalesce(min(daily.day) filter (where daily.persons >= given.opening_share * daily.all_persons), min(daily.day)) as opening_on
    from (
        select
            opening.occurred_on as day,
            count(*) as persons,
            sum(count(*)) over () as all_persons
        from {{ source('events', 'event') }} as opening
        where
            opening.region_code = head.region_code
            and opening.event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
            and opening.event_type = 'enrollment.started'
            and opening.seq <= head.seq
        group by opening.occurred_on
    ) as daily
{%- endmacro %}

{#- What each rule asks for, read from the rules themselves: pairs of rule and parameter, as rows of a VALUES list. A parameter that
    somebody forgets to set is missed, and not taken for a rule that finds nothing. -#}
{% macro monitoring_required() -%}
    {%- set asked = {} -%}
    {%- for node in (graph.nodes.values() if execute else []) if node.resource_type == 'model' and node.name.startswith('monitoring_') -%}
        {%- for rule_code, listed in modules.re.findall("monitoring_limits\\('(S[0-9]+)', \\[([^\\]]*)\\]", node.raw_code) -%}
            {%- for parameter in ['look_back_months', 'switched_on', 'benefit_within_days'] + modules.re.findall("'([a-z_]+)'", listed) -%}
                {%- do asked.update({(rule_code, parameter): none}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for rule_code, parameter in asked | sort %}
        ('{{ rule_code }}', '{{ parameter }}'){{ ',' if not loop.last }}
    {%- else %}
        (null::text, null::text)
    {%- endfor %}
{%- endmacro %}
