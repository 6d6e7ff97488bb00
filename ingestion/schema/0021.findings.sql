-- Findings as data: since when one is open, what was decided on it, when it went. Version 2 of the control events, beside
-- version 1: a decision on a finding names it and says how far the decision reaches.
-- depends: 0020.newest_by_region

ALTER TABLE events.event
    ADD COLUMN finding_code text,
    ADD COLUMN finding_key text,
    ADD COLUMN valid_until date,
    ADD COLUMN amount_max numeric(18, 2),
    ADD COLUMN rows_max bigint;
-- Older rows meet it by construction, so they need no scan.
ALTER TABLE events.event ADD CONSTRAINT event_columns_of_decision CHECK (
    family = 'control' AND schema_version > 1
    OR num_nonnulls(finding_code, finding_key, valid_until, amount_max, rows_max) = 0
) NOT VALID;
CREATE INDEX event_finding_decided ON events.event (region_code, finding_code, finding_key, seq)
WHERE event_type = 'finding.decided';

COMMENT ON COLUMN events.event.finding_code IS '所决定问题的检查或规则代码 / Check or rule whose finding is decided on';
COMMENT ON COLUMN events.event.finding_key IS '问题项目，* 为该检查的全部提示 / Item decided on, * for every warning of the check';
COMMENT ON COLUMN events.event.valid_until IS '决定有效期至（含当日） / Last day on which the decision holds';
COMMENT ON COLUMN events.event.amount_max IS '决定的金额上限（元），超过即失效 / Amount in yuan beyond which the decision lapses';
COMMENT ON COLUMN events.event.rows_max IS '决定的行数上限，超过即失效 / Number of rows beyond which the decision lapses';
COMMENT ON INDEX events.event_finding_decided IS '对检查发现问题的决定 / Decisions on findings';

-- As before but for the control family, whose fields depend on the version.
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
    e.finding_code, e.finding_key, e.valid_until, e.amount_max, e.rows_max
FROM events.event AS e;

DO $$
DECLARE
    added text;
BEGIN
    FOREACH added IN ARRAY ARRAY['finding_code', 'finding_key', 'valid_until', 'amount_max', 'rows_max'] LOOP
        EXECUTE format('COMMENT ON COLUMN events.event_current.%I IS %L', added, (
            SELECT col_description(a.attrelid, a.attnum) FROM pg_attribute AS a
            WHERE a.attrelid = 'events.event'::regclass AND a.attname = added));
    END LOOP;
END
$$;

-- Results of the gate, of the nightly audit (over all history) and of the look at freshness stand in the same tables.
ALTER TABLE quality.check_result
    ADD COLUMN scope text NOT NULL DEFAULT 'gate' CHECK (scope IN ('gate', 'audit', 'look'));
ALTER TABLE quality.finding
    ADD COLUMN scope text NOT NULL DEFAULT 'gate' CHECK (scope IN ('gate', 'audit', 'look'));
CREATE INDEX check_result_scope ON quality.check_result (region_code, started_at) WHERE scope <> 'gate';

-- What a check has found is told apart by severity, and which decision was in force then.
ALTER TABLE quality.finding
    ADD COLUMN severity text CHECK (severity IN ('fail', 'warn')),  -- null: recorded before this column
    ADD COLUMN decided_seq bigint;
ALTER TABLE quality.check_result
    ADD COLUMN accepted_count bigint NOT NULL DEFAULT 0,
    ADD COLUMN accepted_amount numeric(24, 2),
    ADD CONSTRAINT check_result_accepted CHECK (
        accepted_count BETWEEN 0 AND unexpected_count AND (accepted_count = 0 OR severity = 'warn' OR accepted_count < unexpected_count));
-- The newest row of an item, whatever the run.
DROP INDEX quality.finding_item;
CREATE INDEX finding_item ON quality.finding (region_code, code, finding_key, found_at);

