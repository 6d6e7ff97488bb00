{#- The arithmetic of indicators, one macro a formula: those of our own books and the recomputation of published figures
    (marts.indicator_reproduction) are made by the same text, so that what reproduces the one is what computes the other.
    Every macro takes numeric expressions and gives an unrounded numeric: the reader rounds. A denominator that is zero or lacking gives
    null, never an error and never a zero. -#}

{#- Months in reserve 可支付月数: balance at the end ÷ (expenditure ÷ months it covers). Twelve months, or as many as there are. -#}
{% macro months_in_reserve(balance, expenditure, months) -%}
    (({{ balance }})::numeric * ({{ months }}) / nullif(greatest(({{ expenditure }})::numeric, 0), 0))
{%- endmacro %}

{#- Share 占比: part ÷ whole, as a fraction. -#}
{% macro share(part, whole) -%}
    (({{ part }})::numeric / nullif(({{ whole }})::numeric, 0))
{%- endmacro %}

{#- Growth 增长率: (now − before) ÷ |before|, as a fraction. -#}
{% macro growth(now, before) -%}
    ((({{ now }})::numeric - ({{ before }})::numeric) / nullif(abs(({{ before }})::numeric), 0))
{%- endmacro %}

{#- Amount a case, visit, beneficiary or insured person 次均、人均: amount ÷ number. -#}
{% macro per_case(amount, cases) -%}
    (({{ amount }})::numeric / nullif(({{ cases }})::numeric, 0))
{%- endmacro %}

{#- Surplus of a period 本期收支结余: income − expenditure. -#}
{% macro surplus(income, expenditure) -%}
    (({{ income }})::numeric - ({{ expenditure }})::numeric)
{%- endmacro %}

{#- A year made of fewer months 年化: amount × 12 ÷ months present. -#}
{% macro annualised(amount, months) -%}
    (({{ amount }})::numeric * 12 / nullif(({{ months }})::numeric, 0))
{%- endmacro %}

{#- What a rate of 1 (100 %) would bring 每1.00费率收入: contributions ÷ rate; a percentage point brings a hundredth of it. -#}
{% macro income_per_rate(contributions, rate) -%}
    (({{ contributions }})::numeric / nullif(({{ rate }})::numeric, 0))
{%- endmacro %}

{#- Contributions as they would be without a relief 按全额费率的缴费: contributions ÷ the share of them that was due. -#}
{% macro at_full_rate(contributions, due_share) -%}
    {{ share(contributions, due_share) }}
{%- endmacro %}

{#- The rate at which income equals expenditure 收支平衡费率: rate + (expenditure − income) ÷ income of a rate of 1, all of the same months. -#}
{% macro balancing_rate(rate, income, expenditure, per_rate) -%}
    (({{ rate }})::numeric + {{ share(surplus(expenditure, income), per_rate) }})
{%- endmacro %}
