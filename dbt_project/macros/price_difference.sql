{#-
    Settlements of maternity care against the prices and limits of policy_price, one row a claim, up to the published head: of items that
    have a price in force or are to be paid by disease, unit or head. CTEs up to `compared`.
    A price is what one case is settled at; a limit is the most that a pregnancy, or a stage of it, may cost. Heads of a monthly sum
    are not in the log: a whole number of prices is taken for as many heads; of any other sum nobody can tell whether it is too much for
    fewer heads or too little for more.
-#}
{% macro price_difference_ctes() -%}
settled as (
    select
        event.region_code,
        event.claim_no,
        min(event.seq) as event_seq,
        (array_agg(event.benefit_item order by event.seq))[1] as benefit_item,
        (array_agg(event.institution_code order by event.seq))[1] as institution_code,
        (array_agg(event.person_no order by event.seq))[1] as person_no,
        coalesce((array_agg(event.settlement_kind order by event.seq))[1], 'case') as settlement_kind,
        (array_agg(event.payment_method order by event.seq))[1] as payment_method,
        (array_agg({{ treatment_day('event') }} order by event.seq))[1] as rule_date,
        min(event.occurred_on) as settled_on,
        date_trunc('month', min(event.occurred_on)::timestamp)::date as settled_month,
        max(event.gestation_weeks) as gestation_weeks,
        sum(coalesce(event.pooled_amount, 0)) as settled_amount,
        sum(event.medical_fee_total) as medical_fee_total,
        sum(coalesce(event.personal_account_amount, 0) + coalesce(event.personal_cash_amount, 0)) as patient_paid_amount
    from {{ source('events', 'event') }} as event
    inner join head
        on event.region_code = head.region_code and event.seq <= head.seq and {{ readable('event.region_code') }}
    where
        event.event_type = 'claim.settled'
        and event.benefit_item in ({{ quoted(maternity_medical_items()) }})
        and event.claim_no is not null
    group by event.region_code, event.claim_no
),

{{ provider_terms() }},

priced as (
    select
        settled.*,
        term.hospital_level,
        method.payment_method as method_demanded,
        price.price,
        price.price_kind,
        price.status as price_status,
        price.special_addition,
        price.patient_threshold,
        price.patient_share,
        price.rule as price_rule,
        stage.price as stage_price,
        stage.stage,
        stage.rule as stage_rule,
        stage.status as stage_status,
        staged.is_staged,
        staged.is_priced_elsewhere
    from settled
    left join lateral (
        {{ term_on('settled.region_code', 'settled.institution_code', 'settled.rule_date') }}
    ) as term on true
    left join lateral (
        {{ payment_method_in_force('settled.region_code', 'settled.benefit_item', 'settled.rule_date') }}
    ) as method on true
    left join lateral (
        select
            rule.price, rule.price_kind, rule.status, rule.special_addition, rule.patient_threshold, rule.patient_share,
            concat_ws(' ', 'policy_price', rule.benefit_item, 'level ' || rule.hospital_level, rule.effective_from) as rule
        from {{ ref('policy_price') }} as rule
        where
            rule.region_code = settled.region_code and rule.benefit_item = settled.benefit_item
            and rule.weeks_from is null
            and (rule.hospital_level is null or rule.hospital_level = term.hospital_level)
            and {{ in_force('rule', 'settled.rule_date') }}
        order by rule.hospital_level asc nulls last, rule.known_from desc, rule.effective_from desc
        limit 1
    ) as price on true
    left join lateral (
        select
            rule.price, rule.status, concat_ws('-', rule.weeks_from, coalesce(rule.weeks_below::text, '')) as stage,
            concat_ws(' ', 'weeks', rule.weeks_from, 'to below', rule.weeks_below, rule.effective_from) as rule
        from {{ ref('policy_price') }} as rule
        where
            rule.region_code = settled.region_code and rule.benefit_item = settled.benefit_item
            and rule.weeks_from <= settled.gestation_weeks
            and (rule.weeks_below is null or settled.gestation_weeks < rule.weeks_below)
            and (rule.hospital_level is null or rule.hospital_level = term.hospital_level)
            and {{ in_force('rule', 'settled.rule_date') }}
        order by rule.hospital_level asc nulls last, rule.known_from desc, rule.effective_from desc
        limit 1
    ) as stage on true
    left join lateral (
        select
            coalesce(bool_or(rule.weeks_from is not null), false) as is_staged,
            coalesce(bool_or(
                rule.hospital_level is not null and rule.hospital_level is distinct from term.hospital_level
            ), false) as is_priced_elsewhere
        from {{ ref('policy_price') }} as rule
        where
            rule.region_code = settled.region_code and rule.benefit_item = settled.benefit_item
            and {{ in_force('rule', 'settled.rule_date') }}
    ) as staged on true
    where
        price.price is not null or stage.price is not null or staged.is_priced_elsewhere
        or method.payment_method in ('per_disease', 'per_unit', 'per_capita')
        or settled.payment_method in ('per_disease', 'per_unit', 'per_capita')
),

-- A pregnancy goes on until a visit whose conception lies after the visit before; without weeks, until a pause longer than one lasts.
visited as (
    select
        priced.*,
        coalesce(priced.price_kind, case when priced.stage_price is not null then 'limit' end) as kind,
        lag(priced.rule_date) over (
            partition by priced.region_code, priced.benefit_item, priced.person_no order by priced.rule_date, priced.event_seq
        ) as visit_before
    from priced
),

numbered as (
    select
        visited.*,
        sum(
            case
                when visited.visit_before is null then 1
                when visited.gestation_weeks is not null
                    then (visited.rule_date - 7 * visited.gestation_weeks > visited.visit_before)::integer
                else (visited.rule_date - visited.visit_before > 280)::integer
            end
        ) over (
            partition by visited.region_code, visited.benefit_item, visited.person_no order by visited.rule_date, visited.event_seq
        ) as pregnancy_no
    from visited
),

staged as (
    select
        numbered.*,
        case when numbered.kind = 'limit' and numbered.stage is not null then sum(numbered.settled_amount) over (
            partition by
                numbered.region_code, numbered.benefit_item, numbered.person_no, numbered.pregnancy_no, numbered.kind, numbered.stage
            order by numbered.rule_date, numbered.event_seq
        ) end as stage_amount
    from numbered
),

limited as (
    select
        staged.*,
        least(staged.settled_amount, greatest(staged.stage_amount - staged.stage_price, 0)) as stage_excess
    from staged
),

-- Towards the limit of the whole counts what that of the stage has let through: nothing is in excess twice.
cumulated as (
    select
        limited.*,
        case when limited.kind = 'limit' then sum(limited.settled_amount - limited.stage_excess) over (
            partition by limited.region_code, limited.benefit_item, limited.person_no, limited.pregnancy_no, limited.kind
            order by limited.rule_date, limited.event_seq
        ) end as pregnancy_amount
    from limited
),

based as (
    select
        cumulated.*,
        case
            when cumulated.method_demanded = 'per_capita' or cumulated.payment_method = 'per_capita' then 'heads'
            when cumulated.kind = 'limit' then 'limit'
            else 'case'
        end as basis,
        case
            when cumulated.price > 0 and cumulated.settled_amount % cumulated.price = 0
                then cumulated.settled_amount / cumulated.price
        end as whole_prices
    from cumulated
),

judged as (
    select
        based.*,
        nullif(concat_ws(
            '；',
            case
                when based.kind is null and based.is_priced_elsewhere and based.hospital_level is null
                    then '机构等级未知（协议参数表无此机构） / the level of the institution is not known: no agreement of it'
                when based.kind is null and based.is_priced_elsewhere then '无该等级医院的价格 / no price for hospitals of this level'
                when based.kind is null then '价格参数表无此项目当日的价格 / no price of the item in force on that day'
            end,
            case
                when
                    based.kind = 'price' and based.settlement_kind <> 'case'
                    and coalesce(based.method_demanded, '') <> 'per_capita' and coalesce(based.payment_method, '') <> 'per_capita'
                    then '按月汇总或清算，日志未载例数 / settled in one sum, the log does not say of how many cases'
            end,
            case
                when based.kind = 'limit' and based.person_no is null
                    then '限额按孕期累计而未载人员 / a limit of a pregnancy, and no person is told'
            end,
            case
                when based.basis = 'heads' and based.kind is not null and based.whole_prices is null
                    then
                        '不是价格的整数倍，人数日志未载，多付少付不能辨别 / no whole number of prices, and heads are not in the log: '
                        || 'whether it is too much or too little can not be told'
            end
        ), '') as missing
    from based
),

compared as (
    select
        judged.*,
        case
            when judged.missing is not null then null
            when judged.basis = 'heads' then judged.settled_amount - judged.whole_prices * judged.price
            when judged.basis = 'limit'
                then judged.stage_excess + least(
                    judged.settled_amount - judged.stage_excess, greatest(judged.pregnancy_amount - judged.price, 0)
                )
            else judged.settled_amount - judged.price
        end::numeric(18, 2) as difference,
        -- exactly the addition for infectious cases more: whether it is one, the log can't tell
        coalesce(
            judged.missing is null and judged.basis = 'case' and judged.settled_amount - judged.price = judged.special_addition, false
        ) as may_be_special
    from judged
)
{%- endmacro %}
