{#- Cash benefits twice over: by the rules of the day before the merger and by those after it, whichever side of it the birth lies on. -#}
{% macro cash_by_old_and_new_rules(bound) -%}
by_old_rules as (
    with {{ entitlement_ctes(bound, 'least(enrolled.rule_date, enrolled.merger_date - 1)') }}
    select region_code, claim_no, benefit_item, computed_amount, days, all_rules, denied_zh, denied_en, missing_zh, missing_en
    from entitlement
),

by_new_rules as (
    with {{ entitlement_ctes(bound, 'greatest(enrolled.rule_date, enrolled.merger_date)') }}
    select *
    from entitlement
),

cash_case as (
    select
        new.region_code,
        new.benefit_item,
        new.claim_no,
        new.person_no,
        new.event_seq,
        new.merger_date,
        new.rule_date as event_on,
        old.days as days_old_rules,
        new.days as days_new_rules,
        old.computed_amount as amount_old_rules,
        new.computed_amount as amount_new_rules,
        new.paid_amount as amount_paid,
        new.awaited_amount as amount_awaited,
        old.all_rules as rules_old,
        new.all_rules as rules_new,
        nullif(concat_ws('；', old.denied_zh, old.missing_zh), '') as reason_old_zh,
        nullif(concat_ws('; ', old.denied_en, old.missing_en), '') as reason_old_en,
        nullif(concat_ws('；', new.denied_zh, new.missing_zh), '') as reason_new_zh,
        nullif(concat_ws('; ', new.denied_en, new.missing_en), '') as reason_new_en
    from by_new_rules as new
    inner join by_old_rules as old
        on new.region_code = old.region_code and new.claim_no = old.claim_no and new.benefit_item = old.benefit_item
)
{%- endmacro %}

{#- Deliveries, miscarriages and family planning of persons: what was paid, and the price of the disease before and after the merger. -#}
{% macro medical_by_old_and_new_rules(bound) -%}
{{ medical_cases(bound) }},

medical_case as (
    select
        treated.region_code,
        treated.benefit_item,
        treated.claim_no,
        treated.person_no,
        treated.event_seq,
        region.merger_date,
        treated.event_on,
        {{ single_price('treated', 'least(treated.event_on, region.merger_date - 1)') }} as amount_old_rules,
        {{ single_price('treated', 'greatest(treated.event_on, region.merger_date)') }} as amount_new_rules,
        treated.amount_paid,
        treated.amount_awaited,
        treated.own_amount,
        treated.fee_total
    from treated
    left join {{ ref('stg_region') }} as region
        on treated.region_code = region.region_code and region.known_until = 'infinity'
)
{%- endmacro %}

{#- Net payments of maternity treatment by claim. -#}
{% macro medical_cases(bound) -%}
treatment as (
    select
        event.region_code,
        event.benefit_item,
        event.claim_no,
        head.seq as head_seq,
        {{ stated('person_no') }} as person_no,
        min(event.seq) filter (where event.event_type = 'claim.paid') as event_seq,
        min(coalesce(event.service_on, event.discharged_on, event.occurred_on)) as event_on,
        sum(coalesce(event.personal_account_amount, 0) + coalesce(event.personal_cash_amount, 0))
            filter (where event.event_type = 'claim.settled') as own_amount,
        sum(event.medical_fee_total) filter (where event.event_type = 'claim.settled') as fee_total
    from {{ source('events', 'event') }} as event
    inner join head on event.region_code = head.region_code and event.seq <= head.seq
        {%- if bound == 'published' %} and {{ readable('event.region_code') }}{% endif %}
    where
        event.benefit_item in ('delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage', 'family_planning')
        and event.event_type in ('claim.settled', 'claim.paid')
        and coalesce(event.settlement_kind, 'case') = 'case'
        and event.claim_no is not null
    group by event.region_code, event.benefit_item, event.claim_no, head.seq
),

treated as (
    select
        treatment.*,
        money.amount_paid,
        money.amount_awaited
    from treatment
    cross join lateral (
        select
            sum(moved.paid_pooled_amount - moved.taken_back_pooled_amount) as amount_paid,
            greatest(sum(moved.settled_pooled_amount - moved.withheld_amount - moved.paid_pooled_amount + moved.released_amount), 0)
                as amount_awaited
        from {{ ref('claim_turnover') }} as moved
        where
            moved.region_code = treatment.region_code
            and moved.claim_no = treatment.claim_no
            and moved.last_seq <= treatment.head_seq
    ) as money
    where treatment.event_seq is not null and money.amount_paid > 0
)
{%- endmacro %}

{#- The price in force on a day where the region has one for the item, whatever the level of the hospital, which the log does not tell. -#}
{% macro single_price(case, day) -%}
(
            select case when count(distinct known.price) = 1 then min(known.price) end
            from (
                select distinct on (rule.hospital_level) rule.price
                from {{ ref('policy_price') }} as rule
                where
                    rule.region_code = {{ case }}.region_code
                    and rule.benefit_item = {{ case }}.benefit_item
                    and {{ in_force('rule', day) }}
                order by rule.hospital_level asc, rule.known_from desc, rule.effective_from desc
            ) as known
        )
{%- endmacro %}
