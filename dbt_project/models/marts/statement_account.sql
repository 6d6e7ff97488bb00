{{ ledger_account_line() }}
