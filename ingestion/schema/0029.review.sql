-- A fourth occasion for checks, the review of how the policy is carried out, made on what is published. Its findings may be
-- dismissed: such a decision holds for the facts that were known then, and lapses when they change.
-- depends: 0028.validation_documents

-- Wider than before, so that rows of before need no scan.
ALTER TABLE quality.check_result DROP CONSTRAINT check_result_scope_check,
    ADD CONSTRAINT check_result_scope_check CHECK (scope IN ('gate', 'audit', 'look', 'review')) NOT VALID;
ALTER TABLE quality.finding DROP CONSTRAINT finding_scope_check,
    ADD CONSTRAINT finding_scope_check CHECK (scope IN ('gate', 'audit', 'look', 'review')) NOT VALID;
ALTER TABLE quality.finding_period DROP CONSTRAINT finding_period_scope_check,
    ADD CONSTRAINT finding_period_scope_check CHECK (scope IN ('gate', 'audit', 'look', 'review')) NOT VALID,
    DROP CONSTRAINT finding_period_cause_check,
    ADD CONSTRAINT finding_period_cause_check CHECK (cause IN (
        'found', 'returned', 'accepted', 'withdrawn', 'rejected', 'expired', 'over_budget', 'failing', 'facts_changed')) NOT VALID;

-- A finding is dismissed together with its facts: behind the item stands the fingerprint of the facts, `item#evidence`.
CREATE FUNCTION events.item_of(decision text, finding_key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN decision = 'dismissed' THEN regexp_replace(finding_key, '#[0-9a-f]{16}$', '') ELSE finding_key END;

CREATE FUNCTION events.evidence_of(decision text, finding_key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN decision = 'dismissed' THEN substring(finding_key FROM '#([0-9a-f]{16})$') END;

CREATE OR REPLACE VIEW quality.decision_newest AS
SELECT DISTINCT ON (e.region_code, e.finding_code, events.item_of(e.decision, e.finding_key))
    e.region_code, e.finding_code AS code, events.item_of(e.decision, e.finding_key) AS finding_key, e.seq AS decided_seq,
    e.decision, e.valid_until, e.amount_max, e.rows_max, e.prepared_by AS decided_by, e.reason,
    events.evidence_of(e.decision, e.finding_key) AS evidence, e.occurred_on AS decided_on
FROM events.event AS e
WHERE e.event_type = 'finding.decided'
ORDER BY e.region_code, e.finding_code, events.item_of(e.decision, e.finding_key), e.seq DESC;

CREATE OR REPLACE VIEW quality.finding_decision WITH (security_barrier = true) AS
SELECT
    e.region_code, e.finding_code AS code, events.item_of(e.decision, e.finding_key) AS finding_key, e.seq AS decided_seq,
    e.decision, e.valid_until, e.amount_max, e.rows_max, e.prepared_by AS decided_by, e.reason, e.occurred_on AS decided_on,
    e.recorded_at AS decided_at, events.evidence_of(e.decision, e.finding_key) AS evidence
FROM events.event AS e
WHERE e.event_type = 'finding.decided'
    AND (e.region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
        OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL));

CREATE OR REPLACE VIEW quality.finding_status WITH (security_barrier = true) AS
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
        CASE
            WHEN own.evidence IS DISTINCT FROM f.item ->> 'evidence' AND own.evidence IS NOT NULL THEN 'facts_changed'
            ELSE quality.lapse(own.decision, own.valid_until, own.amount_max, NULL, coalesce(f.severity, p.severity),
                f.amount, NULL, quality.business_date())
        END AS own_lapse,
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
    nullif(d.lapse, 'undecided') AS lapse, d.period_id, d.cause, d.began_at AS stands_since, (d.made).decision
FROM decided AS d
WHERE d.region_code = '-' OR d.region_code IN (SELECT m.region_code FROM mine AS m)
    OR EXISTS (SELECT FROM mine AS m WHERE m.region_code IS NULL)
UNION ALL
SELECT
    s.region_code, s.code, s.finding_key, coalesce(f.severity, s.severity), r.owner, r.title_zh, r.title_en, 'resolved',
    f.item, f.amount, s.first_seen_run, s.first_seen_at, f.run_id, f.found_at,
    greatest(0, (s.ended_at AT TIME ZONE 'Asia/Shanghai')::date - (s.first_seen_at AT TIME ZONE 'Asia/Shanghai')::date),
    s.ended_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
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

CREATE OR REPLACE VIEW quality.finding_history WITH (security_barrier = true) AS
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
        e.region_code, e.finding_code, events.item_of(e.decision, e.finding_key), e.recorded_at, 'decided', NULL, NULL, NULL, NULL, e.seq, e.decision,
        e.prepared_by, e.reason, e.valid_until, e.amount_max, e.rows_max
    FROM events.event AS e
    WHERE e.event_type = 'finding.decided'
) AS told
WHERE told.region_code = '-' OR told.region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
    OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL);

-- A mart says beside what the rules find what was decided on it; its reader's regions bound it there.
GRANT USAGE ON SCHEMA quality TO fund_transform;
GRANT SELECT ON quality.decision_newest TO fund_transform;

COMMENT ON COLUMN quality.check_result.scope IS '检查场合：gate 发布前、audit 夜间审计（全部历史）、look 时效巡视、review 政策审视（已发布数据） / When checked: gate, nightly audit of all history, a look at freshness, or the review of what is published';
COMMENT ON COLUMN quality.finding.scope IS '检查场合：gate 发布前、audit 夜间审计（全部历史）、look 时效巡视、review 政策审视（已发布数据） / When found: gate, nightly audit of all history, a look at freshness, or the review of what is published';
COMMENT ON COLUMN quality.finding_period.scope IS '检查场合：gate 发布前、audit 夜间审计（全部历史）、look 时效巡视、review 政策审视（已发布数据） / When found: gate, nightly audit of all history, a look at freshness, or the review of what is published';
COMMENT ON COLUMN quality.finding_period.cause IS '起因：found 首次发现、returned 再次出现、accepted 已接受或排除、withdrawn 撤回接受、rejected 确认须更正、expired 接受到期、over_budget 超过上限、failing 转为不通过、facts_changed 排除后事实有变 / Why it began';
COMMENT ON FUNCTION events.item_of(text, text) IS '决定所针对的问题项目，去掉排除时的事实指纹 / The item decided on, without the fingerprint of facts of a dismissal';
COMMENT ON FUNCTION events.evidence_of(text, text) IS '排除时所依据事实的指纹，其他决定为空 / Fingerprint of the facts of a dismissal, null for other decisions';
COMMENT ON COLUMN quality.decision_newest.evidence IS '排除时的事实指纹，与问题的 evidence 不同即失效 / Fingerprint of the facts dismissed; it lapses when the finding has another';
COMMENT ON COLUMN quality.decision_newest.decided_on IS '决定日期 / Business date of the decision';
COMMENT ON COLUMN quality.finding_decision.evidence IS '排除时的事实指纹，与问题的 evidence 不同即失效 / Fingerprint of the facts dismissed; it lapses when the finding has another';
COMMENT ON COLUMN quality.finding_status.lapse IS '决定失效的原因：withdrawn 撤回、rejected 确认须更正、expired 到期、over_budget 超过上限、failing 转为不通过、facts_changed 排除后金额或所涉结算有变 / Why the decision does not hold';
COMMENT ON COLUMN quality.finding_status.decision IS '最新决定：accepted、dismissed、confirmed、withdrawn；没有则为空 / The decision that counts, null without one';
