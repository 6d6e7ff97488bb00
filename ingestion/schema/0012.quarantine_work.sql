-- Working the quarantine (rows sent again, reasons that change while a row waits, what is open by region) and which due
-- files are missing, late or early.
-- depends: 0011.event_versions

-- A row that is sent again does not count twice: of two entries about one row, one is settled by the other.
ALTER TABLE events.quarantine_resolution
    DROP CONSTRAINT quarantine_resolution_resolution_check,
    ALTER COLUMN region_code DROP NOT NULL,
    ALTER COLUMN resolved_by_seq DROP NOT NULL,
    ADD COLUMN resolved_by_quarantine_id bigint REFERENCES events.quarantine,
    ADD CONSTRAINT quarantine_resolution_resolution_check CHECK (resolution IN ('loaded', 'corrected', 'duplicate', 'resent')),
    ADD CONSTRAINT quarantine_resolution_settled_by CHECK (
        CASE resolution
            WHEN 'resent' THEN resolved_by_quarantine_id IS NOT NULL AND resolved_by_quarantine_id <> quarantine_id
                AND resolved_by_seq IS NULL
            ELSE resolved_by_quarantine_id IS NULL AND resolved_by_seq IS NOT NULL AND region_code IS NOT NULL
        END);

-- Rows without a readable key are known again by their text.
CREATE INDEX quarantine_keyless ON events.quarantine (source_system, md5(raw))
    WHERE region_code IS NULL OR source_event_key IS NULL;

