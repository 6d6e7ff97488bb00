{{ config(
    arguments='region text, month date, seq bigint',
    returns='table (
        journal_sha256 text, trial_balance_sha256 text, statement_sha256 text, balance_sheet_sha256 text,
        ledger_sha256 text
    )'
) }}

-- A column that is not asked for is not computed.
with part as (
    select
        {{ function_sha256(ref('journal_csv')) }} as journal,
        {{ function_sha256(ref('trial_balance_csv')) }} as trial_balance,
        {{ function_sha256(ref('statement_csv')) }} as statement,
        {{ function_sha256(ref('balance_sheet_csv')) }} as balance_sheet
)

select
    part.journal as journal_sha256,
    part.trial_balance as trial_balance_sha256,
    part.statement as statement_sha256,
    part.balance_sheet as balance_sheet_sha256,
    {{ ledger_sha256(['part.journal', 'part.trial_balance', 'part.statement', 'part.balance_sheet']) }} as ledger_sha256
from part