-- One row a period in which a finding stood the same way. It is written when the period begins and ended once; an item
-- without a current period is settled. What is open is therefore found without reading what the runs of years have found.
CREATE TABLE quality.finding_period (
    region_code     text           NOT NULL,
    code            text           NOT NULL,
    finding_key     text           NOT NULL,
    period_id       bigint         NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope           text           NOT NULL DEFAULT 'gate' CHECK (scope IN ('gate', 'audit', 'look')),
    state           text           NOT NULL CHECK (state IN ('open', 'accepted')),
    cause           text           NOT NULL CHECK (cause IN (
        'found', 'returned', 'accepted', 'withdrawn', 'rejected', 'expired', 'over_budget', 'failing')),
    severity        text           NOT NULL CHECK (severity IN ('fail', 'warn')),
    amount          numeric(24, 2),
    decided_seq     bigint,
    began_run       text           NOT NULL,
    began_at        timestamptz    NOT NULL,
    first_seen_run  text           NOT NULL,
    first_seen_at   timestamptz    NOT NULL,
    ended_run       text,
    ended_at        timestamptz,
    outcome         text           CHECK (outcome IN ('resolved', 'changed')),
    CHECK (num_nulls(ended_run, ended_at, outcome) IN (0, 3)),
    CHECK (ended_at >= began_at),
    CHECK (state = 'open' OR severity = 'warn' AND decided_seq IS NOT NULL)
);
CREATE UNIQUE INDEX finding_period_current ON quality.finding_period (region_code, code, finding_key, scope) WHERE ended_at IS NULL;
CREATE INDEX finding_period_item ON quality.finding_period (region_code, code, finding_key, period_id);

CREATE FUNCTION quality.allow_end_only() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF old.ended_at IS NOT NULL OR new.ended_at IS NULL
        OR to_jsonb(new) - ARRAY['ended_run', 'ended_at', 'outcome'] <> to_jsonb(old) - ARRAY['ended_run', 'ended_at', 'outcome'] THEN
        RAISE EXCEPTION 'a period of a finding can only be ended, once' USING ERRCODE = 'restrict_violation',
            HINT = 'Set ended_run, ended_at and outcome; what follows is a new row.';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER end_only BEFORE UPDATE ON quality.finding_period FOR EACH ROW EXECUTE FUNCTION quality.allow_end_only();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON quality.finding_period
    FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
ALTER TABLE quality.finding_period ENABLE ALWAYS TRIGGER end_only;
ALTER TABLE quality.finding_period ENABLE ALWAYS TRIGGER append_only;

-- What earlier runs have found: an item with another first_seen_at had gone and come back.
INSERT INTO quality.finding_period
    (region_code, code, finding_key, state, cause, severity, amount, began_run, began_at, first_seen_run, first_seen_at,
     ended_run, ended_at, outcome)
SELECT
    e.region_code, e.code, e.finding_key, 'open', CASE WHEN e.place = 1 THEN 'found' ELSE 'returned' END,
    coalesce(s.severity, 'fail'), e.amount, e.first_seen_run, e.first_seen_at, e.first_seen_run, e.first_seen_at,
    coalesce(g.run_id, e.next_run), coalesce(g.started_at, e.next_at),
    CASE WHEN coalesce(g.started_at, e.next_at) IS NOT NULL THEN 'resolved' END
FROM (
    SELECT
        f.region_code, f.code, f.finding_key, f.first_seen_run, f.first_seen_at, max(f.found_at) AS last_found_at,
        (array_agg(f.amount ORDER BY f.found_at))[1] AS amount,
        row_number() OVER item AS place,
        lead(f.first_seen_run) OVER item AS next_run,
        lead(f.first_seen_at) OVER item AS next_at
    FROM quality.finding AS f
    GROUP BY f.region_code, f.code, f.finding_key, f.first_seen_run, f.first_seen_at
    WINDOW item AS (PARTITION BY f.region_code, f.code, f.finding_key ORDER BY f.first_seen_at)
) AS e
LEFT JOIN LATERAL (
    SELECT r.run_id, r.started_at FROM quality.check_result AS r
    WHERE r.region_code = e.region_code AND r.code = e.code AND r.started_at > e.last_found_at
    ORDER BY r.started_at LIMIT 1
) AS g ON true
LEFT JOIN LATERAL (
    SELECT r.severity FROM quality.check_result AS r
    WHERE r.region_code = e.region_code AND r.code = e.code AND r.started_at <= e.last_found_at
    ORDER BY r.started_at DESC LIMIT 1
) AS s ON true
ORDER BY e.region_code, e.code, e.finding_key, e.first_seen_at;

GRANT INSERT, UPDATE (ended_run, ended_at, outcome) ON quality.finding_period TO fund_quality;
ALTER TABLE quality.finding_period ENABLE ROW LEVEL SECURITY;
CREATE POLICY pipeline ON quality.finding_period TO fund_quality, fund_publisher, auditor USING (true) WITH CHECK (true);
CREATE POLICY region_of_reader ON quality.finding_period FOR SELECT TO supervisor_reader USING (
    region_code = '-' OR region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
    OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL));

