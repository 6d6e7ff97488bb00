{#- What a claim comes to: what keeps it from being due, what it can't be computed for, the amount, and how it compares with what was paid. -#}

{#- (condition, Chinese, English) of each reason, in the order in which they are told. -#}
{% macro entitlement_denials() -%}
    {{ return([
        ('waited.is_enrolled is false', '事件当日未参保或已停保', 'not enrolled on the day of the birth or operation'),
        ('waited.is_enrolled and waited.is_entitled_category is false', '该参保类别不享受本项待遇', 'no such benefit for the enrolment category'),
        ('waited.is_dated and waited.months_lacking > 0', '连续缴费不足', 'too few consecutive months of contributions'),
        ('not waited.is_allowance and not waited.region_has_subsidy', '本统筹区无营养补助', 'the region has no nutrition subsidy'),
        (
            "not waited.is_allowance and (waited.care_item = 'family_planning' or waited.is_nursing"
            " or waited.case_days < waited.subsidy_leave_days)",
            '不属于发放营养补助的情形（产假不足规定天数）', 'no case for the subsidy: too few days of leave'
        ),
    ]) }}
{%- endmacro %}

{% macro entitlement_gaps() -%}
    {{ return([
        ('waited.consecutive_months is null', '无当日津贴规则', 'no allowance rule of its day'),
        ('waited.subsidy_leave_days is null', '无当日计算方法', 'no method of computing of its day'),
        (
            'waited.care_item is null and not coalesce(waited.is_nursing and waited.is_allowance, false)',
            '未见对应的分娩、流产或手术结算', 'no birth, miscarriage or operation of the person'
        ),
        ('not waited.is_dated', '事件日期不明', 'the day of the birth or operation is not known'),
        (
            "waited.care_item = 'family_planning' and waited.is_allowance",
            '日志未载明计划生育手术种类，天数无从确定', 'the log does not say which operation it was, so its days are not known'
        ),
        (
            "waited.care_item is distinct from 'family_planning' and (waited.care_item is not null or waited.is_nursing)"
            " and not waited.has_days and (waited.is_allowance or waited.care_item = 'miscarriage')",
            '情形或孕周无对应天数', 'no days for the case or its weeks'
        ),
        (
            "waited.is_allowance and waited.base_rule <> 'employer_previous_year_average'",
            '基数口径不识别', 'the rule of the base is not known here'
        ),
        (
            'waited.is_allowance and coalesce(waited.demanded_base, waited.stated_base) is null',
            '单位上年平均与申报日基数均无', 'neither the employer''s average nor a stated daily base'
        ),
        (
            'not waited.is_allowance and waited.region_has_subsidy and waited.subsidy_amount is null',
            '无当年营养补助标准', 'no subsidy rule of its year'
        ),
    ]) }}
{%- endmacro %}

{% macro entitlement_notes() -%}
    {{ return([
        ('not is_stated_base', '申报的日基数与单位上年平均不符', 'the stated daily base is not the employer''s average of last year'),
        ('not is_stated_days', '申报天数与规则不符', 'the stated days are not those of the rule'),
        ('is_other_births', '申报胎儿数与分娩结算不符', 'children as claimed differ from the delivery'),
        ('is_other_weeks', '申报孕周与医疗结算不符', 'weeks as claimed differ from the treatment'),
        ('not is_right_payee', '发放对象与规则不符', 'paid to another payee than the rule says'),
        ('computed_amount is not null and difference <> 0', '金额与计算不符', 'the amount is not as computed'),
    ]) }}
{%- endmacro %}

{#- Reasons in one language that hold, null when none does: place 1 Chinese, 2 English. -#}
{% macro reasons_told(reasons, place) -%}
nullif(concat_ws('{{ '；' if place == 1 else '; ' }}',
            {%- for reason in reasons %}
            case when {{ reason[0] }} then '{{ reason[place] }}' end{{ ',' if not loop.last }}
            {%- endfor %}
        ), '')
{%- endmacro %}

{% macro entitlement_results() -%}
judged as (
    select
        waited.*,
        coalesce(waited.demanded_base, waited.stated_base) as daily_base,
        {{ reasons_told(entitlement_denials(), 1) }} as denied_zh,
        {{ reasons_told(entitlement_denials(), 2) }} as denied_en,
        {{ reasons_told(entitlement_gaps(), 1) }} as missing_zh,
        {{ reasons_told(entitlement_gaps(), 2) }} as missing_en
    from waited
),

-- Whoever has no right has none whatever its amount would be; what can't be computed is null, never a guess.
reckoned as (
    select
        judged.*,
        case when judged.is_allowance and judged.has_days then judged.case_days end as days,
        case
            when judged.denied_zh is not null then 0
            when judged.missing_zh is not null then null
            when judged.is_allowance
                then {{ rounded_by('judged.daily_base * judged.case_days', 'judged.amount_rounding', 'judged.amount_decimals') }}
            else coalesce(judged.subsidy_amount, 0)
        end::numeric(18, 2) as computed_amount
    from judged
),

compared as (
    select
        reckoned.*,
        (reckoned.paid_amount + reckoned.awaited_amount - reckoned.computed_amount)::numeric(18, 2) as difference,
        not reckoned.has_other_payee as is_right_payee,
        coalesce(reckoned.stated_base = reckoned.demanded_base, true) as is_stated_base,
        coalesce(reckoned.stated_days = reckoned.days, true) as is_stated_days
    from reckoned
),

entitlement as (
    select
        compared.*,
        case
            when compared.computed_amount is null then 'not_computable'
            when compared.denied_zh is not null and compared.difference > 0 then 'not_entitled'
            when compared.difference > 0 then 'overpaid'
            when compared.difference < 0 then 'underpaid'
            when not compared.is_right_payee then 'payee'
            when not compared.is_stated_base or not compared.is_stated_days then 'stated'
            else 'as_computed'
        end as outcome,
        nullif(concat_ws('；', compared.denied_zh, compared.missing_zh, {{ reasons_told(entitlement_notes(), 1) }}), '') as reason_zh,
        nullif(concat_ws('; ', compared.denied_en, compared.missing_en, {{ reasons_told(entitlement_notes(), 2) }}), '') as reason_en,
        concat_ws('; ', compared.rules, compared.day_rules) as all_rules,
        case
            when compared.is_allowance then '社会保险法第五十六条；女职工劳动保护特别规定第七条、第八条'
            else '宁政办发〔2019〕52号：一次性营养补助'
        end as clause
    from compared
)
{%- endmacro %}

{#- Everything together, as a list of CTEs that ends with `entitlement`, one row a paid claim and item. `rules_on`: the day whose rules
    are applied, over the columns rule_date and merger_date of a claim. -#}
{% macro entitlement_ctes(bound, rules_on='enrolled.rule_date') -%}
{{ entitlement_claims(bound) }},

{{ entitlement_cares() }},

{{ entitlement_rules(rules_on) }},

{{ entitlement_months() }},

{{ entitlement_results() }}
{%- endmacro %}
