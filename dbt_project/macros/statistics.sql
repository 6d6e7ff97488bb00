{#- Statistics of maternity benefits: what was paid by claim and month, the insured, and small numbers. -#}

{#- CTE claim_month: amounts of the maternity line by claim and month, of both funds. They are the lines that the statement adds up, so that
    the statistics tie to E113. Needs CTE head. -#}
{% macro maternity_claim_month() -%}
{{ maternity_line('published') }},

claim_month as materialized (
    select region_code, accounting_month, benefit_item, claim_no, person_no, sum(amount) as amount
    from maternity_line
    group by region_code, accounting_month, benefit_item, claim_no, person_no
)
{%- endmacro %}

{#- CTE first_paid: a claim is one visit of its item, in the month of its first payment; what is paid later of it is no further one. Sums for
    no single person, such as per capita, are none. Needs CTE claim_month. -#}
{% macro maternity_first_paid() -%}
first_paid as (
    select region_code, claim_no, benefit_item, min(accounting_month) as accounting_month
    from claim_month
    where amount > 0 and person_no is not null and claim_no is not null
    group by region_code, claim_no, benefit_item
)
{%- endmacro %}

{#- Persons insured at the end of each month: region_code, insured_month, participant_count (310, all categories) and maternity_participant_count
    (employees: in 510 before the merger, in 310 from it on). -#}
{% macro insured_persons() -%}
    select
        insured.region_code,
        insured.insured_month,
        coalesce(sum(insured.person_count) filter (where insured.insurance_type = '310'), 0)::bigint as participant_count,
        sum(insured.maternity_covered_count)::bigint as maternity_participant_count
    from {{ ref('insured_count') }} as insured
    group by insured.region_code, insured.insured_month
{%- endmacro %}

{#- The statistic's definition in force in a month, of several the one known last: a lateral join's body. -#}
{% macro definition_in_force(statistic, month) -%}
    select known.*
    from {{ ref('statistic_definition') }} as known
    where known.statistic_code = '{{ statistic }}' and {{ in_force('known', month) }}
    order by known.known_from desc, known.effective_from desc
    limit 1
{%- endmacro %}

{#- Whether a number of persons is too small to be told, under the region's limit: then somebody might be recognised. Zero is nobody.
    Without a limit in force every number is too small: what is withheld can be told later, what was told can't be taken back. -#}
{% macro is_small(count) -%}
    coalesce({{ count }} > 0 and {{ count }} < told.small_number_below, {{ count }} > 0, false)
{%- endmacro %}

{#- A number of persons for everybody to read; null where it is too small. -#}
{% macro not_small(count) -%}
    case when not {{ is_small(count) }} then {{ count }} end::bigint
{%- endmacro %}