-- The day by which decisions are in force: the pipeline's business date where it says one, else today in Beijing.
CREATE FUNCTION quality.business_date() RETURNS date
LANGUAGE sql STABLE
RETURN coalesce(nullif(current_setting('merged_fund.business_date', true), '')::date, (now() AT TIME ZONE 'Asia/Shanghai')::date);

-- Why a decision does not accept a finding; null when it does. A finding of severity fail is accepted by nothing.
CREATE FUNCTION quality.lapse(
    decision text, valid_until date, amount_max numeric, rows_max bigint, severity text, amount numeric, row_count bigint, on_day date
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN decision IS NULL THEN 'undecided'
    WHEN decision = 'withdrawn' THEN 'withdrawn'
    WHEN decision = 'confirmed' THEN 'rejected'
    WHEN severity IS DISTINCT FROM 'warn' THEN 'failing'
    WHEN valid_until < on_day THEN 'expired'
    WHEN abs(coalesce(amount, 0)) > amount_max OR row_count > rows_max THEN 'over_budget'
END;

-- Decisions as they stand in the log, the newest of an item counts. `*` is every warning of the check together.
CREATE VIEW quality.finding_decision WITH (security_barrier = true) AS
SELECT
    e.region_code, e.finding_code AS code, e.finding_key, e.seq AS decided_seq, e.decision, e.valid_until, e.amount_max,
    e.rows_max, e.prepared_by AS decided_by, e.reason, e.occurred_on AS decided_on, e.recorded_at AS decided_at
FROM events.event AS e
WHERE e.event_type = 'finding.decided'
    AND (e.region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
        OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL));

-- For the views below and for the gate: no reader asks it.
CREATE VIEW quality.decision_newest AS
SELECT DISTINCT ON (e.region_code, e.finding_code, e.finding_key)
    e.region_code, e.finding_code AS code, e.finding_key, e.seq AS decided_seq, e.decision, e.valid_until, e.amount_max,
    e.rows_max, e.prepared_by AS decided_by, e.reason
FROM events.event AS e
WHERE e.event_type = 'finding.decided'
ORDER BY e.region_code, e.finding_code, e.finding_key, e.seq DESC;

