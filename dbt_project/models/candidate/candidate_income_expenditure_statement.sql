{{ ledger_income_expenditure_statement('built') }}
