{#-
    Assessed premiums beside what is due for them. Two states of knowledge count: that of the day on which an assessment was recorded
    (then) and that of the seeds and registrations there are (now). The same texts make three marts: of a mart with a condition on
    month, employer or person the planner takes that condition to the index of the assessments. Needs a CTE `head`.
    Events and registrations are looked up by index from each assessment: joined as tables, they lead the planner to expect a handful
    of rows and to loop over the rules for each of hundreds of thousands.
-#}

{#- CTE `rule`: the rules, with one text to join them by. -#}
{% macro assessment_rules() -%}
rule as materialized (
    select
        rule.*,
        concat_ws('/', rule.region_code, rule.enrollment_category, rule.insurance_type, coalesce(rule.employer_type, '')) as rule_key
    from {{ ref('assessment_rule') }} as rule
    inner join head on rule.region_code = head.region_code
)
{%- endmacro %}

{#- Every assessment up to the head, those that a later batch replaced too: day of recording, the newest one's seq, the highest amount. -#}
{% macro assessment_versions() -%}
        select
            assessed.*,
            head.seq as head_seq,
            (batch.recorded_at at time zone 'Asia/Shanghai')::date as known_on,
            first_value(assessed.last_seq) over (each_person order by assessed.batch_id desc) as newest_seq,
            max(assessed.assessed_amount) over each_person as highest_amount
        from {{ ref('assessed_contribution') }} as assessed
        inner join head
            on assessed.region_code = head.region_code and assessed.last_seq <= head.seq and {{ readable('assessed.region_code') }}
        inner join {{ source('events', 'batch') }} as batch
            on assessed.region_code = batch.region_code and assessed.batch_id = batch.batch_id
        window each_person as (
            partition by
                assessed.region_code, assessed.person_no, assessed.employer_no, assessed.contribution_month, assessed.insurance_type,
                assessed.enrollment_category
        )
{%- endmacro %}

{#- Joins the event of an assessment, by index. -#}
{% macro join_assessed_event(event, assessed, seq) -%}
    left join lateral (
        select
            own.contribution_base,
            coalesce(own.employer_amount, 0) as employer_amount,
            coalesce(own.personal_amount, 0) as personal_amount
        from {{ source('events', 'event') }} as own
        where own.region_code = {{ assessed }}.region_code and own.seq = {{ assessed }}.{{ seq }}
        limit 1
    ) as {{ event }} on true
{%- endmacro %}

{#- Joins the type of an employee's employer in the month of an assessment: the newest registration that was dated in that month or
    before it, so that a change counts for the whole of its month. Then: of those recorded before the assessment, or else the first. -#}
{% macro join_employer_type(type, assessed) -%}
    left join lateral (
        select
            (array_agg(
                own.employer_type
                order by
                    own.seq > {{ assessed }}.last_seq,
                    case when own.seq <= {{ assessed }}.last_seq then own.occurred_on end desc nulls last,
                    case when own.seq <= {{ assessed }}.last_seq then -own.seq else own.seq end
            ))[1] as type_then,
            (array_agg(own.employer_type order by own.occurred_on desc, own.seq desc))[1] as type_now
        from {{ source('events', 'event') }} as own
        where
            {{ assessed }}.enrollment_category = 'employee'
            and own.event_type = 'employer.registered'
            and own.region_code = {{ assessed }}.region_code
            and own.employer_no = {{ assessed }}.employer_no
            and own.seq <= {{ assessed }}.head_seq
            and own.occurred_on < ({{ assessed }}.contribution_month + interval '1 month')::date
    ) as {{ type }} on true
{%- endmacro %}

{#- Join conditions: the rule of an assessment's month, as known on the day it was recorded (then) or as there is (now). -#}
{% macro rule_known(rule, assessed, employer_type, when) -%}
    concat_ws(
        '/', {{ assessed }}.region_code, {{ assessed }}.enrollment_category, {{ assessed }}.insurance_type,
        case when {{ assessed }}.enrollment_category = 'employee' then coalesce({{ employer_type }}, '?') else '' end
    ) = {{ rule }}.rule_key
    and {{ assessed }}.contribution_month >= {{ rule }}.effective_from
    and {{ assessed }}.contribution_month <= {{ rule }}.effective_to
    {%- if when == 'then' %}
    and {{ assessed }}.known_on >= {{ rule }}.known_from
    and {{ assessed }}.known_on < {{ rule }}.known_until
    {%- else %}
    and {{ rule }}.known_until > '9999-12-31'
    {%- endif -%}
{%- endmacro %}

{#- The declared base within floor and ceiling; null where no limits are known. -#}
{% macro base_within(base, rule) -%}
    case
        when {{ rule }}.base_rule is not null and {{ base }} is not null
            then greatest(least({{ base }}, {{ rule }}.base_ceiling), {{ rule }}.base_floor)
    end
{%- endmacro %}

{#- Amounts due of one person and month, half up to the fen, each part by itself. -#}
{% macro employer_due(base, rule) -%}
    round({{ base_within(base, rule) }} * {{ rule }}.employer_rate * {{ rule }}.due_share, 2)
{%- endmacro %}

{% macro personal_due(base, rule) -%}
    round({{ base_within(base, rule) }} * {{ rule }}.personal_rate, 2)
{%- endmacro %}

{#- CTEs up to `differing`: the newest assessment of each person, employer, month, insurance and category at the head, what is due for
    it, and why the two differ. -#}
{% macro judged_assessment() -%}
{{ assessment_rules() }},

assessment as (
    select distinct on (
        version.region_code, version.person_no, version.employer_no, version.contribution_month, version.insurance_type,
        version.enrollment_category
    ) version.*
    from (
{{ assessment_versions() }}
    ) as version
    order by
        version.region_code asc, version.person_no asc, version.employer_no asc, version.contribution_month asc,
        version.insurance_type asc, version.enrollment_category asc, version.batch_id desc
),

valued as (
    select
        assessment.*,
        type.type_then,
        type.type_now,
        event.contribution_base,
        event.employer_amount as assessed_employer,
        event.personal_amount as assessed_personal,
        rule_then.employer_rate,
        rule_then.personal_rate,
        rule_then.due_share,
        rule_then.tolerance_amount,
        rule_then.rate_rule,
        rule_then.base_rule,
        rule_then.relief_rule,
        {{ base_within('event.contribution_base', 'rule_then') }} as base_limited,
        {{ employer_due('event.contribution_base', 'rule_then') }} as due_employer,
        {{ personal_due('event.contribution_base', 'rule_then') }} as due_personal
    from assessment
    {{ join_assessed_event('event', 'assessment', 'last_seq') }}
    {{ join_employer_type('type', 'assessment') }}
    left join rule as rule_then
        on {{ rule_known('rule_then', 'assessment', 'type.type_then', 'then') }}
),

compared as (
    select
        valued.*,
        valued.assessed_employer - valued.due_employer as employer_difference,
        valued.assessed_personal - valued.due_personal as personal_difference,
        abs(valued.assessed_employer - valued.due_employer) <= valued.tolerance_amount as is_employer_right,
        abs(valued.assessed_personal - valued.due_personal) <= valued.tolerance_amount as is_personal_right,
        coalesce(
            abs(valued.assessed_employer - {{ employer_due('valued.contribution_base', 'rule_now') }}) <= rule_now.tolerance_amount
            and abs(valued.assessed_personal - {{ personal_due('valued.contribution_base', 'rule_now') }}) <= rule_now.tolerance_amount,
            false
        ) as is_right_now
    from valued
    -- what differs may be right by a rule that was known later
    left join rule as rule_now
        on
            (valued.assessed_employer, valued.assessed_personal) is distinct from (valued.due_employer, valued.due_personal)
            and {{ rule_known('rule_now', 'valued', 'valued.type_now', 'now') }}
),

judged as (
    select
        *,
        case
            when assessed_employer + assessed_personal = 0 and highest_amount > 0 then 'withdrawn'
            when enrollment_category = 'employee' and type_then is null then 'employer_type_unknown'
            when is_right_now and (rate_rule is null or base_rule is null) then 'as_known_later'
            when rate_rule is null then 'no_rate_rule'
            when base_rule is null then 'no_base_rule'
            when contribution_base is null then 'no_base_declared'
            when employer_difference = 0 and personal_difference = 0 then 'as_due'
            when is_employer_right and is_personal_right then 'within_tolerance'
            when is_right_now then 'as_known_later'
            when due_share < 1 and is_personal_right and abs(assessed_employer - round(base_limited * employer_rate, 2)) <= tolerance_amount
                then 'relief_not_applied'
            when
                due_share = 1 and is_personal_right
                and abs(assessed_employer - round(base_limited * employer_rate / 2, 2)) <= tolerance_amount
                then 'halved_without_relief'
            when
                base_limited <> contribution_base
                and abs(assessed_employer - round(contribution_base * employer_rate * due_share, 2)) <= tolerance_amount
                and abs(assessed_personal - round(contribution_base * personal_rate, 2)) <= tolerance_amount
                then 'base_not_limited'
            when is_personal_right then 'employer_part_differs'
            when is_employer_right then 'personal_part_differs'
            else 'both_parts_differ'
        end as reason_code
    from compared
),

differing as (
    select
        *,
        reason_code in ('employer_type_unknown', 'no_rate_rule', 'no_base_rule', 'no_base_declared') as is_unresolved,
        reason_code in (
            'as_due', 'within_tolerance', 'withdrawn', 'as_known_later', 'employer_type_unknown', 'no_rate_rule', 'no_base_rule',
            'no_base_declared'
        ) as is_excused
    from judged
)
{%- endmacro %}

{#- How a row of a seed is named where it was used: seed, key, first day in force, day from which it is known. -#}
{% macro assessment_rule_id(seed, row) -%}
    {%- set keys = {
        'policy_rate': ['employer_type', 'enrollment_category', 'insurance_type'], 'policy_base': [],
        'policy_contribution_relief': ['employer_type', 'insurance_type']
    } -%}
    concat_ws(
        '/', '{{ seed }}', {{ row }}.region_code,
        {%- for key in keys[seed] %} {% if key == 'employer_type' %}coalesce({{ row }}.{{ key }}, '*'){% else %}{{ row }}.{{ key }}{% endif %},{% endfor %}
        {{ row }}.effective_from, {{ row }}.known_from
    )
{%- endmacro %}
