-- Version 2 of the claim events, beside version 1: the day of application, from which the time limits for deciding are counted. What is
-- recorded keeps its columns and its hash. Indexes for what is asked of maternity claims, advances and reimbursements.
-- depends: 0029.review

ALTER TABLE events.event ADD COLUMN applied_on date;
-- Older rows meet it by construction, so they need no scan.
ALTER TABLE events.event ADD CONSTRAINT event_columns_of_application CHECK (
    family = 'claim' AND schema_version > 1 OR applied_on IS NULL
) NOT VALID;
COMMENT ON COLUMN events.event.applied_on IS '申请日期：参保人、单位或定点机构提出申请之日；第1版无此列 / Day on which the claimant, employer or institution applied; version 1 has none';

-- All are partial: of the rows that are copied into the log only these pay for them.
CREATE INDEX event_maternity ON events.event (region_code, event_type, occurred_on)
WHERE benefit_item IN (
    'prenatal', 'delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage', 'family_planning',
    'maternity_complication', 'maternity_allowance', 'nutrition_subsidy'
);
CREATE INDEX event_advance ON events.event (region_code, seq) WHERE event_type = 'advance.paid';
CREATE INDEX event_paid_to_person ON events.event (region_code, claim_no) WHERE event_type = 'claim.paid' AND payee_type = 'person';
CREATE INDEX event_applied ON events.event (region_code, claim_no) WHERE applied_on IS NOT NULL;
COMMENT ON INDEX events.event_maternity IS '生育待遇事件 / Events of maternity benefits';
COMMENT ON INDEX events.event_advance IS '医院预付 / Advances to institutions';
COMMENT ON INDEX events.event_paid_to_person IS '付给个人的支付 / Payments to persons';
COMMENT ON INDEX events.event_applied IS '载明申请日期的待遇事件 / Claims that say when they were applied for';

-- As before but for the claim family, whose fields depend on the version.
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
            || CASE e.schema_version
                WHEN 1 THEN ''
                WHEN 2 THEN events.netstring(to_char(e.applied_on, 'YYYY-MM-DD'))
            END
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
            || CASE e.schema_version
                WHEN 1 THEN ''
                WHEN 2 THEN
                    events.netstring(e.finding_code) || events.netstring(e.finding_key)
                    || events.netstring(to_char(e.valid_until, 'YYYY-MM-DD')) || events.netstring(e.amount_max::text)
                    || events.netstring(e.rows_max::text)
            END
    END, 'UTF8'))
$$;

-- What was added is shown beside the rest.
CREATE OR REPLACE VIEW events.event_current AS
SELECT
    e.region_code, e.seq, e.event_type, e.family, e.schema_version, e.source_system, e.source_event_key, e.occurred_on,
    e.recorded_at, e.batch_id, e.line_no, e.content_hash, e.original_seq, e.derived_columns, e.original_source_system,
    e.original_event_key, e.employer_no, e.person_no, e.institution_code, e.insurance_type, e.enrollment_category,
    e.contribution_base, e.deposit_account, e.benefit_item, e.reason, e.accounting_month, e.employer_credit_code,
    e.employer_name, e.employer_type, e.certificate_pseudonym, e.pseudonym_key_id, e.birth_date, e.sex, e.worker_group,
    e.contribution_month, e.employer_amount, e.personal_amount, e.personal_account_credit, e.late_fee, e.claim_no,
    e.settlement_kind, e.account_holder_no, e.payment_method, e.payee_type, e.admitted_on, e.discharged_on,
    e.service_on, e.birth_count, e.leave_days, e.allowance_daily_base, e.gestation_weeks, e.medical_fee_total,
    e.pooled_amount, e.personal_account_amount, e.personal_cash_amount, e.institution_borne_amount,
    e.other_funds_amount, e.deposit_withheld_amount, e.pay_account, e.payment_no, e.fund_code, e.sub_fund, e.account,
    e.from_account, e.to_account, e.amount, e.identified_as, e.counterparty, e.statement_kind, e.prepared_by,
    e.approved_by, e.approved_at, e.checks_run_id, e.checked_seq, e.report_sha256, e.ledger_sha256, e.rules_sha256,
    e.decision, coalesce(e.tax_voucher_no, e.receipt_no) AS tax_voucher_no, e.tax_authority_code,
    e.finding_code, e.finding_key, e.valid_until, e.amount_max, e.rows_max, e.applied_on
FROM events.event AS e;

COMMENT ON COLUMN events.event_current.applied_on IS '申请日期：参保人、单位或定点机构提出申请之日；第1版为空，即不知 / Day of application; of version 1 null, which means not known';
