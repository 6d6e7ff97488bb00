{{ ledger_maternity_expenditure('built') }}
