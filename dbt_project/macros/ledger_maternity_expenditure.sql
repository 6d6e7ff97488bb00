{#- CTEs account_line and maternity_line: the journal's lines that the statement adds up as maternity benefits (E113) in their month, amounts
    as debit minus credit. Needs CTE head of (region_code, seq). -#}
{% macro maternity_line(bound) -%}
account_line as (
    {{ ledger_account_line() }}
),

maternity_line as (
    select
        line.region_code, line.fund_code, line.accounting_month, line.event_seq, line.benefit_item, line.payment_method, line.account_code,
        line.claim_no, line.person_no,
        line.debit_amount - line.credit_amount as amount
    from {{ ref('journal_line') }} as line
    inner join head
        on line.region_code = head.region_code and line.event_seq <= head.seq
        {%- if bound == 'published' %} and {{ readable('line.region_code') }}{% endif %}
    where
        -- An array, not a join: the planner then reaches the journal by its account index.
        line.account_code = any(array(
            select account_line.account_code from account_line
            where account_line.line_code = 'E113'
        ))
        and line.entry_kind = 'normal'
        and exists (
            select from account_line
            where
                account_line.line_code = 'E113' and account_line.account_code = line.account_code
                and {{ in_layout('line.accounting_month', 'account_line') }}
        )
)
{%- endmacro %}

{#- Maternity benefits: one row a (region, fund, month, item, payment method, account). A claim counts in a month when its
    amount of that month is above zero: a red entry lowers the amount, and adds no claim. -#}
{% macro ledger_maternity_expenditure(bound) -%}
with head as (
    {{ ledger_head(bound) }}
),

{{ maternity_line(bound) }},

claim_amount as (
    select
        region_code, fund_code, accounting_month, benefit_item, payment_method, account_code, claim_no, person_no,
        sum(amount) as amount
    from maternity_line
    group by 1, 2, 3, 4, 5, 6, 7, 8
)

select
    region_code,
    fund_code,
    accounting_month,
    benefit_item,
    payment_method,
    account_code,
    count(distinct claim_no) filter (where amount > 0) as claim_count,
    count(distinct person_no) filter (where amount > 0) as person_count,
    sum(amount)::numeric(18, 2) as amount
from claim_amount
group by 1, 2, 3, 4, 5, 6
{%- endmacro %}
