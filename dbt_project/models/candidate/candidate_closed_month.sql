with head as (
    {{ ledger_head('built') }}
),

closed as (
    select event.region_code, event.accounting_month, max(event.seq) as closed_seq
    from {{ source('events', 'event') }} as event
    inner join head on event.region_code = head.region_code and event.seq <= head.seq
    where event.event_type = 'period.closed'
    group by event.region_code, event.accounting_month
),

trial_balance as (
    {{ closed_sha256('trial_balance', ref('candidate_trial_balance')) }}
),

statement as (
    {{ closed_sha256('statement', ref('candidate_income_expenditure_statement')) }}
),

balance_sheet as (
    {{ closed_sha256('balance_sheet', ref('candidate_balance_sheet')) }}
)

select
    region_code,
    accounting_month,
    closed.closed_seq,
    trial_balance.sha256 as trial_balance_sha256,
    statement.sha256 as statement_sha256,
    balance_sheet.sha256 as balance_sheet_sha256
from closed
inner join trial_balance using (region_code, accounting_month)
inner join statement using (region_code, accounting_month)
inner join balance_sheet using (region_code, accounting_month)