-- A row that waits may be refused for another reason when it is tried again. One row a change; the newest counts.
CREATE TABLE events.quarantine_retry (
    quarantine_id  bigint      NOT NULL REFERENCES events.quarantine,
    change_no      integer     NOT NULL CHECK (change_no >= 1),
    error_codes    text[]      NOT NULL CHECK (cardinality(error_codes) >= 1),
    messages       text[]      NOT NULL,
    tried_at       timestamptz NOT NULL,
    PRIMARY KEY (quarantine_id, change_no)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events.quarantine_retry
    FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
ALTER TABLE events.quarantine_retry ENABLE ALWAYS TRIGGER append_only;
GRANT INSERT ON events.quarantine_retry TO fund_ingest;

CREATE OR REPLACE VIEW events.quarantine_open AS
SELECT
    q.quarantine_id, q.file_id, q.line_no, q.region_code, q.family, q.source_system, q.source_event_key,
    coalesce(newest.error_codes, q.error_codes) AS error_codes, coalesce(newest.messages, q.messages) AS messages,
    q.raw, q.canonical, q.amount, q.quarantined_at
FROM events.quarantine AS q
LEFT JOIN LATERAL (
    SELECT t.error_codes, t.messages FROM events.quarantine_retry AS t
    WHERE t.quarantine_id = q.quarantine_id ORDER BY t.change_no DESC LIMIT 1
) AS newest ON true
WHERE NOT EXISTS (SELECT FROM events.quarantine_resolution AS r WHERE r.quarantine_id = q.quarantine_id);

-- A row counts once, under the group of its first reason, so that rows and amounts of a region add up.
CREATE VIEW quality.quarantine_open_amount WITH (security_barrier = true) AS
WITH attributed AS (
    SELECT
        coalesce(q.region_code, s.region_code, '-') AS region_code, q.region_code IS NOT NULL AS region_readable,
        q.source_system, q.family, substring(q.error_codes[1] FROM '^E-[A-Z]+') AS error_group, q.amount, q.quarantined_at
    FROM events.quarantine_open AS q
    LEFT JOIN events.source_region AS s ON q.region_code IS NULL AND s.source_system = q.source_system
)
SELECT
    a.region_code, a.region_readable, a.source_system, a.family, a.error_group,
    count(*) AS rows, coalesce(sum(a.amount), 0)::numeric(24, 2) AS amount,
    count(*) FILTER (WHERE a.amount IS NULL) AS rows_without_amount,
    min(a.quarantined_at) AS oldest_at,
    (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date - (min(a.quarantined_at) AT TIME ZONE 'Asia/Shanghai')::date AS oldest_days
FROM attributed AS a
WHERE a.region_code = '-' OR a.region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
    OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL)
GROUP BY a.region_code, a.region_readable, a.source_system, a.family, a.error_group;
GRANT SELECT ON quality.quarantine_open_amount TO supervisor_reader;

-- Files by the calendar: one row a file whose period has ended, or that has come before. The file of a period bears the
-- period in its name. What does not count as its arrival: corrections of single rows, and a copy of another period's file.
CREATE FUNCTION events.due_file(business_date date)
RETURNS TABLE (
    source_system text, family text, due_rule text, region_code text, period text, first_day date, last_day date, due_on date,
    state text, arrived_on date, file_name text, seen text
)
LANGUAGE sql STABLE AS $$
WITH calendar AS (
    SELECT c.source_system, c.family, c.due_rule, c.region_code, c.active_from, regexp_match(c.due_rule,
        '^(monthly|quarterly) day (0?[1-9]|[12][0-9]|3[01])( until ([0-9]{4}-(?:0[1-9]|1[0-2])|[0-9]{4}Q[1-4]))?$') AS parts
    FROM events.source_calendar AS c
),
rule AS (
    SELECT c.*, k.unit, k.step,
        CASE
            WHEN c.parts[4] LIKE '____Q_' THEN make_date(left(c.parts[4], 4)::integer, right(c.parts[4], 1)::integer * 3, 1)
            WHEN c.parts[4] IS NOT NULL THEN to_date(c.parts[4], 'YYYY-MM')
            ELSE date 'infinity'
        END AS last_month
    FROM calendar AS c
    INNER JOIN (VALUES ('monthly', 'month', interval '1 month'), ('quarterly', 'quarter', interval '3 months')) AS k (said, unit, step)
        ON k.said = c.parts[1]
),
due AS (
    SELECT r.source_system, r.family, r.due_rule, r.region_code,
        p.starts_at::date AS first_day, (p.starts_at + r.step)::date - 1 AS last_day,
        least((p.starts_at + r.step)::date + r.parts[2]::integer - 1, (p.starts_at + r.step + interval '1 month')::date - 1) AS due_on,
        CASE r.unit
            WHEN 'month' THEN ARRAY[to_char(p.starts_at, 'YYYYMM'), to_char(p.starts_at, 'YYYY-MM')]
            ELSE ARRAY[to_char(p.starts_at, 'YYYY"Q"Q')]
        END AS names
    FROM rule AS r
    CROSS JOIN LATERAL generate_series(
        date_trunc(r.unit, r.active_from::timestamp),
        least(r.last_month::timestamp, due_file.business_date + interval '1 year'), r.step
    ) AS p (starts_at)
),
sent AS (
    SELECT f.source_system, f.family, f.file_name, f.state, f.error_code, f.first_seen_at,
        f.state = 'loaded' OR f.state = 'duplicate_file'
            AND o.file_name !~ '(19|20)[0-9]{2}(Q[1-4]|-?(0[1-9]|1[0-2]))' AS arrived
    FROM events.file AS f
    LEFT JOIN events.file_registry AS o ON o.file_id = f.duplicate_of
    WHERE f.file_name !~ '(^|/)corrections\..+\.(registration|contribution|claim|treasury)\.[0-9]+\.[^/]*\.xlsx$'
),
told AS (
    SELECT d.*, a.seen, a.file_name, (a.arrived_at AT TIME ZONE 'Asia/Shanghai')::date AS arrived_on
    FROM due AS d
    CROSS JOIN LATERAL (
        SELECT
            string_agg(s.file_name || ' (' || s.state || coalesce(' ' || s.error_code, '') || ')', ', '
                ORDER BY s.first_seen_at, s.file_name) AS seen,
            (array_agg(s.file_name ORDER BY s.first_seen_at, s.file_name) FILTER (WHERE s.arrived))[1] AS file_name,
            min(s.first_seen_at) FILTER (WHERE s.arrived) AS arrived_at
        FROM sent AS s
        WHERE s.source_system = d.source_system AND coalesce(s.family, d.family) = d.family
            AND EXISTS (SELECT FROM unnest(d.names) AS n (part) WHERE strpos(s.file_name, n.part) > 0)
    ) AS a
)
SELECT
    t.source_system, t.family, t.due_rule, t.region_code, t.names[1], t.first_day, t.last_day, t.due_on,
    CASE
        WHEN t.arrived_on <= t.last_day THEN 'early'
        WHEN t.arrived_on > t.due_on THEN 'late'
        WHEN t.arrived_on IS NOT NULL THEN 'on_time'
        WHEN due_file.business_date > t.due_on THEN 'missing'
        ELSE 'awaited'
    END,
    t.arrived_on, t.file_name, t.seen
FROM told AS t
WHERE t.last_day < due_file.business_date OR t.arrived_on IS NOT NULL
UNION ALL
SELECT c.source_system, c.family, c.due_rule, c.region_code, NULL, NULL, NULL, NULL, 'unreadable', NULL, NULL, NULL
FROM calendar AS c
WHERE c.parts IS NULL
$$;

COMMENT ON COLUMN events.quarantine_resolution.resolution IS '结果：loaded 已入账、corrected 已更正、duplicate 与已入账相同、resent 由另一隔离行代表 / loaded, corrected, duplicate, or resent: another entry stands for it';
COMMENT ON COLUMN events.quarantine_resolution.region_code IS '统筹区代码；resent 时可为空 / Region; may be null when resent';
COMMENT ON COLUMN events.quarantine_resolution.resolved_by_seq IS '解决该行的事件序号；resent 时为空 / Event that settles it; null when resent';
COMMENT ON COLUMN events.quarantine_resolution.resolved_by_quarantine_id IS '代表该行的隔离编号（仅 resent） / The entry that stands for it (resent only)';

COMMENT ON TABLE events.quarantine_retry IS '等待行重试后变化的原因，只增不改，最新一行有效 / Reasons that changed when a waiting row was tried again; the newest row counts';
COMMENT ON COLUMN events.quarantine_retry.quarantine_id IS '隔离编号 / The quarantined row';
COMMENT ON COLUMN events.quarantine_retry.change_no IS '第几次变化 / Number of the change';
COMMENT ON COLUMN events.quarantine_retry.error_codes IS '全部错误代码 / All error codes';
COMMENT ON COLUMN events.quarantine_retry.messages IS '说明：每个代码一条，中英文 / Messages, one a code, in both languages';
COMMENT ON COLUMN events.quarantine_retry.tried_at IS '重试时间 / When tried';
COMMENT ON COLUMN events.quarantine_open.error_codes IS '全部错误代码，以最近一次重试为准 / All error codes, as of the newest attempt';
COMMENT ON COLUMN events.quarantine_open.messages IS '说明：每个代码一条，中英文，以最近一次重试为准 / Messages, one a code, in both languages, as of the newest attempt';

COMMENT ON VIEW quality.quarantine_open IS '本统筹区尚未解决的隔离行（不含原文，说明中带出错的值） / Quarantined rows still open, of the reader''s regions, without what the source sent but for the values at fault';
COMMENT ON VIEW quality.quarantine_open_amount IS '本统筹区尚未解决的隔离金额：按来源、类别、错误组 / Open quarantine of the reader''s regions by source, family and error group';
COMMENT ON COLUMN quality.quarantine_open_amount.region_code IS '统筹区代码；不可识别时为该来源的各统筹区，-为不明 / Region; unreadable: each region of the source, - for unknown';
COMMENT ON COLUMN quality.quarantine_open_amount.region_readable IS '行上的统筹区是否可识别；否则该行在来源的各统筹区各列一次 / Whether the rows tell their region; if not, they are listed under each region of the source';
COMMENT ON COLUMN quality.quarantine_open_amount.source_system IS '来源系统 / Source system';
COMMENT ON COLUMN quality.quarantine_open_amount.family IS '事件类别 / Event family';
COMMENT ON COLUMN quality.quarantine_open_amount.error_group IS '首个原因的错误组 / Group of the first reason';
COMMENT ON COLUMN quality.quarantine_open_amount.rows IS '行数 / Rows';
COMMENT ON COLUMN quality.quarantine_open_amount.amount IS '应记账金额合计（元） / What the rows would post, yuan';
COMMENT ON COLUMN quality.quarantine_open_amount.rows_without_amount IS '其中金额不可识别的行数 / Of these, rows whose amount is unreadable';
COMMENT ON COLUMN quality.quarantine_open_amount.oldest_at IS '最早隔离时间 / When the oldest was set aside';
COMMENT ON COLUMN quality.quarantine_open_amount.oldest_days IS '最早一行已存在天数（北京日期） / Age of the oldest in days, by Beijing dates';

COMMENT ON FUNCTION events.due_file(date) IS '应到文件及其状态：missing 逾期未到、awaited 未到期、on_time 按时、late 迟到、early 早于期末、unreadable 规则不可读 / Due files and their state: missing, awaited, on_time, late, early (before its period had ended), unreadable rule';