-- Two queries, what stands and what is settled: who asks for what is open does not read what has been settled in years.
CREATE VIEW quality.finding_status WITH (security_barrier = true) AS
WITH mine AS (
    SELECT g.region_code FROM access.my_region AS g
),
-- What gate, audit or look have each found is one finding: as old as the oldest of them, as bad as the worst.
standing AS (
    SELECT DISTINCT ON (p.region_code, p.code, p.finding_key)
        p.region_code, p.code, p.finding_key, coalesce(f.severity, p.severity) AS severity, r.owner, r.title_zh, r.title_en,
        f.item, f.amount, first_value(p.first_seen_run) OVER same_item AS first_seen_run,
        first_value(p.first_seen_at) OVER same_item AS first_seen_at, f.run_id AS last_seen_run, f.found_at AS last_seen_at,
        p.period_id, p.cause, p.began_at, own, general,
        quality.lapse(own.decision, own.valid_until, own.amount_max, NULL, coalesce(f.severity, p.severity), f.amount, NULL,
            quality.business_date()) AS own_lapse,
        quality.lapse(general.decision, general.valid_until, general.amount_max, general.rows_max,
            coalesce(f.severity, p.severity), r.unexpected_amount, r.unexpected_count, quality.business_date()) AS general_lapse
    FROM quality.finding_period AS p
    CROSS JOIN LATERAL (
        SELECT found.severity, found.item, found.amount, found.run_id, found.found_at FROM quality.finding AS found
        WHERE found.region_code = p.region_code AND found.code = p.code AND found.finding_key = p.finding_key
            AND found.scope = p.scope
        ORDER BY found.found_at DESC LIMIT 1
    ) AS f
    LEFT JOIN LATERAL (
        SELECT result.owner, result.title_zh, result.title_en, result.unexpected_amount, result.unexpected_count
        FROM quality.check_result AS result
        WHERE result.region_code = p.region_code AND result.code = p.code AND result.scope = p.scope
        ORDER BY result.started_at DESC LIMIT 1
    ) AS r ON true
    LEFT JOIN quality.decision_newest AS own
        ON own.region_code = p.region_code AND own.code = p.code AND own.finding_key = p.finding_key
    LEFT JOIN quality.decision_newest AS general
        ON general.region_code = p.region_code AND general.code = p.code AND general.finding_key = '*'
    WHERE p.ended_at IS NULL
    WINDOW same_item AS (PARTITION BY p.region_code, p.code, p.finding_key ORDER BY p.first_seen_at)
    ORDER BY p.region_code, p.code, p.finding_key, coalesce(f.severity, p.severity), f.found_at DESC
),
-- What was decided on the item itself goes before what was decided on all of the check together.
decided AS (
    SELECT s.*,
        CASE WHEN s.own_lapse IN ('undecided', 'withdrawn') AND coalesce(s.general_lapse, '') <> 'undecided' THEN s.general ELSE s.own END AS made,
        CASE WHEN s.own_lapse IN ('undecided', 'withdrawn') AND coalesce(s.general_lapse, '') <> 'undecided' THEN s.general_lapse ELSE s.own_lapse END AS lapse
    FROM standing AS s
),
settled AS (
    SELECT DISTINCT ON (p.region_code, p.code, p.finding_key)
        p.region_code, p.code, p.finding_key, p.first_seen_run, p.first_seen_at, p.ended_at, p.severity
    FROM quality.finding_period AS p
    WHERE p.ended_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM quality.finding_period AS current
        WHERE current.region_code = p.region_code AND current.code = p.code
            AND current.finding_key = p.finding_key AND current.ended_at IS NULL)
    ORDER BY p.region_code, p.code, p.finding_key, p.period_id DESC
)
SELECT
    d.region_code, d.code, d.finding_key, d.severity, d.owner, d.title_zh, d.title_en,
    CASE WHEN d.lapse IS NULL THEN 'accepted' ELSE 'open' END AS status,
    d.item, d.amount, d.first_seen_run, d.first_seen_at, d.last_seen_run, d.last_seen_at,
    greatest(0, quality.business_date() - (d.first_seen_at AT TIME ZONE 'Asia/Shanghai')::date) AS age_days,
    NULL::timestamptz AS resolved_at,
    CASE WHEN (d.made).decision IN ('accepted', 'dismissed') THEN (d.made).decided_by END AS accepted_by,
    CASE WHEN (d.made).decision IN ('accepted', 'dismissed') THEN (d.made).reason END AS accepted_reason,
    (d.made).valid_until AS accepted_until, (d.made).amount_max AS accepted_amount_max, (d.made).decided_seq,
    nullif(d.lapse, 'undecided') AS lapse, d.period_id, d.cause, d.began_at AS stands_since
FROM decided AS d
WHERE d.region_code = '-' OR d.region_code IN (SELECT m.region_code FROM mine AS m)
    OR EXISTS (SELECT FROM mine AS m WHERE m.region_code IS NULL)
UNION ALL
SELECT
    s.region_code, s.code, s.finding_key, coalesce(f.severity, s.severity), r.owner, r.title_zh, r.title_en, 'resolved',
    f.item, f.amount, s.first_seen_run, s.first_seen_at, f.run_id, f.found_at,
    greatest(0, (s.ended_at AT TIME ZONE 'Asia/Shanghai')::date - (s.first_seen_at AT TIME ZONE 'Asia/Shanghai')::date),
    s.ended_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM settled AS s
CROSS JOIN LATERAL (
    SELECT found.severity, found.item, found.amount, found.run_id, found.found_at FROM quality.finding AS found
    WHERE found.region_code = s.region_code AND found.code = s.code AND found.finding_key = s.finding_key
    ORDER BY found.found_at DESC LIMIT 1
) AS f
LEFT JOIN LATERAL (
    SELECT result.owner, result.title_zh, result.title_en FROM quality.check_result AS result
    WHERE result.region_code = s.region_code AND result.code = s.code
    ORDER BY result.started_at DESC LIMIT 1
) AS r ON true
WHERE s.region_code = '-' OR s.region_code IN (SELECT m.region_code FROM mine AS m)
    OR EXISTS (SELECT FROM mine AS m WHERE m.region_code IS NULL);

