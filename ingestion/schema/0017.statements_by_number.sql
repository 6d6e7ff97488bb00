-- Version 2 of the treasury events, beside version 1: an outside statement may give the number of a single movement, so that
-- it can be tied out one by one. What is recorded keeps its columns and its hash.
-- depends: 0016.replay

-- Statements are few among many events: they are found without reading the log.
CREATE INDEX event_stated ON events.event (region_code, accounting_month) WHERE event_type = 'balance.stated';

-- Older rows meet it by construction, so they need no scan.
ALTER TABLE events.event ADD CONSTRAINT event_numbers_of_treasury CHECK (
    family <> 'treasury' OR schema_version > 1 OR payment_no IS NULL
) NOT VALID;

-- As before but for the treasury family, whose fields depend on the version.
CREATE OR REPLACE FUNCTION events.content_hash(e events.event) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT sha256('\x01'::bytea || convert_to(
    events.netstring(e.region_code)
    || events.netstring(e.event_type)
    || events.netstring(e.family)
    || events.netstring(e.schema_version::text)
    || events.netstring(e.source_system)
    || events.netstring(e.source_event_key)
    || events.netstring(to_char(e.occurred_on, 'YYYY-MM-DD'))
    || CASE e.family
        WHEN 'registration' THEN
            events.netstring(e.employer_no)
            || events.netstring(e.employer_credit_code)
            || events.netstring(e.employer_name)
            || events.netstring(e.employer_type)
            || events.netstring(e.person_no)
            || events.netstring(e.certificate_pseudonym)
            || events.netstring(CASE WHEN 'birth_date' = ANY (e.derived_columns) IS NOT TRUE THEN to_char(e.birth_date, 'YYYY-MM-DD') END)
            || events.netstring(CASE WHEN 'sex' = ANY (e.derived_columns) IS NOT TRUE THEN e.sex END)
            || events.netstring(e.insurance_type)
            || events.netstring(e.enrollment_category)
            || events.netstring(e.worker_group)
            || events.netstring(e.contribution_base::text)
            || events.netstring(e.reason)
            || events.netstring(e.original_event_key)
            || events.netstring(e.original_source_system)
        WHEN 'contribution' THEN
            events.netstring(e.employer_no)
            || events.netstring(e.person_no)
            || events.netstring(e.insurance_type)
            || events.netstring(e.enrollment_category)
            || events.netstring(to_char(e.contribution_month, 'YYYY-MM'))
            || events.netstring(e.contribution_base::text)
            || events.netstring(e.employer_amount::text)
            || events.netstring(e.personal_amount::text)
            || events.netstring(CASE WHEN 'personal_account_credit' = ANY (e.derived_columns) IS NOT TRUE THEN e.personal_account_credit::text END)
            || events.netstring(e.late_fee::text)
            || CASE e.schema_version
                WHEN 1 THEN events.netstring(e.receipt_no) || events.netstring(e.deposit_account)
                WHEN 2 THEN
                    events.netstring(e.tax_voucher_no) || events.netstring(e.deposit_account)
                    || events.netstring(e.tax_authority_code)
            END
            || events.netstring(e.original_event_key)
            || events.netstring(e.original_source_system)
        WHEN 'claim' THEN
            events.netstring(e.claim_no)
            || events.netstring(e.settlement_kind)
            || events.netstring(e.person_no)
            || events.netstring(e.account_holder_no)
            || events.netstring(e.employer_no)
            || events.netstring(e.institution_code)
            || events.netstring(e.insurance_type)
            || events.netstring(e.benefit_item)
            || events.netstring(e.payment_method)
            || events.netstring(e.payee_type)
            || events.netstring(to_char(e.admitted_on, 'YYYY-MM-DD'))
            || events.netstring(to_char(e.discharged_on, 'YYYY-MM-DD'))
            || events.netstring(to_char(e.service_on, 'YYYY-MM-DD'))
            || events.netstring(e.birth_count::text)
            || events.netstring(e.leave_days::text)
            || events.netstring(e.allowance_daily_base::text)
            || events.netstring(e.gestation_weeks::text)
            || events.netstring(e.medical_fee_total::text)
            || events.netstring(e.pooled_amount::text)
            || events.netstring(e.personal_account_amount::text)
            || events.netstring(e.personal_cash_amount::text)
            || events.netstring(e.institution_borne_amount::text)
            || events.netstring(e.other_funds_amount::text)
            || events.netstring(e.deposit_withheld_amount::text)
            || events.netstring(e.pay_account)
            || events.netstring(e.deposit_account)
            || events.netstring(e.payment_no)
            || events.netstring(e.original_event_key)
            || events.netstring(e.original_source_system)
        WHEN 'treasury' THEN
            events.netstring(e.fund_code)
            || events.netstring(CASE WHEN 'sub_fund' = ANY (e.derived_columns) IS NOT TRUE THEN e.sub_fund END)
            || events.netstring(e.benefit_item)
            || events.netstring(e.person_no)
            || events.netstring(e.institution_code)
            || events.netstring(e.account)
            || events.netstring(e.from_account)
            || events.netstring(e.to_account)
            || events.netstring(e.amount::text)
            || events.netstring(e.identified_as)
            || events.netstring(e.counterparty)
            || events.netstring(e.statement_kind)
            || events.netstring(to_char(e.accounting_month, 'YYYY-MM'))
            || CASE e.schema_version
                WHEN 1 THEN ''
                WHEN 2 THEN events.netstring(e.payment_no) || events.netstring(e.tax_voucher_no)
            END
            || events.netstring(e.original_event_key)
            || events.netstring(e.original_source_system)
        WHEN 'control' THEN
            events.netstring(to_char(e.accounting_month, 'YYYY-MM'))
            || events.netstring(e.prepared_by)
            || events.netstring(e.approved_by)
            || events.netstring(to_char(e.approved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
            || events.netstring(e.reason)
            || events.netstring(e.checks_run_id)
            || events.netstring(e.checked_seq::text)
            || events.netstring(e.report_sha256)
            || events.netstring(e.ledger_sha256)
            || events.netstring(e.rules_sha256)
            || events.netstring(e.decision)
    END, 'UTF8'))
$$;
