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
        {%- for parameter in parameters %}
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
            {%- for parameter in ['look_back_months'] + parameters %}
                max(stated.value) filter (where stated.parameter = '{{ parameter }}') as {{ parameter }}{{ ',' if not loop.last }}
            {%- endfor %}
        from (
            select distinct on (known.parameter)
                known.parameter,
                known.value
            from {{ ref('monitoring_parameter') }} as known
            where
                known.rule_code = '{{ rule_code }}'
                and coalesce(known.region_code, head.region_code) = head.region_code
                and {{ in_force('known', "(head.published_at at time zone 'Asia/Shanghai')::date") }}
            order by known.parameter asc, known.region_code is null asc, known.known_from desc, known.effective_from desc
        ) as stated
    ) as given
    {%- if not all_regions %}
    where head.region_code = coalesce(nullif(current_setting('merged_fund.region', true), ''), head.region_code)
    {%- endif %}
{%- endmacro %}

{#- Claims of a person, one row each, as settled or else as paid last; payments that were reversed do not count. `amount` is what the
    fund pays: pooled and personal account, in yuan, before what was recovered. -#}
{% macro monitored_claim(condition) -%}
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
        coalesce(event.service_on, event.discharged_on, event.admitted_on, event.occurred_on) as care_on,
        coalesce(event.pooled_amount, 0) as pooled_amount,
        coalesce(event.pooled_amount, 0) + coalesce(event.personal_account_amount, 0) as amount
    from limits
    inner join {{ source('events', 'event') }} as event
        on
            limits.region_code = event.region_code
            -- one condition, true as a rule: two inequalities are taken for the ninth part of the rows, and a loop follows
            and case when limits.seq >= event.seq and limits.since <= event.occurred_on then true else false end
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
    order by event.region_code asc, event.claim_no asc, event.event_type = 'claim.settled' desc, event.seq desc
{%- endmacro %}

{#- Deliveries, and allowances for a birth, which tell of a birth whose care was settled elsewhere. -#}
{% macro is_birth_claim() -%}
    event.benefit_item in ('delivery_normal', 'delivery_assisted', 'delivery_caesarean')
    or event.benefit_item = 'maternity_allowance'
    and (event.birth_count >= 1 or event.leave_days >= limits.birth_leave_days)
{%- endmacro %}

{#- Births of the persons in CTE `birth_claim`: claims less than `same_birth_days` apart are about one birth. Needs CTE `limits`. -#}
{% macro monitored_birth() -%}
    select
        numbered.region_code,
        numbered.person_no,
        numbered.birth_no,
        min(numbered.care_on) as birth_on,
        max(numbered.care_on) as last_on,
        max(numbered.settled_on) as settled_on,
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
                partition by parted.region_code, parted.person_no order by parted.care_on, parted.claim_no
            ) as birth_no
        from (
            select
                birth_claim.*,
                birth_claim.care_on - lag(birth_claim.care_on) over (
                    partition by birth_claim.region_code, birth_claim.person_no
                    order by birth_claim.care_on, birth_claim.claim_no
                ) >= limits.same_birth_days as is_next
            from birth_claim
            inner join limits on birth_claim.region_code = limits.region_code
        ) as parted
    ) as numbered
    group by numbered.region_code, numbered.person_no, numbered.birth_no
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
        case
            when spell.insurance_type = '510' and spell.valid_from < merged.merged_on
                then least(spell.valid_until, merged.merged_on)
            else spell.valid_until
        end as until_on,
        spell.end_reason
    from (select distinct wanted.region_code, wanted.person_no from {{ of }} as wanted) as person
    inner join limits on person.region_code = limits.region_code
    inner join {{ ref('enrollment_spell') }} as spell
        on
            person.region_code = spell.region_code
            and person.person_no = spell.person_no
            and case when limits.seq >= spell.last_seq then true else false end
    left join (
        select
            limits.region_code,
            min(event.occurred_on) as merged_on
        from limits
        inner join {{ source('events', 'event') }} as event
            on limits.region_code = event.region_code and limits.seq >= event.seq
        where event.event_type = 'fund.merged'
        group by limits.region_code
    ) as merged on spell.region_code = merged.region_code
    where
        spell.insurance_type is not null
        and not exists (
            select from {{ ref('enrollment_spell') }} as later
            where
                later.region_code = spell.region_code
                and later.person_no = spell.person_no
                and later.batch_id > spell.batch_id
                and later.last_seq <= limits.seq
        )
{%- endmacro %}

{#- The first day on which anybody was enrolled: those enrolled on it were so before the log began, for how long nobody knows. -#}
{% macro first_enrolled_on(region_code, seq) -%}
    (
        select min(opening.occurred_on)
        from {{ source('events', 'event') }} as opening
        where
            opening.region_code = {{ region_code }}
            and opening.event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
            and opening.event_type = 'enrollment.started'
            and opening.seq <= {{ seq }}
    )
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

{#- What a rule has found, with what has been recovered of the claims concerned. What has come back in full needs nobody any more. The
    fingerprint is of what was found and not of what has come back since: a recovery is no new fact. -#}
{% macro monitoring_found(found) -%}
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
        left(md5(concat_ws('|', hit.amount::numeric(18, 2), array_to_string(hit.claims, ','))), 16) as evidence
    from {{ found }} as hit
    left join limits on hit.region_code = limits.region_code
    left join lateral (
        select sum(turned.taken_back_pooled_amount + turned.taken_back_personal_amount) as amount
        from {{ ref('claim_turnover') }} as turned
        where
            turned.region_code = hit.region_code
            and turned.claim_no = any(hit.claims)
            and turned.last_seq <= limits.seq
    ) as taken on true
    where coalesce(taken.amount, 0) < hit.amount or hit.amount = 0
{%- endmacro %}
