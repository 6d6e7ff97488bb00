{{ ledger_trial_balance('published') }}