CREATE VIEW quality.finding_history WITH (security_barrier = true) AS
SELECT * FROM (
    SELECT
        p.region_code, p.code, p.finding_key, p.began_at AS happened_at, p.cause AS change, p.began_run AS run_id, p.severity,
        p.amount, p.state, p.decided_seq, NULL::text AS decision, NULL::text AS decided_by, NULL::text AS reason,
        NULL::date AS valid_until, NULL::numeric(18, 2) AS amount_max, NULL::bigint AS rows_max
    FROM quality.finding_period AS p
    UNION ALL
    SELECT
        p.region_code, p.code, p.finding_key, p.ended_at, 'resolved', p.ended_run, p.severity, p.amount, 'resolved', NULL, NULL,
        NULL, NULL, NULL, NULL, NULL
    FROM quality.finding_period AS p
    WHERE p.outcome = 'resolved'
    UNION ALL
    SELECT
        e.region_code, e.finding_code, e.finding_key, e.recorded_at, 'decided', NULL, NULL, NULL, NULL, e.seq, e.decision,
        e.prepared_by, e.reason, e.valid_until, e.amount_max, e.rows_max
    FROM events.event AS e
    WHERE e.event_type = 'finding.decided'
) AS told
WHERE told.region_code = '-' OR told.region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
    OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL);

-- The last thirty runs of each region by suite. Regions by steps over the index; of a region only its newest results are
-- read, more than thirty runs can have.
CREATE VIEW quality.check_trend WITH (security_barrier = true) AS
WITH RECURSIVE known (region_code) AS (
    (SELECT r.region_code FROM quality.check_result AS r ORDER BY r.region_code LIMIT 1)
    UNION ALL
    SELECT (SELECT r.region_code FROM quality.check_result AS r WHERE r.region_code > k.region_code ORDER BY r.region_code LIMIT 1)
    FROM known AS k
    WHERE k.region_code IS NOT NULL
),
newest AS (
    SELECT DISTINCT ON (r.region_code, r.run_id, r.code) r.*
    FROM known AS k
    CROSS JOIN LATERAL (
        SELECT
            result.region_code, result.run_id, result.suite, result.code, result.started_at, result.head_seq, result.success,
            result.severity, result.unexpected_count, result.unexpected_amount, result.accepted_count, result.accepted_amount
        FROM quality.check_result AS result
        WHERE result.region_code = k.region_code AND result.scope = 'gate'
        ORDER BY result.started_at DESC LIMIT 6000
    ) AS r
    WHERE k.region_code = '-' OR k.region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
        OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL)
    ORDER BY r.region_code, r.run_id, r.code, r.started_at DESC
),
placed AS (
    SELECT n.region_code, n.run_id, dense_rank() OVER (PARTITION BY n.region_code ORDER BY max(n.started_at) DESC, n.run_id) AS place
    FROM newest AS n
    GROUP BY n.region_code, n.run_id
)
SELECT
    n.region_code, n.suite, n.run_id, p.place AS runs_ago, min(n.started_at) AS checked_at, max(n.head_seq) AS head_seq,
    count(*) AS checks,
    count(*) FILTER (WHERE NOT n.success AND n.severity = 'fail') AS failed,
    count(*) FILTER (WHERE NOT n.success AND n.severity = 'warn' AND n.accepted_count < n.unexpected_count) AS warned,
    count(*) FILTER (WHERE NOT n.success AND n.severity = 'warn' AND n.accepted_count = n.unexpected_count) AS accepted,
    sum(n.unexpected_count - n.accepted_count)::bigint AS open_rows,
    sum(coalesce(n.unexpected_amount, 0) - coalesce(n.accepted_amount, 0))::numeric(24, 2) AS open_amount
FROM newest AS n
INNER JOIN placed AS p ON p.region_code = n.region_code AND p.run_id = n.run_id
WHERE p.place <= 30
GROUP BY n.region_code, n.suite, n.run_id, p.place;

GRANT SELECT ON quality.finding_period, quality.finding_decision, quality.finding_status, quality.finding_history, quality.check_trend
TO supervisor_reader;

