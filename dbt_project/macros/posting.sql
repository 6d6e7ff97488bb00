{#- What the names in the table of posting rules stand for. -#}

{#- Amount of a rule, in yuan, by its amount_name. -#}
{% macro rule_amount(name, event) -%}
    case {{ name }}
        when 'employer_pooled' then {{ event }}.employer_amount - {{ event }}.personal_account_credit
        when 'account_credit' then {{ event }}.personal_account_credit
        when 'personal_amount' then {{ event }}.personal_amount
        when 'flexible_pooled' then {{ event }}.employer_amount + {{ event }}.personal_amount - {{ event }}.personal_account_credit
        when 'contribution_total' then {{ event }}.employer_amount + {{ event }}.personal_amount
        when 'late_fee' then {{ event }}.late_fee
        when 'pooled_amount' then {{ event }}.pooled_amount
        when 'personal_account_amount' then {{ event }}.personal_account_amount
        when 'amount' then {{ event }}.amount
    end
{%- endmacro %}

{#- Account of a rule: a code, or a symbol for an account that the event names. -#}
{% macro rule_account(account, event) -%}
    case {{ account }}
        when '@deposit' then {{ event }}.deposit_code
        when '@pay' then {{ event }}.pay_code
        when '@counter' then {{ event }}.counter_code
        when '@account' then {{ event }}.account_code
        when '@from' then {{ event }}.from_code
        when '@to' then {{ event }}.to_code
        when '@identified' then {{ event }}.identified_code
        else {{ account }}
    end
{%- endmacro %}
