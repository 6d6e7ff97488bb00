-- Assessments of a month, for what is due beside what was assessed (decision 0045). New books get this index from their model.
-- depends: 0032.certificates

SET LOCAL ROLE fund_transform;
DO $index$
BEGIN
    IF to_regclass('ledger.assessed_contribution') IS NOT NULL THEN
        CREATE INDEX assessed_contribution_month ON ledger.assessed_contribution (region_code, contribution_month, employer_no);
    END IF;
END
$index$;
RESET ROLE;
