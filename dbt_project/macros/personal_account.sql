{#-
    Which movement of the personal sub-fund belongs to which column of an account, by the account it is posted to. Every income and
    expenditure account of the chart falls under one of the three, and an opening counts as credited, so that always
    closing balance = balance before + credited + interest - paid
    credited = I90 - I30 + S25, interest = I30, paid = E90 of the statement's personal column, summed over the persons.
    Year-end closing moves the surplus of the sub-fund to 3002 and nothing of any person's: not a movement here.
-#}

{#- Condition: a journal line that moves somebody's account. -#}
{% macro is_personal_account_line(line) -%}
    {{ line }}.sub_fund = 'personal' and {{ line }}.entry_kind in ('normal', 'opening')
{%- endmacro %}

{#- credited, interest or paid. -#}
{% macro personal_account_column(account_code) -%}
    case
        when {{ account_code }} like '5%' then 'paid'
        when {{ account_code }} like '4201%' then 'interest'
        else 'credited'
    end
{%- endmacro %}
