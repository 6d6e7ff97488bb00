{{ ledger_trial_balance('built') }}
