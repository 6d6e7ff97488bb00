{#- The paid cash benefits as the marts show them, over the CTE `entitlement`. Nothing is looked up here, so that a filter on region, claim
    or month of payment reaches the claims before anything is computed. -#}
{% macro entitlement_kind() -%}
case
            when entitlement.outcome in ('payee', 'stated', 'as_computed') then 'as_due'
            else entitlement.outcome
        end
{%- endmacro %}

{% macro entitlement_base_source() -%}
case
            when not entitlement.is_allowance then null
            when entitlement.demanded_base is null and entitlement.stated_base is null then null
            when entitlement.demanded_base is null then 'stated'
            when entitlement.base_until = entitlement.rule_month then 'employer_months_before_birth'
            when entitlement.base_months < 12 then 'employer_months_paid'
            else 'employer_previous_year'
        end
{%- endmacro %}
