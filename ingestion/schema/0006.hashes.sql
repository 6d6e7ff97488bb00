-- The database's own computation of the hashes, independent of the loader's: checks recompute with these.
-- Canonical bytes: a version byte, then each field as a netstring, `-` for null.
-- depends: 0005.keys_and_views

CREATE FUNCTION events.netstring(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value IS NULL THEN '-' ELSE octet_length(value)::text || ':' || value END;

-- Columns computed at acceptance (derived_columns) count as null: the hash knows only what the source has sent.
CREATE FUNCTION events.content_hash(e events.event) RETURNS bytea
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
            || events.netstring(e.receipt_no)
            || events.netstring(e.deposit_account)
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

-- What the hash of a batch must be, from the batch before it and the rows in its range.
CREATE FUNCTION events.batch_hash(of_region text, of_batch bigint) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT sha256(
    '\x02'::bytea
    || coalesce(p.batch_hash, decode(repeat('00', 32), 'hex'))
    || convert_to(
        events.netstring(b.region_code) || events.netstring(b.batch_id::text) || events.netstring(b.first_seq::text)
        || events.netstring(b.last_seq::text)
        || events.netstring(to_char(b.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || events.netstring(b.file_sha256), 'UTF8')
    || sha256((
        SELECT coalesce(string_agg(e.content_hash || int4send(e.line_no), ''::bytea ORDER BY e.seq), ''::bytea)
        FROM events.event AS e
        WHERE e.region_code = b.region_code AND e.seq BETWEEN b.first_seq AND b.last_seq)))
FROM events.batch AS b
LEFT JOIN events.batch AS p ON p.region_code = b.region_code AND p.batch_id = b.batch_id - 1
WHERE b.region_code = of_region AND b.batch_id = of_batch
$$;
