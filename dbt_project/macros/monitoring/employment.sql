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
    inner join limits as reach on {{ with_limits('person', 'reach') }}
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

{#- Days as an employee of the persons in CTE `birth`, as CTE `enrolled`; a gap of less than `bridged_days` is none. Needs CTE `limits`. -#}
{% macro bridged_employment() -%}
enrolled as (
    select
        spell.region_code,
        spell.person_no,
        range_agg(daterange(spell.from_on, (spell.until_on + limits.bridged_days::integer))) as days
    from (
        {{ monitored_spell('birth') }}
    ) as spell
    inner join limits on {{ with_limits('spell') }}
    where spell.enrollment_category = 'employee'
    group by spell.region_code, spell.person_no
)
{%- endmacro %}
