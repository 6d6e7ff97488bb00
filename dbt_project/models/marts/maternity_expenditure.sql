{{ ledger_maternity_expenditure('published') }}