COMMENT ON COLUMN quality.check_result.scope IS '检查场合：gate 发布前、audit 夜间审计（全部历史）、look 时效巡视 / When checked: gate, nightly audit of all history, or a look at freshness';
COMMENT ON COLUMN quality.finding.scope IS '检查场合：gate 发布前、audit 夜间审计（全部历史）、look 时效巡视 / When found: gate, nightly audit of all history, or a look at freshness';
COMMENT ON COLUMN quality.finding.severity IS '严重程度：fail 不通过，warn 提示；此列启用前为空 / fail or warn; null before its introduction';
COMMENT ON COLUMN quality.finding.decided_seq IS '检查时有效的接受决定的序号 / Seq of the decision by which it was accepted then';
COMMENT ON COLUMN quality.check_result.accepted_count IS '其中已接受的行数 / Of the rows found, those accepted';
COMMENT ON COLUMN quality.check_result.accepted_amount IS '其中已接受的金额（元） / Of the amount found, that accepted, yuan';

COMMENT ON TABLE quality.finding_period IS '问题的各个阶段：每段一行，只增加，结束一次 / Periods of findings: one row each, added and ended once';
COMMENT ON COLUMN quality.finding_period.period_id IS '编号 / Number';
COMMENT ON COLUMN quality.finding_period.scope IS '检查场合：gate 发布前、audit 夜间审计（全部历史）、look 时效巡视 / When found: gate, nightly audit of all history, or a look at freshness';
COMMENT ON COLUMN quality.finding_period.region_code IS '统筹区代码，-为不属于任何统筹区 / Region, - for what belongs to none';
COMMENT ON COLUMN quality.finding_period.code IS '检查代码 / Check';
COMMENT ON COLUMN quality.finding_period.finding_key IS '问题项目 / Item';
COMMENT ON COLUMN quality.finding_period.state IS 'open 待处理，accepted 已接受 / open or accepted';
COMMENT ON COLUMN quality.finding_period.cause IS '起因：found 首次发现、returned 再次出现、accepted 已接受、withdrawn 撤回接受、rejected 确认须更正、expired 接受到期、over_budget 超过上限、failing 转为不通过 / Why it began';
COMMENT ON COLUMN quality.finding_period.severity IS '开始时的严重程度 / Severity when it began';
COMMENT ON COLUMN quality.finding_period.amount IS '开始时的金额（元） / Amount when it began, yuan';
COMMENT ON COLUMN quality.finding_period.decided_seq IS '所据决定的序号 / Seq of the decision behind it';
COMMENT ON COLUMN quality.finding_period.began_run IS '开始于哪次运行 / Run in which it began';
COMMENT ON COLUMN quality.finding_period.began_at IS '开始时间 / When it began';
COMMENT ON COLUMN quality.finding_period.first_seen_run IS '问题最初出现的运行 / Run in which the finding was first seen';
COMMENT ON COLUMN quality.finding_period.first_seen_at IS '问题最初出现的时间 / When the finding was first seen';
COMMENT ON COLUMN quality.finding_period.ended_run IS '结束于哪次运行 / Run in which it ended';
COMMENT ON COLUMN quality.finding_period.ended_at IS '结束时间，当前阶段为空 / When it ended, null for the current one';
COMMENT ON COLUMN quality.finding_period.outcome IS 'resolved 已解决，changed 转入下一阶段 / resolved, or followed by another period';
COMMENT ON FUNCTION quality.allow_end_only() IS '阶段只能结束一次 / A period can only be ended, once';
COMMENT ON FUNCTION quality.business_date() IS '判断决定是否有效所用的日期 / Day by which decisions are in force';
COMMENT ON FUNCTION quality.lapse(text, date, numeric, bigint, text, numeric, bigint, date) IS '决定为何不再接受该问题；有效时为空 / Why a decision does not accept a finding; null when it does';
COMMENT ON VIEW quality.decision_newest IS '每个问题的最新决定 / The newest decision on each item';
COMMENT ON COLUMN quality.decision_newest.region_code IS '统筹区代码 / Region';
COMMENT ON COLUMN quality.decision_newest.code IS '检查或规则代码 / Check or rule';
COMMENT ON COLUMN quality.decision_newest.finding_key IS '问题项目，* 为该检查的全部提示 / Item, * for every warning of the check';
COMMENT ON COLUMN quality.decision_newest.decided_seq IS '决定在日志中的序号 / Seq of the decision in the log';
COMMENT ON COLUMN quality.decision_newest.decision IS '决定 / Decision';
COMMENT ON COLUMN quality.decision_newest.valid_until IS '有效期至（含当日） / Last day on which it holds';
COMMENT ON COLUMN quality.decision_newest.amount_max IS '金额上限（元） / Amount beyond which it lapses, yuan';
COMMENT ON COLUMN quality.decision_newest.rows_max IS '行数上限 / Rows beyond which it lapses';
COMMENT ON COLUMN quality.decision_newest.decided_by IS '决定人 / Decided by';
COMMENT ON COLUMN quality.decision_newest.reason IS '理由 / Reason';

