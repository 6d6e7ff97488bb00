{{ ledger_balance_sheet('built') }}
