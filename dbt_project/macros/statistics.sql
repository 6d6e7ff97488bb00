{#- Statistics of maternity benefits: what was paid by claim and month, the insured, and small numbers. -#}

{#- Amounts of the maternity line by claim and month, of both funds: a CTE's body, head being a CTE of (region_code, seq). They are the lines
    that the statement adds up, so that the statistics tie to E113. -#}
{% macro maternity_claim_month() -%}
    select
        line.region_code,
        line.accounting_month,
        line.benefit_item,
        line.claim_no,
        line.person_no,
        sum(line.debit_amount - line.credit_amount) as amount
    from {{ ref('journal_line') }} as line
    inner join head
        on line.region_code = head.region_code and line.event_seq <= head.seq and {{ readable('line.region_code') }}
    where
        -- An array, not a join: the planner then reaches the journal by its account index.
        line.account_code = any(array(
            select account_line.account_code from ({{ ledger_account_line() }}) as account_line where account_line.line_code = 'E113'
        ))
        and line.entry_kind = 'normal'
    group by
        line.region_code, line.accounting_month, line.benefit_item, line.claim_no, line.person_no
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
