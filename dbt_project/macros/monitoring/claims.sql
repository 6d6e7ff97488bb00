{#- Claims of a person, one row each, as settled or else as paid last; what it was settled for, or paid, in parts adds up. A payment
    that was reversed does not count, nor a claim all of whose payments were: the bank never paid it. One that is settled and not yet
    paid does. `amount` is what the fund pays: pooled and personal account, in yuan, before what was recovered. `care_on` is the day of
    the care; a cash benefit that does not state the day of the birth takes that of the nearest care before it, or else its own, and
    `is_dated` says no.
    Asked for as `identified`, each has a `person_key`, which is the same for the numbers that one certificate has been given. -#}
{% macro monitored_claim(condition, identified=false) -%}
    {% if identified -%}
    select
        numbered.*,
        coalesce(holder.certificate_pseudonym, numbered.person_no) as person_key
    from (
    {% endif -%}
    select distinct on (event.region_code, event.claim_no)
        event.region_code,
        event.claim_no,
        event.seq,
        event.person_no,
        event.employer_no,
        event.institution_code,
        event.account_holder_no,
        event.benefit_item,
        event.admitted_on,
        event.discharged_on,
        event.service_on,
        event.occurred_on as settled_on,
        event.birth_count,
        event.gestation_weeks,
        event.leave_days,
        event.allowance_daily_base,
        sum(event.medical_fee_total) over parts as medical_fee_total,
        coalesce(event.service_on, event.discharged_on, event.admitted_on, cared.care_on, event.occurred_on) as care_on,
        event.benefit_item not in ('maternity_allowance', 'nutrition_subsidy')
        or coalesce(event.service_on, event.discharged_on, event.admitted_on, cared.care_on) is not null as is_dated,
        sum(coalesce(event.pooled_amount, 0)) over parts as pooled_amount,
        sum(coalesce(event.pooled_amount, 0) + coalesce(event.personal_account_amount, 0)) over parts as amount
    from limits
    inner join {{ source('events', 'event') }} as event
        on
            limits.region_code = event.region_code
            -- one condition, true as a rule: two inequalities are taken for the ninth part of the rows, and a loop follows
            and case when limits.seq >= event.seq and limits.since <= event.occurred_on then true else false end
    left join lateral (
        select max(coalesce(care.service_on, care.discharged_on, care.occurred_on)) as care_on
        from {{ source('events', 'event') }} as care
        where
            event.benefit_item in ('maternity_allowance', 'nutrition_subsidy')
            and coalesce(event.service_on, event.discharged_on, event.admitted_on) is null
            and care.region_code = event.region_code
            and care.person_no = event.person_no
            and care.seq <= limits.seq
            and care.benefit_item in ('delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage', 'family_planning')
            and care.event_type in ('claim.settled', 'claim.paid')
            and (care.benefit_item like 'delivery%' or event.birth_count is null)
            and coalesce(care.service_on, care.discharged_on, care.occurred_on)
            between event.occurred_on - limits.benefit_within_days::integer and event.occurred_on
    ) as cared on true
    where
        event.event_type in ('claim.settled', 'claim.paid')
        -- one condition as well: these depend on one another, and taken for independent they leave a single row, and loops follow
        and case
            when (event.settlement_kind is null or event.settlement_kind = 'case') and event.person_no is not null and ({{ condition }})
                then true
            else false
        end
        and {{ not_reversed('event', 'limits.seq') }}
        -- computed once and looked up: as a join it is computed once a claim wherever the planner expects a single one
        and (event.region_code, event.claim_no) not in (
            {{ monitored_never_paid() }}
        )
    window parts as (partition by event.region_code, event.claim_no, event.event_type = 'claim.settled')
    order by event.region_code asc, event.claim_no asc, event.event_type = 'claim.settled' desc, event.seq desc
    {%- if identified %}
    ) as numbered
    left join (
        {{ monitored_holder() }}
    ) as holder on numbered.region_code = holder.region_code and numbered.person_no = holder.person_no
    {%- endif %}
{%- endmacro %}

{#- Claims of which all payments and offsets were reversed, one row each. Reversals are few, and the payments of their claims are looked up
    among them in one pass: joined, they would be read once a reversal, for no index finds them by claim. Needs CTE `limits`. -#}
{% macro monitored_never_paid() -%}
    select
        payment.region_code,
        payment.claim_no
    from limits
    inner join {{ source('events', 'event') }} as payment
        on limits.region_code = payment.region_code and case when limits.seq >= payment.seq then true else false end
    left join {{ source('events', 'event') }} as taken
        on
            payment.region_code = taken.region_code
            and payment.seq = taken.original_seq
            and taken.event_type = 'claim.reversed'
            and limits.seq >= taken.seq
    where
        case
            when
                payment.event_type in ('claim.paid', 'advance.offset')
                and payment.claim_no is not null
                and (payment.region_code, payment.claim_no) in (
                    select
                        undone.region_code,
                        undone.claim_no
                    from limits as reach
                    inner join {{ source('events', 'event') }} as reversal
                        on
                            reach.region_code = reversal.region_code
                            and reach.seq >= reversal.seq
                            and reversal.event_type = 'claim.reversed'
                    inner join {{ source('events', 'event') }} as undone
                        on reversal.region_code = undone.region_code and reversal.original_seq = undone.seq
                    where undone.claim_no is not null
                )
                then true
            else false
        end
    group by payment.region_code, payment.claim_no
    having bool_and(taken.seq is not null)
{%- endmacro %}

{#- The certificate of each person as registered last, one row a person. Needs CTE `limits`. -#}
{% macro monitored_holder() -%}
    select distinct on (registered.region_code, registered.person_no)
        registered.region_code,
        registered.person_no,
        registered.certificate_pseudonym
    from limits
    inner join {{ source('events', 'event') }} as registered
        on
            limits.region_code = registered.region_code
            and case when limits.seq >= registered.seq then true else false end
    where registered.certificate_pseudonym is not null and registered.person_no is not null
    order by registered.region_code asc, registered.person_no asc, registered.seq desc
{%- endmacro %}

{#- Deliveries, and allowances for a birth, which tell of a birth whose care was settled elsewhere. -#}
{% macro is_birth_claim() -%}
    event.benefit_item in ('delivery_normal', 'delivery_assisted', 'delivery_caesarean')
    or event.benefit_item = 'maternity_allowance'
    and (event.birth_count >= 1 or event.leave_days >= limits.birth_leave_days)
{%- endmacro %}

{#- Births of the persons in CTE `birth_claim`, told apart by `person`: claims less than `same_birth_days` apart are about one birth.
    Needs CTE `limits`. -#}
{% macro monitored_birth(person='person_no') -%}
    select
        numbered.region_code,
        min(numbered.person_no) as person_no,
        array_agg(distinct numbered.person_no order by numbered.person_no) as persons,
        numbered.birth_no,{% if person != 'person_no' %}
        numbered.{{ person }},{% endif %}
        min(numbered.care_on) as birth_on,
        max(numbered.settled_on) as settled_on,
        array_agg(numbered.claim_no order by numbered.claim_no) as claims,
        sum(numbered.amount) as amount,
        coalesce(sum(numbered.amount) filter (where numbered.benefit_item = 'maternity_allowance'), 0) as allowance_amount,
        max(numbered.allowance_daily_base) as allowance_daily_base,
        max(numbered.gestation_weeks) as gestation_weeks,
        (array_agg(numbered.employer_no order by numbered.benefit_item = 'maternity_allowance' desc, numbered.claim_no)
            filter (where numbered.employer_no is not null))[1] as employer_no,
        (array_agg(numbered.institution_code order by numbered.claim_no)
            filter (where numbered.institution_code is not null))[1] as institution_code
    from (
        select
            parted.*,
            count(*) filter (where parted.is_next) over (
                partition by parted.region_code, parted.{{ person }} order by parted.care_on, parted.claim_no
            ) as birth_no
        from (
            select
                birth_claim.*,
                birth_claim.care_on - lag(birth_claim.care_on) over (
                    partition by birth_claim.region_code, birth_claim.{{ person }}
                    order by birth_claim.care_on, birth_claim.claim_no
                ) >= limits.same_birth_days as is_next
            from birth_claim
            inner join limits on {{ with_limits('birth_claim') }}
        ) as parted
    ) as numbered
    group by numbered.region_code, numbered.{{ person }}, numbered.birth_no
{%- endmacro %}
