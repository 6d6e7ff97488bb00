{#- The rules for a claim on the day `rules_on`, an expression over the columns of `enrolled` (rule_date, merger_date …). -#}
{% macro entitlement_rules(rules_on) -%}
ruled as (
    select
        enrolled.*,
        employer.registered_on,
        employer.employer_type,
        allowance.divisor,
        allowance.base_rule,
        allowance.consecutive_months,
        method.daily_base_decimals,
        method.daily_base_rounding,
        method.amount_decimals,
        method.amount_rounding,
        method.short_employer_average,
        method.late_months_count,
        method.subsidy_leave_days,
        days.days as case_days,
        days.day_rules,
        coalesce(days.is_complete, false) as has_days,
        subsidy.subsidy_amount,
        category.is_entitled as is_entitled_category,
        counting.categories,
        concat_ws('; ', allowance.rule, method.rule, subsidy.rule, category.rule) as rules,
        (
            select case when bool_or(given.status = 'assumed') then 'assumed' when bool_or(given.status = 'secondary') then 'secondary' else 'verified' end
            from (values (allowance.status), (method.status), (days.status), (subsidy.status), (category.status)) as given (status)
        ) as rules_status,
        exists(
            select from {{ ref('policy_nutrition_subsidy') }} as any_year
            where any_year.region_code = enrolled.region_code
        ) as region_has_subsidy
    from enrolled
    left join lateral (
        select
            min(event.occurred_on) as registered_on,
            (array_agg(event.employer_type order by event.seq desc))[1] as employer_type
        from {{ source('events', 'event') }} as event
        where
            event.region_code = enrolled.region_code
            and event.employer_no = enrolled.employer_no
            and event.event_type = 'employer.registered'
            and event.seq <= enrolled.head_seq
    ) as employer on true
    left join lateral (
        select
            rule.divisor, rule.base_rule, rule.consecutive_months, rule.status,
            concat_ws(' ', 'policy_allowance', rule.effective_from, rule.known_from) as rule
        from {{ ref('policy_allowance') }} as rule
        where rule.region_code = enrolled.region_code and {{ in_force('rule', rules_on) }}
        {{ best_rule('rule') }}
    ) as allowance on true
    left join lateral (
        select rule.*, concat_ws(' ', 'policy_allowance_method', rule.region_code, rule.effective_from, rule.known_from) as rule
        from {{ ref('policy_allowance_method') }} as rule
        where (rule.region_code is null or rule.region_code = enrolled.region_code) and {{ in_force('rule', rules_on) }}
        {{ best_rule('rule') }}
    ) as method on true
    left join lateral ({{ entitlement_days(rules_on) }}) as days on true
    left join lateral ({{ entitlement_subsidy(rules_on) }}) as subsidy on not enrolled.is_allowance
    left join lateral (
        select
            rule.is_entitled, rule.status,
            concat_ws(
                ' ', 'policy_benefit_eligibility', rule.region_code, rule.enrollment_category, rule.employer_type, rule.effective_from
            ) as rule
        from {{ ref('policy_benefit_eligibility') }} as rule
        where
            (rule.region_code is null or rule.region_code = enrolled.region_code)
            and rule.benefit_item = enrolled.benefit_item
            and rule.enrollment_category = enrolled.enrollment_category
            and (rule.employer_type is null or rule.employer_type = employer.employer_type)
            and {{ in_force('rule', rules_on) }}
        order by
            (rule.region_code is not null) desc, (rule.employer_type is not null) desc,
            rule.known_from desc, rule.effective_from desc
        limit 1
    ) as category on true
    -- months paid as a flexible worker carry no maternity premium: those of a category with the benefit count towards it
    left join lateral (
        select array_agg(known.enrollment_category) filter (where known.is_entitled) as categories
        from (
            select distinct on (rule.enrollment_category) rule.enrollment_category, rule.is_entitled
            from {{ ref('policy_benefit_eligibility') }} as rule
            where
                (rule.region_code is null or rule.region_code = enrolled.region_code)
                and rule.benefit_item = enrolled.benefit_item
                and rule.employer_type is null
                and {{ in_force('rule', rules_on) }}
            order by
                rule.enrollment_category asc, (rule.region_code is not null) desc, rule.known_from desc,
                rule.effective_from desc
        ) as known
    ) as counting on true
)
{%- endmacro %}

{#- Days of the case: a birth with what is added to it, a miscarriage by its weeks, the husband's nursing leave. Complete only when
    every part that the case demands has its row, and the weeks fall into one row. -#}
{% macro entitlement_days(rules_on) -%}
        select
            sum(rule.allowance_days * part.times)::integer as days,
            string_agg(
                concat_ws(' ', rule.allowance_case, rule.effective_from, rule.allowance_days || '×' || part.times), '; '
                order by rule.allowance_case
            ) as day_rules,
            case when bool_or(rule.status = 'assumed') then 'assumed' when bool_or(rule.status = 'secondary') then 'secondary' else 'verified' end
                as status,
            case
                when enrolled.is_nursing then count(*) = 1
                when enrolled.care_item like 'delivery%'
                    then
                        bool_or(rule.allowance_case = 'birth')
                        and (enrolled.care_item = 'delivery_normal' or bool_or(rule.allowance_case = 'difficult_birth'))
                        and (enrolled.births = 1 or bool_or(rule.allowance_case = 'additional_child'))
                else count(*) = 1
            end as is_complete
        from (
            select distinct on (known.allowance_case) known.*
            from {{ ref('policy_allowance_days') }} as known
            where known.region_code = enrolled.region_code and {{ in_force('known', rules_on) }}
            order by known.allowance_case asc, known.known_from desc, known.effective_from desc
        ) as rule
        cross join lateral (
            select
                case
                    when enrolled.is_nursing then (rule.allowance_case = 'nursing_leave')::integer
                    when enrolled.care_item like 'delivery%'
                        then
                            case rule.allowance_case
                                when 'birth' then 1
                                when 'provincial_extension' then 1
                                when 'difficult_birth' then (enrolled.care_item <> 'delivery_normal')::integer
                                when 'additional_child' then enrolled.births - 1
                                else 0
                            end
                    when enrolled.care_item = 'miscarriage'
                        then
                            (
                                rule.weeks_from <= enrolled.weeks
                                and (rule.weeks_below is null or enrolled.weeks < rule.weeks_below)
                            )::integer
                    else 0
                end as times
        ) as part
        where part.times > 0
{%- endmacro %}

{#- The subsidy by the rate and rounding in force on `rules_on`, of the wage of the year in which the birth was: indexing is no change of
    the rule. -#}
{% macro entitlement_subsidy(rules_on) -%}
        select
            coalesce(
                {{ rounded_by('year.average_yearly_wage * rule.subsidy_rate', 'rule.rounding', '0', fen_by_default=true) }},
                case when year.effective_from = rule.effective_from then rule.subsidy_amount else year.subsidy_amount end
            ) as subsidy_amount,
            rule.status,
            concat_ws(' ', 'policy_nutrition_subsidy', rule.effective_from, rule.known_from, 'wage', year.effective_from) as rule
        from (
            select known.*
            from {{ ref('policy_nutrition_subsidy') }} as known
            where known.region_code = enrolled.region_code and {{ in_force('known', rules_on) }}
            {{ best_rule('known') }}
        ) as rule
        inner join (
            select known.*
            from {{ ref('policy_nutrition_subsidy') }} as known
            where known.region_code = enrolled.region_code and {{ in_force('known', 'enrolled.rule_date') }}
            {{ best_rule('known') }}
        ) as year on true
{%- endmacro %}

{#- An amount rounded as a seed says: half_up, down or up at so many decimals, none. With `fen_by_default` any other word rounds to fen. -#}
{% macro rounded_by(amount, mode, decimals, fen_by_default=false) -%}
case {{ mode }}
                    when 'half_up' then round({{ amount }}, {{ decimals }})
                    when 'down' then trunc({{ amount }}, {{ decimals }})
                    when 'up' then ceil(({{ amount }}) * power(10::numeric, {{ decimals }})) / power(10::numeric, {{ decimals }})
                    {%- if fen_by_default %}
                    else round({{ amount }}, 2)
                    {%- else %}
                    else {{ amount }}
                    {%- endif %}
                end
{%- endmacro %}