COMMENT ON VIEW quality.finding_decision IS '对问题的决定：日志中每个决定一行 / Decisions on findings: one row each, as they stand in the log';
COMMENT ON COLUMN quality.finding_decision.region_code IS '统筹区代码 / Region';
COMMENT ON COLUMN quality.finding_decision.code IS '检查或规则代码 / Check or rule';
COMMENT ON COLUMN quality.finding_decision.finding_key IS '问题项目，* 为该检查的全部提示 / Item, * for every warning of the check';
COMMENT ON COLUMN quality.finding_decision.decided_seq IS '决定在日志中的序号 / Seq of the decision in the log';
COMMENT ON COLUMN quality.finding_decision.decision IS 'accepted 接受、withdrawn 撤回、confirmed 确认须更正、dismissed 排除 / accepted, withdrawn, confirmed or dismissed';
COMMENT ON COLUMN quality.finding_decision.valid_until IS '有效期至（含当日） / Last day on which it holds';
COMMENT ON COLUMN quality.finding_decision.amount_max IS '金额上限（元） / Amount beyond which it lapses, yuan';
COMMENT ON COLUMN quality.finding_decision.rows_max IS '行数上限 / Rows beyond which it lapses';
COMMENT ON COLUMN quality.finding_decision.decided_by IS '决定人 / Decided by';
COMMENT ON COLUMN quality.finding_decision.reason IS '理由 / Reason';
COMMENT ON COLUMN quality.finding_decision.decided_on IS '决定日期 / Business date of the decision';
COMMENT ON COLUMN quality.finding_decision.decided_at IS '记入日志时间 / When the log recorded it';

COMMENT ON VIEW quality.finding_status IS '问题现状：每个统筹区、检查、项目一行 / Findings as they stand: one row a region, check and item';
COMMENT ON COLUMN quality.finding_status.region_code IS '统筹区代码，-为不属于任何统筹区 / Region, - for what belongs to none';
COMMENT ON COLUMN quality.finding_status.code IS '检查代码 / Check';
COMMENT ON COLUMN quality.finding_status.finding_key IS '问题项目 / Item';
COMMENT ON COLUMN quality.finding_status.severity IS 'fail 不通过，warn 提示 / fail or warn';
COMMENT ON COLUMN quality.finding_status.owner IS '责任岗位 / Role that acts';
COMMENT ON COLUMN quality.finding_status.title_zh IS '检查中文名称 / Title of the check in Chinese';
COMMENT ON COLUMN quality.finding_status.title_en IS '检查英文名称 / Title of the check in English';
COMMENT ON COLUMN quality.finding_status.status IS 'open 待处理，accepted 已接受，resolved 已解决 / open, accepted or resolved';
COMMENT ON COLUMN quality.finding_status.item IS '最近一次检查列出的整行 / The row that was listed last';
COMMENT ON COLUMN quality.finding_status.amount IS '最近一次的金额（元） / Amount when last seen, yuan';
COMMENT ON COLUMN quality.finding_status.first_seen_run IS '最初出现的运行 / Run in which it was first seen';
COMMENT ON COLUMN quality.finding_status.first_seen_at IS '最初出现的时间 / When it was first seen';
COMMENT ON COLUMN quality.finding_status.last_seen_run IS '最近出现的运行 / Run in which it was last seen';
COMMENT ON COLUMN quality.finding_status.last_seen_at IS '最近出现的时间 / When it was last seen';
COMMENT ON COLUMN quality.finding_status.age_days IS '已存在天数；已解决的为存续天数 / Days since it was first seen; of a resolved one, how long it stood';
COMMENT ON COLUMN quality.finding_status.resolved_at IS '解决时间 / When it was gone';
COMMENT ON COLUMN quality.finding_status.accepted_by IS '接受人；决定已失效的仍显示 / Who accepted it; shown after the decision has lapsed, too';
COMMENT ON COLUMN quality.finding_status.accepted_reason IS '接受理由 / Reason';
COMMENT ON COLUMN quality.finding_status.accepted_until IS '接受有效期至 / Last day of the acceptance';
COMMENT ON COLUMN quality.finding_status.accepted_amount_max IS '接受的金额上限（元） / Amount up to which it is accepted, yuan';
COMMENT ON COLUMN quality.finding_status.decided_seq IS '最新决定的序号 / Seq of the decision that counts';
COMMENT ON COLUMN quality.finding_status.lapse IS '决定失效的原因：withdrawn 撤回、rejected 确认须更正、expired 到期、over_budget 超过上限、failing 转为不通过 / Why the decision does not hold';

