with head as (
    {{ ledger_head('published') }}
),

monthly as (
    select
        delta.region_code,
        delta.fund_code,
        delta.accounting_month,
        delta.person_no,
        sum(delta.credited_amount) as credited_amount,
        sum(delta.interest_amount) as interest_amount,
        sum(delta.paid_amount) as paid_amount
    from {{ ref('personal_account_turnover') }} as delta
    inner join head
        on delta.region_code = head.region_code and delta.last_seq <= head.seq and {{ readable('delta.region_code') }}
    group by delta.region_code, delta.fund_code, delta.accounting_month, delta.person_no
)

select
    region_code,
    fund_code,
    accounting_month,
    person_no,
    credited_amount::numeric(18, 2) as credited_amount,
    interest_amount::numeric(18, 2) as interest_amount,
    paid_amount::numeric(18, 2) as paid_amount,
    (
        sum(credited_amount + interest_amount - paid_amount) over (
            partition by region_code, fund_code, person_no order by accounting_month
        )
    )::numeric(18, 2) as closing_balance
from monthly
