{#- Parts of the rules of claims monitoring (models/ledger/monitoring). Every rule begins with a CTE `limits`, one row a region with
    a published head: its bound, since when claims are looked at, and the parameters of the rule. -#}

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
    {%- if not all_regions %}
        and head.region_code = coalesce(nullif(current_setting('merged_fund.region', true), ''), head.region_code)
    {%- endif %}
{%- endmacro %}

{#- Claims of a person, one row each, as settled or else as paid last. A payment that was reversed does not count, nor a claim all of
    whose payments were: the bank never paid it. One that is settled and not yet paid does. `amount` is what the
    fund pays: pooled and personal account, in yuan, before what was recovered. `care_on` is the day of the care; a cash benefit that
    does not state the day of the birth takes that of the nearest care before it, or else its own, and `is_dated` says no.
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
        event.medical_fee_total,
        coalesce(event.service_on, event.discharged_on, event.admitted_on, cared.care_on, event.occurred_on) as care_on,
        event.benefit_item not in ('maternity_allowance', 'nutrition_subsidy')
        or coalesce(event.service_on, event.discharged_on, event.admitted_on, cared.care_on) is not null as is_dated,
        coalesce(event.pooled_amount, 0) as pooled_amount,
        coalesce(event.pooled_amount, 0) + coalesce(event.personal_account_amount, 0) as amount
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
        and (event.settlement_kind is null or event.settlement_kind = 'case')
        and event.person_no is not null
        and ({{ condition }})
        and not exists (
            select from {{ source('events', 'event') }} as reversal
            where
                reversal.region_code = event.region_code
                and reversal.original_seq = event.seq
                and reversal.event_type = 'claim.reversed'
                and reversal.seq <= limits.seq
        )
        and not exists (
            select from (
                {{ monitored_never_paid() }}
            ) as unpaid
            where unpaid.region_code = event.region_code and unpaid.claim_no = event.claim_no
        )
    order by event.region_code asc, event.claim_no asc, event.event_type = 'claim.settled' desc, event.seq desc
    {%- if identified %}
    ) as numbered
    left join (
        {{ monitored_holder() }}
    ) as holder on numbered.region_code = holder.region_code and numbered.person_no = holder.person_no
    {%- endif %}
{%- endmacro %}

{#- Claims of which all payments and offsets were reversed, one row each. Begins with the reversals, which are few. Needs CTE `limits`. -#}
{% macro monitored_never_paid() -%}
    select
        payment.region_code,
        payment.claim_no
    from limits
    inner join {{ source('events', 'event') }} as reversal
        on limits.region_code = reversal.region_code and limits.seq >= reversal.seq and reversal.event_type = 'claim.reversed'
    inner join {{ source('events', 'event') }} as undone
        on reversal.region_code = undone.region_code and reversal.original_seq = undone.seq
    inner join {{ source('events', 'event') }} as payment
        on
            undone.region_code = payment.region_code
            and undone.claim_no = payment.claim_no
            and payment.event_type in ('claim.paid', 'advance.offset')
            and limits.seq >= payment.seq
    left join {{ source('events', 'event') }} as taken
        on
            payment.region_code = taken.region_code
            and payment.seq = taken.original_seq
            and taken.event_type = 'claim.reversed'
            and limits.seq >= taken.seq
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
        max(numbered.care_on) as last_on,
        max(numbered.settled_on) as settled_on,
        min(numbered.seq) as first_seq,
        array_agg(numbered.claim_no order by numbered.claim_no) as claims,
        sum(numbered.amount) as amount,
        coalesce(sum(numbered.amount) filter (where numbered.benefit_item = 'maternity_allowance'), 0) as allowance_amount,
        max(numbered.allowance_daily_base) as allowance_daily_base,
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
            inner join limits on birth_claim.region_code = limits.region_code
        ) as parted
    ) as numbered
    group by numbered.region_code, numbered.{{ person }}, numbered.birth_no
{%- endmacro %}

