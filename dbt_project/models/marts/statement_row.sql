{{ ledger_statement_row() }}
