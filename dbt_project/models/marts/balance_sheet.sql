{{ ledger_balance_sheet('published') }}