{#- Enrolments of the persons in `of` (region_code, person_no), as ledger.enrollment_spell knows them at the bound: one row a state,
    with the day on which it ends (exclusive) and why. Needs CTE `limits`. -#}
{% macro monitored_spell(of) -%}
    select
        spell.region_code,
        spell.person_no,
        spell.employer_no,
        spell.enrollment_category,
        spell.valid_from as from_on,
        -- maternity enrolments go over into the medical one on the day of the merger: nobody ends them, an end of that one ends both
        -- nor does anybody end those of an employer that has closed
        least(
            spell.valid_until,
            case when spell.insurance_type = '510' and spell.valid_from < merged.merged_on then merged.merged_on end,
            case when spell.valid_from < closed.closed_on then closed.closed_on end
        ) as until_on,
        spell.end_reason
    from (select distinct wanted.region_code, wanted.person_no from {{ of }} as wanted) as person
    inner join limits as reach on person.region_code = reach.region_code
    inner join {{ ref('enrollment_spell') }} as spell
        on
            person.region_code = spell.region_code
            and person.person_no = spell.person_no
            and case when reach.seq >= spell.last_seq then true else false end
    left join (
        select
            bound.region_code,
            min(event.occurred_on) as merged_on
        from limits as bound
        inner join {{ source('events', 'event') }} as event
            on bound.region_code = event.region_code and bound.seq >= event.seq
        where event.event_type = 'fund.merged'
        group by bound.region_code
    ) as merged on spell.region_code = merged.region_code
    left join (
        {{ monitored_closed_employer() }}
    ) as closed on spell.region_code = closed.region_code and spell.employer_no = closed.employer_no
    where
        spell.insurance_type is not null
        and not exists (
            select from {{ ref('enrollment_spell') }} as later
            where
                later.region_code = spell.region_code
                and later.person_no = spell.person_no
                and later.batch_id > spell.batch_id
                and later.last_seq <= reach.seq
        )
{%- endmacro %}

{#- The births of CTE `birth` with the employer that they are about, as CTEs `unnamed`, `own` and `employed`. Needs CTE `limits`. -#}
{% macro employed_births() -%}
unnamed as (
    select distinct
        region_code,
        person_no
    from birth
    where employer_no is null
),

-- the employer that the claim names, or else the one of the birth: that of the newest employment begun by then
own as (
    select distinct on (birth.region_code, birth.person_no, birth.birth_on)
        birth.region_code,
        birth.person_no,
        birth.birth_on,
        spell.employer_no
    from birth
    inner join (
        {{ monitored_spell('unnamed') }}
    ) as spell
        on birth.region_code = spell.region_code and birth.person_no = spell.person_no and birth.birth_on >= spell.from_on
    where birth.employer_no is null and spell.enrollment_category = 'employee' and spell.employer_no is not null
    order by
        birth.region_code asc, birth.person_no asc, birth.birth_on asc,
        coalesce(spell.until_on > birth.birth_on, true) desc, spell.from_on desc, spell.employer_no asc
),

employed as (
    select
        birth.region_code,
        coalesce(birth.employer_no, own.employer_no) as employer_no,
        birth.person_no,
        birth.birth_on,
        birth.amount,
        birth.claims
    from birth
    left join own
        on
            birth.region_code = own.region_code
            and birth.person_no = own.person_no
            and birth.birth_on = own.birth_on
            and birth.employer_no is null
)
{%- endmacro %}

{#- Employers whose last word is that they have closed, one row each. Needs CTE `limits`. -#}
{% macro monitored_closed_employer() -%}
    select
        newest.region_code,
        newest.employer_no,
        newest.occurred_on as closed_on
    from (
        select distinct on (event.region_code, event.employer_no)
            event.region_code,
            event.employer_no,
            event.event_type,
            event.occurred_on
        from limits as bound
        inner join {{ source('events', 'event') }} as event
            on bound.region_code = event.region_code and bound.seq >= event.seq
        where event.event_type in ('employer.registered', 'employer.closed') and event.employer_no is not null
        order by event.region_code asc, event.employer_no asc, event.occurred_on desc, event.seq desc
    ) as newest
    where newest.event_type = 'employer.closed'
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

{#- A key that tells a finding apart and names nobody. -#}
{% macro hidden_key(parts) -%}
    left(md5(concat_ws('|', {{ parts | join(', ') }})), 16)
{%- endmacro %}

{% macro yuan_text(amount) -%}
    to_char({{ amount }}, 'FM999,999,999,990.00')
{%- endmacro %}

{% macro percent_text(share) -%}
    to_char(100 * {{ share }}, 'FM990.0')
{%- endmacro %}

{#- What a rule has found, with what has been recovered of the claims concerned. What has come back needs nobody any more:
    `any`: all that came back of the claims, where all of them are in doubt; `whole`: claims that came back in full, where one of several
    is in doubt and a part that came back of any has other reasons; `shown`: nothing ends what an institution does, it is shown beside.
    The fingerprint is of what was found and not of what has come back since: a recovery is no new fact. -#}
{% macro monitoring_found(found, recovered='any') -%}
    select
        hit.region_code,
        hit.rule_code,
        hit.finding_key,
        hit.institution_code,
        hit.employer_no,
        hit.persons,
        hit.claims,
        hit.amount::numeric(18, 2) as amount,
        hit.first_on,
        hit.last_on,
        hit.said_zh,
        hit.said_en,
        coalesce(taken.amount, 0)::numeric(18, 2) as recovered_amount,
        left(md5(concat_ws(
            '|', hit.amount::numeric(18, 2), array_to_string(hit.claims, ','), array_to_string(hit.persons, ','), hit.first_on, hit.last_on
        )), 16) as evidence
    from {{ found }} as hit
    left join limits on hit.region_code = limits.region_code
    left join lateral (
        select
            sum(claim.amount) as amount,
            {%- if recovered == 'whole' %}
                sum(claim.amount) filter (where claim.amount >= claim.paid_amount) as counted
            {%- else %}
                sum(claim.amount) as counted
            {%- endif %}
        from (
            select
                turned.claim_no,
                sum(turned.taken_back_pooled_amount + turned.taken_back_personal_amount) as amount,
                sum(turned.paid_pooled_amount + turned.paid_personal_amount) as paid_amount
            from {{ ref('claim_turnover') }} as turned
            where
                turned.region_code = hit.region_code
                and turned.claim_no = any(hit.claims)
                and turned.last_seq <= limits.seq
            group by turned.claim_no
            having sum(turned.taken_back_pooled_amount + turned.taken_back_personal_amount) > 0
        ) as claim
    ) as taken on true
    {%- if recovered != 'shown' %}
    where coalesce(taken.counted, 0) < hit.amount or hit.amount = 0
    {%- endif %}
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
