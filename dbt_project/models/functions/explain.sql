{{ config(
    arguments='region text, fund text, month date, line text',
    returns='table (line_code text, account_code text, account_name text, sub_fund text, entry_kind text, entry_id text, '
        'line_no integer, voucher_no integer, posting_date date, summary text, event_seq bigint, event_type text, '
        'occurred_on date, source_system text, source_file text, source_line integer, amount numeric)'
) }}

-- What is qualified by `explain` is an argument of the function, which the linter takes for a table.
-- noqa: disable=RF01,RF03,AL04
with made_of as (
    select account_code, entry_kind, sub_fund, shown_as, sign
    from {{ ref('statement_account') }} as statement_account
    where
        line_code = explain.line
        and {{ in_layout("date_trunc('month', explain.month::timestamp)::date", 'statement_account') }}
),

-- What stood on each account before the month; a line of movements brings nothing forward.
brought_forward as (
    select
        movement.account_code, movement.sub_fund,
        sum(made_of.sign * (movement.credit_amount - movement.debit_amount)) as amount
    from {{ ref('turnover_register') }} as movement
    inner join made_of
        on
            movement.account_code = made_of.account_code
            and made_of.entry_kind in ('any', movement.entry_kind)
            and made_of.sub_fund in ('any', movement.sub_fund)
    where
        movement.region_code = explain.region
        and movement.fund_code = explain.fund
        and movement.accounting_month < date_trunc('month', explain.month::timestamp)::date
        and made_of.shown_as <> 'movement'
    group by movement.account_code, movement.sub_fund
    having sum(movement.credit_amount - movement.debit_amount) <> 0
)

select
    explain.line as line_code, brought_forward.account_code, account.name_zh as account_name, brought_forward.sub_fund,
    null as entry_kind, null as entry_id, null as line_no,
    null as voucher_no, date_trunc('month', explain.month::timestamp)::date as posting_date,
    '上期结转 / brought forward' as summary, null as event_seq, null as event_type,
    null as occurred_on, null as source_system, null as source_file, null as source_line, brought_forward.amount
from brought_forward
left join {{ ref('account') }} as account on brought_forward.account_code = account.account_code

union all

select
    explain.line, ledger.account_code, ledger.account_name, ledger.sub_fund, ledger.entry_kind, ledger.entry_id,
    ledger.line_no, ledger.voucher_no, ledger.posting_date,
    ledger.summary, ledger.event_seq, ledger.event_type,
    ledger.occurred_on, ledger.source_system, ledger.source_file, ledger.source_line,
    made_of.sign * (ledger.credit_amount - ledger.debit_amount)
from {{ ref('general_ledger') }} as ledger
inner join made_of
    on
        ledger.account_code = made_of.account_code
        and made_of.entry_kind in ('any', ledger.entry_kind)
        and made_of.sub_fund in ('any', ledger.sub_fund)
where
    ledger.region_code = explain.region
    and ledger.fund_code = explain.fund
    and ledger.accounting_month = date_trunc('month', explain.month::timestamp)::date
    -- Said again as an array: only the lines of these accounts then look up their event, file and voucher.
    and ledger.account_code = any(array(select made_of.account_code from made_of))
    and made_of.shown_as <> 'opening'
order by account_code, sub_fund, posting_date, event_seq nulls first, entry_id, line_no