COMMENT ON COLUMN quality.finding_status.period_id IS '当前阶段（quality.finding_period），已解决的为空 / Its current period; null when resolved';
COMMENT ON COLUMN quality.finding_status.cause IS '当前阶段的起因，同 quality.finding_period.cause / Why the current period began';
COMMENT ON COLUMN quality.finding_status.stands_since IS '当前阶段开始时间 / When the current period began';

COMMENT ON VIEW quality.finding_history IS '问题经过：发现、接受、失效、解决、再次出现，每件事一行 / What happened to each finding: one row each';
COMMENT ON COLUMN quality.finding_history.region_code IS '统筹区代码，-为不属于任何统筹区 / Region, - for what belongs to none';
COMMENT ON COLUMN quality.finding_history.code IS '检查代码 / Check';
COMMENT ON COLUMN quality.finding_history.finding_key IS '问题项目 / Item';
COMMENT ON COLUMN quality.finding_history.happened_at IS '时间 / When';
COMMENT ON COLUMN quality.finding_history.change IS 'decided 作出决定，resolved 已解决，其余同 quality.finding_period.cause / decided, resolved, or a cause of quality.finding_period';
COMMENT ON COLUMN quality.finding_history.run_id IS '运行编号 / Run';
COMMENT ON COLUMN quality.finding_history.severity IS '当时的严重程度 / Severity then';
COMMENT ON COLUMN quality.finding_history.amount IS '该阶段开始时的金额（元） / Amount when the period began, yuan';
COMMENT ON COLUMN quality.finding_history.state IS '此后的状态：open 待处理，accepted 已接受，resolved 已解决；决定为空 / How it stands from then on: open, accepted or resolved; null for a decision';
COMMENT ON COLUMN quality.finding_history.decided_seq IS '所据决定的序号 / Seq of the decision';
COMMENT ON COLUMN quality.finding_history.decision IS '决定 / Decision';
COMMENT ON COLUMN quality.finding_history.decided_by IS '决定人 / Decided by';
COMMENT ON COLUMN quality.finding_history.reason IS '理由 / Reason';
COMMENT ON COLUMN quality.finding_history.valid_until IS '有效期至 / Last day on which it holds';
COMMENT ON COLUMN quality.finding_history.amount_max IS '金额上限（元） / Amount beyond which it lapses, yuan';
COMMENT ON COLUMN quality.finding_history.rows_max IS '行数上限 / Rows beyond which it lapses';

COMMENT ON VIEW quality.check_trend IS '检查趋势：每个统筹区最近三十次运行，每类检查一行 / The last thirty runs of each region: one row a run and suite';
COMMENT ON COLUMN quality.check_trend.region_code IS '统筹区代码 / Region';
COMMENT ON COLUMN quality.check_trend.suite IS '检查类别 / Suite';
COMMENT ON COLUMN quality.check_trend.run_id IS '运行编号 / Run';
COMMENT ON COLUMN quality.check_trend.runs_ago IS '1为最近一次 / 1 is the newest';
COMMENT ON COLUMN quality.check_trend.checked_at IS '检查时间 / When it was checked';
COMMENT ON COLUMN quality.check_trend.head_seq IS '检查至此序号 / Checked up to this seq';
COMMENT ON COLUMN quality.check_trend.checks IS '检查项数 / Checks';
COMMENT ON COLUMN quality.check_trend.failed IS '不通过项数 / Failed checks';
COMMENT ON COLUMN quality.check_trend.warned IS '提示项数 / Warnings';
COMMENT ON COLUMN quality.check_trend.accepted IS '已全部接受的提示项数 / Warnings all of whose rows are accepted';
COMMENT ON COLUMN quality.check_trend.open_rows IS '未接受的行数 / Rows not accepted';
COMMENT ON COLUMN quality.check_trend.open_amount IS '未接受的金额（元） / Amount not accepted, yuan';
