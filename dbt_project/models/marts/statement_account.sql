with account_line as (
    {{ ledger_account_line() }}
)

select
    line.statement,
    line.line_code,
    account_line.account_code,
    account_line.entry_kind,
    account_line.sub_fund,
    line.shown_as,
    line.by_sub_fund,
    case line.side when 'credit' then 1 when 'debit' then -1 end as sign,
    greatest(account_line.effective_from, line.effective_from) as effective_from,
    least(account_line.effective_to, line.effective_to) as effective_to
from account_line
inner join {{ ref('statement_line') }} as line on account_line.line_code = line.line_code
where
    greatest(account_line.effective_from, line.effective_from)
    <= coalesce(least(account_line.effective_to, line.effective_to), 'infinity'::date)
