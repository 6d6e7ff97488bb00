{{ ledger_enrollment_gap('built') }}
