{#- Medical items of the maternity line, among those that the index event_maternity names. -#}
{% macro maternity_medical_items() -%}
    {{ return([
        'prenatal', 'delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage', 'family_planning',
        'maternity_complication'
    ]) }}
{%- endmacro %}

{#- The day whose rules count for a claim: that of the treatment, not of the settlement or payment. -#}
{% macro treatment_day(event) -%}
    coalesce({{ event }}.discharged_on, {{ event }}.service_on, {{ event }}.occurred_on)
{%- endmacro %}

{#- CTE business_calendar, a day a row: whether it is worked, how many working days there have been up to and with it, and whether the
    seed's arrangements cover its year. Three years beyond the seed on either side Monday to Friday count, which is marked as not
    known; a day outside of that is in no row, and nothing is computed from it. A year is covered when the seed has a day of its
    October: the National Day always moves one. -#}
{% macro business_calendar() -%}
business_calendar as materialized (
    select
        marked.day,
        marked.is_working_day,
        marked.is_known,
        sum(marked.is_working_day::integer) over (order by marked.day) as working_days
    from (
        select
            series.day::date as day,
            coalesce(exception.is_working_day, extract(isodow from series.day) < 6) as is_working_day,
            extract(year from series.day) between known.first_year and known.last_year as is_known
        from (
            select min(extract(year from day))::integer as first_year, max(extract(year from day))::integer as last_year
            from {{ ref('working_day') }}
            where extract(month from day) = 10
        ) as known
        cross join lateral generate_series(
            make_date(known.first_year - 3, 1, 1)::timestamp, make_date(known.last_year + 3, 12, 31)::timestamp, interval '1 day'
        ) as series (day)
        left join {{ ref('working_day') }} as exception on series.day::date = exception.day
    ) as marked
)
{%- endmacro %}

{#- Body of a lateral join: the limit in force on a day, the region's own before that of all regions. -#}
{% macro time_limit_in_force(region_code, limit_code, day) -%}
    select rule.limit_value, rule.status as limit_status
    from {{ ref('policy_time_limit') }} as rule
    where
        rule.limit_code = {{ limit_code }}
        and coalesce(rule.region_code, {{ region_code }}) = {{ region_code }}
        and {{ in_force('rule', day) }}
    order by rule.region_code asc nulls last, rule.known_from desc, rule.effective_from desc
    limit 1
{%- endmacro %}

{#- Body of a lateral join: the payment method that the rule of a day demands of an item. -#}
{% macro payment_method_in_force(region_code, benefit_item, day) -%}
    select rule.payment_method, rule.status
    from {{ ref('policy_payment_method') }} as rule
    where
        rule.region_code = {{ region_code }} and rule.benefit_item = {{ benefit_item }}
        and {{ in_force('rule', day) }}
    order by rule.known_from desc, rule.effective_from desc
    limit 1
{%- endmacro %}

{#- CTE paid: payments for medical items of the maternity line, one row each, offsets of advances too; payments that the bank never made are
    left out, what came back later was paid as it was. is_direct: to the institution itself. Needs CTE head. -#}
{% macro maternity_paid() -%}
paid as (
    select
        event.region_code,
        event.institution_code,
        event.claim_no,
        event.person_no,
        date_trunc('month', event.occurred_on::timestamp)::date as paid_month,
        {{ treatment_day('event') }} as service_date,
        event.event_type = 'advance.offset' or event.payee_type = 'institution' as is_direct,
        coalesce(event.pooled_amount, 0) + coalesce(event.personal_account_amount, 0) as amount
    from {{ source('events', 'event') }} as event
    inner join head
        on event.region_code = head.region_code and event.seq <= head.seq and {{ readable('event.region_code') }}
    where
        event.event_type in ('claim.paid', 'advance.offset')
        and event.benefit_item in ({{ quoted(maternity_medical_items()) }})
        and {{ not_reversed('event', 'head.seq') }}
)
{%- endmacro %}

{#- CTE agreement: terms of agreements, each as known last; a row that becomes known later corrects the term that begins on its day. -#}
{% macro provider_terms() -%}
agreement as (
    select distinct on (known.region_code, known.institution_code, known.effective_from)
        known.region_code,
        known.institution_code,
        known.name_zh,
        known.name_en,
        known.hospital_level,
        known.is_designated_for_maternity and known.has_maternity_clauses as covers_maternity,
        known.signed_on,
        known.effective_from,
        known.effective_to,
        known.status
    from {{ ref('provider_agreement') }} as known
    order by known.region_code asc, known.institution_code asc, known.effective_from asc, known.known_from desc
)
{%- endmacro %}

{#- Body of a lateral join: the term of an institution that counts on a day, one that covers maternity before one that doesn't,
    and where none is in force the last that began: an institution keeps its name and level after its agreement has ended. -#}
{% macro term_on(region_code, institution_code, day) -%}
    select
        term.name_zh, term.name_en, term.hospital_level, term.effective_from, term.effective_to, term.covers_maternity, term.status,
        term.signed_on, coalesce({{ in_force('term', day) }}, false) as is_in_force
    from agreement as term
    where term.region_code = {{ region_code }} and term.institution_code = {{ institution_code }}
    order by
        coalesce({{ in_force('term', day) }}, false) desc,
        coalesce({{ in_force('term', day) }}, false) and term.covers_maternity desc,
        term.effective_from desc
    limit 1
{%- endmacro %}

{#- CTE settled_row: what was settled, and paid on which day, up to the published head. What was paid before its settlement was recorded
    is placed by the settlement that has come since. -#}
{% macro settled_rows() -%}
settled_row as (
    select
        turnover.region_code,
        coalesce(turnover.settled_month, late.settled_month) as settled_month,
        coalesce(turnover.institution_code, late.institution_code) as institution_code,
        turnover.paid_on,
        turnover.claim_count,
        turnover.settled_amount,
        turnover.withheld_amount,
        turnover.paid_amount,
        turnover.direct_amount,
        turnover.released_amount
    from {{ ref('settlement_turnover') }} as turnover
    inner join head
        on turnover.region_code = head.region_code and turnover.last_seq <= head.seq and {{ readable('turnover.region_code') }}
    left join lateral (
        select claim.settled_month, claim.institution_code
        from {{ ref('claim_turnover') }} as claim
        where
            claim.region_code = turnover.region_code and claim.claim_no = turnover.claim_no
            and claim.settled_seq is not null and claim.last_seq <= head.seq
        order by claim.batch_id desc
        limit 1
    ) as late on turnover.settled_month is null and turnover.claim_no is not null
)
{%- endmacro %}
