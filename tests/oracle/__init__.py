"""A second, independent reading of the contract: plain Python from canonical files to statements.

It shares no code with the pipeline. Readers compare it with the contract: each rule names its place
(E = contract of events, L = contract of the ledger, P = contract of policy).
"""
