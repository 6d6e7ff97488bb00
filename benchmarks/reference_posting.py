"""The least that gives the journal lines of `money_events`: one INSERT … SELECT that knows those events alone.

No table of rules, no look-up of an original, of a period or of a merger, no sums, no closing: each kind of event has its
lines written out.
"""

from __future__ import annotations

_HEAD = "region_code, event_seq, entry_no, line_no, entry_id, entry_kind, fund_code, accounting_month, posting_date"
_AMOUNTS = "account_code, sub_fund, debit_amount, credit_amount, original_month, reverses_entry_id"
_FACT = "person_no, employer_no, institution_code, benefit_item, payment_method, claim_no, receipt_no"

INSERT = f"""
INSERT INTO reference_line ({_HEAD}, {_AMOUNTS}, {_FACT}, event_type, business_type, batch_id, rule_ids)
SELECT e.region_code, e.seq, 1, l.line_no, e.region_code || '-' || e.seq || '-1', 'normal', 'EMI',
    date_trunc('month', e.occurred_on)::date, e.occurred_on,
    l.account_code, l.sub_fund, coalesce(l.debit_amount, 0), coalesce(l.credit_amount, 0), NULL,
    CASE WHEN e.original_seq IS NOT NULL THEN e.region_code || '-' || e.original_seq || '-1' END,
    e.person_no, e.employer_no, e.institution_code, e.benefit_item, e.payment_method, e.claim_no, e.receipt_no,
    e.event_type, l.business_type, e.batch_id, l.rule_ids
FROM events.event AS e
CROSS JOIN LATERAL (
    SELECT 1 AS line_no, 'collection' AS business_type, '1005' AS account_code, 'shared' AS sub_fund,
        e.employer_amount + e.personal_amount + coalesce(e.late_fee, 0) AS debit_amount, NULL::numeric AS credit_amount,
        CASE WHEN e.late_fee > 0 THEN 'COLL-01 COLL-02 COLL-03 COLL-04' ELSE 'COLL-01 COLL-02 COLL-03' END AS rule_ids
    WHERE e.event_type = 'contribution.collected' AND e.enrollment_category = 'employee'
    UNION ALL
    SELECT v.* FROM (VALUES
        (2, 'collection', '400101', 'pooled', NULL::numeric, e.employer_amount - e.personal_account_credit, 'COLL-01'),
        (3, 'collection', '400102', 'personal', NULL, e.personal_account_credit, 'COLL-02'),
        (4, 'collection', '400103', 'personal', NULL, e.personal_amount, 'COLL-03'),
        (5, 'collection', '490101', 'pooled', NULL, e.late_fee, 'COLL-04')
    ) AS v (line_no, business_type, account_code, sub_fund, debit_amount, credit_amount, rule_ids)
    WHERE e.event_type = 'contribution.collected' AND e.enrollment_category = 'employee' AND v.credit_amount <> 0
    UNION ALL
    SELECT v.* FROM (VALUES
        (1, 'collection', '1005', 'shared', e.personal_amount + coalesce(e.late_fee, 0), NULL::numeric,
            CASE WHEN e.late_fee > 0 THEN 'COLL-05 COLL-06 COLL-07' ELSE 'COLL-05 COLL-06' END),
        (2, 'collection', '400104', 'personal', NULL, e.personal_account_credit, 'COLL-06'),
        (3, 'collection', '400104', 'pooled', NULL, e.personal_amount - e.personal_account_credit, 'COLL-05'),
        (4, 'collection', '490101', 'pooled', NULL, e.late_fee, 'COLL-07')
    ) AS v (line_no, business_type, account_code, sub_fund, debit_amount, credit_amount, rule_ids)
    WHERE e.event_type = 'contribution.collected' AND e.enrollment_category = 'flexible'
        AND coalesce(v.debit_amount, v.credit_amount) <> 0
    UNION ALL
    SELECT v.* FROM (VALUES
        (1, 'collection', '1005', 'shared', NULL::numeric,
            e.employer_amount + e.personal_amount + coalesce(e.late_fee, 0),
            CASE WHEN e.late_fee > 0 THEN 'REFD-01 REFD-02 REFD-03 REFD-04' ELSE 'REFD-01 REFD-02 REFD-03' END),
        (2, 'collection', '400101', 'pooled', NULL, e.personal_account_credit - e.employer_amount, 'REFD-01'),
        (3, 'collection', '400102', 'personal', NULL, -e.personal_account_credit, 'REFD-02'),
        (4, 'collection', '400103', 'personal', NULL, -e.personal_amount, 'REFD-03'),
        (5, 'collection', '490101', 'pooled', NULL, -e.late_fee, 'REFD-04')
    ) AS v (line_no, business_type, account_code, sub_fund, debit_amount, credit_amount, rule_ids)
    WHERE e.event_type = 'contribution.refunded' AND v.credit_amount <> 0
    UNION ALL
    SELECT v.* FROM (VALUES
        (1, 'benefit', CASE e.benefit_item WHEN 'inpatient' THEN '50010101' WHEN 'outpatient' THEN '50010102'
            WHEN 'pharmacy' THEN '50010102' WHEN 'maternity_allowance' THEN '5001010302' ELSE '5001010301' END,
            'pooled', e.pooled_amount, NULL::numeric, CASE e.benefit_item WHEN 'inpatient' THEN 'PAID-01'
            WHEN 'outpatient' THEN 'PAID-03' WHEN 'pharmacy' THEN 'PAID-05'
            WHEN 'maternity_allowance' THEN 'PAID-09' ELSE 'PAID-07' END),
        (2, 'benefit', CASE e.benefit_item WHEN 'inpatient' THEN '50010202' WHEN 'outpatient' THEN '50010201'
            ELSE '50010203' END, 'personal', e.personal_account_amount, NULL, CASE e.benefit_item WHEN 'inpatient'
            THEN 'PAID-02' WHEN 'outpatient' THEN 'PAID-04' ELSE 'PAID-06' END),
        (CASE WHEN e.personal_account_amount > 0 THEN 3 ELSE 2 END, 'benefit', '1004', 'shared', NULL,
            e.pooled_amount + e.personal_account_amount, CASE e.benefit_item
            WHEN 'inpatient' THEN CASE WHEN e.personal_account_amount > 0 THEN 'PAID-01 PAID-02' ELSE 'PAID-01' END
            WHEN 'outpatient' THEN CASE WHEN e.personal_account_amount > 0 THEN 'PAID-03 PAID-04' ELSE 'PAID-03' END
            WHEN 'pharmacy' THEN CASE WHEN e.personal_account_amount > 0 THEN 'PAID-05 PAID-06' ELSE 'PAID-05' END
            WHEN 'maternity_allowance' THEN 'PAID-09' ELSE 'PAID-07' END)
    ) AS v (line_no, business_type, account_code, sub_fund, debit_amount, credit_amount, rule_ids)
    WHERE e.event_type = 'claim.paid' AND coalesce(v.debit_amount, v.credit_amount) <> 0
    UNION ALL
    SELECT v.* FROM (VALUES
        (CASE WHEN e.event_type = 'claim.reversed' THEN 1 ELSE 2 END, 'benefit', '50010101', 'pooled',
            -e.pooled_amount, NULL::numeric, CASE e.event_type WHEN 'claim.reversed' THEN 'REVS-01' ELSE 'RECV-01' END),
        (CASE WHEN e.event_type = 'claim.reversed' THEN 2 ELSE 3 END, 'benefit', '50010202', 'personal',
            -e.personal_account_amount, NULL, CASE e.event_type WHEN 'claim.reversed' THEN 'REVS-02' ELSE 'RECV-02' END)
    ) AS v (line_no, business_type, account_code, sub_fund, debit_amount, credit_amount, rule_ids)
    WHERE e.event_type IN ('claim.reversed', 'claim.recovered') AND v.debit_amount <> 0
    UNION ALL
    SELECT CASE WHEN e.event_type = 'claim.recovered' THEN 1 WHEN e.personal_account_amount > 0 THEN 3 ELSE 2 END,
        'benefit', CASE e.event_type WHEN 'claim.recovered' THEN '100301' ELSE '1004' END, 'shared',
        CASE e.event_type WHEN 'claim.recovered' THEN e.pooled_amount + e.personal_account_amount END,
        CASE e.event_type WHEN 'claim.reversed' THEN -(e.pooled_amount + e.personal_account_amount) END,
        CASE e.event_type WHEN 'claim.reversed'
            THEN CASE WHEN e.personal_account_amount > 0 THEN 'REVS-01 REVS-02' ELSE 'REVS-01' END
            ELSE CASE WHEN e.personal_account_amount > 0 THEN 'RECV-01 RECV-02' ELSE 'RECV-01' END END
    WHERE e.event_type IN ('claim.reversed', 'claim.recovered')
    UNION ALL
    SELECT v.* FROM (VALUES
        (1, CASE e.event_type WHEN 'cash.transferred' THEN 'transfer' WHEN 'subsidy.received' THEN 'subsidy' ELSE 'interest'
            END, CASE e.event_type WHEN 'cash.transferred' THEN '1004' ELSE '100301' END, 'shared', e.amount,
            NULL::numeric, CASE e.event_type WHEN 'cash.transferred' THEN 'CASH-01' WHEN 'subsidy.received' THEN 'SUBS-01'
            ELSE 'INTC-01' END),
        (2, CASE e.event_type WHEN 'cash.transferred' THEN 'transfer' WHEN 'subsidy.received' THEN 'subsidy' ELSE 'interest'
            END, CASE e.event_type WHEN 'cash.transferred' THEN '100301' WHEN 'subsidy.received' THEN '4101' ELSE '4201' END,
            CASE e.event_type WHEN 'cash.transferred' THEN 'shared' ELSE 'pooled' END, NULL, e.amount,
            CASE e.event_type WHEN 'cash.transferred' THEN 'CASH-01' WHEN 'subsidy.received' THEN 'SUBS-01'
            ELSE 'INTC-01' END)
    ) AS v (line_no, business_type, account_code, sub_fund, debit_amount, credit_amount, rule_ids)
    WHERE e.event_type IN ('cash.transferred', 'subsidy.received', 'interest.credited')
) AS l
"""

# What the two sides must not differ in: every column of every line but those of the year ends.
DIFFERENCE = """
SELECT count(*) FROM (
    (SELECT * FROM ledger.journal_line WHERE entry_kind <> 'closing' EXCEPT SELECT * FROM reference_line)
    UNION ALL
    (SELECT * FROM reference_line EXCEPT SELECT * FROM ledger.journal_line)
) AS different
"""
