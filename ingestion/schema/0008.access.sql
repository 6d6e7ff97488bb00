-- Who reads which region: grants of regions to readers, the same bound on the tables of the checks, and what supervisors
-- see of files and of rows set aside. The marts take the bound from access.my_region (macro ledger_head).
-- depends: 0007.comments

CREATE SCHEMA access;

-- Who may read which region, from when to when. A row is closed when the right ends, never removed: who could see what, and
-- when, can be told years later. The role is kept by name and by identity: a right ends with the very role it was given to,
-- and a role made later under the same name inherits nothing.
CREATE TABLE access.region_grant (
    reader       name        NOT NULL,
    reader_role  regrole     NOT NULL,
    region_code  text        CHECK (region_code ~ '^[0-9]{6}$'),   -- null: all regions
    granted_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    granted_by   name        NOT NULL DEFAULT session_user,
    revoked_at   timestamptz,
    revoked_by   name,
    UNIQUE NULLS NOT DISTINCT (reader, region_code, granted_at),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
    CHECK (revoked_at >= granted_at)
);
CREATE UNIQUE INDEX region_grant_valid ON access.region_grant (reader, region_code) NULLS NOT DISTINCT WHERE revoked_at IS NULL;

CREATE FUNCTION access.allow_revocation_only() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF old.revoked_at IS NOT NULL OR new.revoked_at IS NULL
        OR (new.reader, new.reader_role, new.granted_at, new.granted_by) IS DISTINCT FROM (old.reader, old.reader_role, old.granted_at, old.granted_by)
        OR new.region_code IS DISTINCT FROM old.region_code THEN
        RAISE EXCEPTION 'a region grant can only be revoked, once' USING ERRCODE = 'restrict_violation',
            HINT = 'Set revoked_at and revoked_by; grant anew as a new row.';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER revocation_only BEFORE UPDATE ON access.region_grant
    FOR EACH ROW EXECUTE FUNCTION access.allow_revocation_only();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON access.region_grant
    FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
ALTER TABLE access.region_grant ENABLE ALWAYS TRIGGER revocation_only;
ALTER TABLE access.region_grant ENABLE ALWAYS TRIGGER append_only;

-- Regions that the current user may read; a row with null means all. In a view current_user is whoever asks, also in views
-- over this one. The barrier keeps the reader's own functions away from the rows of others.
CREATE VIEW access.my_region WITH (security_barrier = true) AS
SELECT g.region_code
FROM access.region_grant AS g
WHERE g.revoked_at IS NULL
    AND pg_get_userbyid(g.reader_role::oid) = g.reader
    AND pg_has_role(g.reader_role::oid, 'USAGE')
UNION
SELECT NULL
WHERE pg_has_role('fund_ingest', 'USAGE') OR pg_has_role('fund_transform', 'USAGE') OR pg_has_role('fund_quality', 'USAGE')
    OR pg_has_role('fund_publisher', 'USAGE') OR pg_has_role('auditor', 'USAGE')
    OR pg_has_role((SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = 'access.region_grant'::regclass), 'USAGE');

GRANT USAGE ON SCHEMA access TO fund_transform, fund_quality, fund_publisher, auditor, finance_reader, supervisor_reader;
GRANT SELECT ON access.my_region TO fund_transform, fund_quality, fund_publisher, auditor, finance_reader, supervisor_reader;
GRANT SELECT ON access.region_grant TO auditor;

-- What the checks have written: the pipeline as before, supervisors their regions and what belongs to none ('-').
DO $$
DECLARE
    bound text;
BEGIN
    FOREACH bound IN ARRAY ARRAY['check_result', 'finding', 'publication_decision'] LOOP
        EXECUTE format('ALTER TABLE quality.%I ENABLE ROW LEVEL SECURITY', bound);
        EXECUTE format('CREATE POLICY pipeline ON quality.%I TO fund_quality, fund_publisher, auditor USING (true) WITH CHECK (true)', bound);
        EXECUTE format($policy$
            CREATE POLICY region_of_reader ON quality.%I FOR SELECT TO supervisor_reader USING (
                region_code = '-' OR region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
                OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL))
            $policy$, bound);
    END LOOP;
END
$$;

-- Marts made before this migration know nothing of regions: nobody reads them until the models are deployed again, which
-- grants them anew. And nothing made later in these schemas is open to readers by default.
SET LOCAL ROLE fund_transform;
REVOKE SELECT ON ALL TABLES IN SCHEMA marts FROM finance_reader, supervisor_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA marts REVOKE SELECT ON TABLES FROM finance_reader, supervisor_reader;
RESET ROLE;
ALTER DEFAULT PRIVILEGES IN SCHEMA quality REVOKE SELECT ON TABLES FROM supervisor_reader;

-- Which regions a source has ever sent: what can't be attributed to a region is theirs to look into.
CREATE VIEW events.source_region AS
SELECT DISTINCT f.source_system, b.region_code
FROM events.batch AS b
INNER JOIN events.file_registry AS f ON f.file_id = b.file_id;

CREATE VIEW quality.quarantine_open WITH (security_barrier = true) AS
WITH attributed AS (
    SELECT
        coalesce(q.region_code, s.region_code, '-') AS region_code,
        q.quarantine_id, q.source_system, f.file_name, q.line_no, q.family, q.source_event_key, q.error_codes, q.messages,
        q.amount, q.quarantined_at
    FROM events.quarantine_open AS q
    INNER JOIN events.file_registry AS f ON f.file_id = q.file_id
    LEFT JOIN events.source_region AS s ON q.region_code IS NULL AND s.source_system = q.source_system
)
SELECT a.*
FROM attributed AS a
WHERE a.region_code = '-' OR a.region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
    OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL);

CREATE VIEW quality.arrived_file WITH (security_barrier = true) AS
WITH in_log AS (
    SELECT b.region_code, b.file_id, sum(b.last_seq - b.first_seq + 1)::bigint AS loaded
    FROM events.batch AS b
    WHERE b.file_id IS NOT NULL
    GROUP BY b.region_code, b.file_id
),
set_aside AS (
    SELECT
        coalesce(q.region_code, s.region_code, '-') AS region_code, q.file_id,
        count(*) AS quarantined,
        count(*) FILTER (WHERE r.quarantine_id IS NULL) AS still_open,
        sum(q.amount) FILTER (WHERE r.quarantine_id IS NULL) AS open_amount
    FROM events.quarantine AS q
    LEFT JOIN events.quarantine_resolution AS r ON r.quarantine_id = q.quarantine_id
    LEFT JOIN events.source_region AS s ON q.region_code IS NULL AND s.source_system = q.source_system
    GROUP BY 1, 2
),
region_file AS (
    SELECT l.region_code, l.file_id FROM in_log AS l
    UNION
    SELECT a.region_code, a.file_id FROM set_aside AS a
),
-- A file without a row of any region (rejected, duplicate, still being written) is shown to every region of its source.
attributed AS (
    SELECT coalesce(p.region_code, s.region_code, '-') AS region_code, f.*
    FROM events.file AS f
    LEFT JOIN region_file AS p ON p.file_id = f.file_id
    LEFT JOIN events.source_region AS s ON p.region_code IS NULL AND s.source_system = f.source_system
)
SELECT
    t.region_code, t.source_system, t.file_name, t.sha256, t.family, t.state, t.error_code, t.error_message,
    t.first_seen_at, t.finished_at,
    coalesce(l.loaded, 0) AS loaded,
    coalesce(a.quarantined, 0) AS quarantined,
    coalesce(a.still_open, 0) AS still_open,
    coalesce(a.open_amount, 0)::numeric(24, 2) AS open_amount
FROM attributed AS t
LEFT JOIN in_log AS l ON l.region_code = t.region_code AND l.file_id = t.file_id
LEFT JOIN set_aside AS a ON a.region_code = t.region_code AND a.file_id = t.file_id
WHERE t.region_code = '-' OR t.region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
    OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL);

GRANT SELECT ON quality.quarantine_open, quality.arrived_file TO supervisor_reader;

COMMENT ON SCHEMA access IS '读者可读的统筹区 / Which regions each reader may read';
COMMENT ON TABLE access.region_grant IS '读者的统筹区权限：只增加和撤销，不删除 / Regions granted to readers: granted and revoked, never removed';
COMMENT ON COLUMN access.region_grant.reader IS '账号或用户组名称 / Login or group role';
COMMENT ON COLUMN access.region_grant.reader_role IS '该账号本身；同名新账号不继承 / The role itself; a new one of the same name inherits nothing';
COMMENT ON COLUMN access.region_grant.region_code IS '统筹区代码，空为全部 / Region, null for all';
COMMENT ON COLUMN access.region_grant.granted_at IS '授予时间 / When granted';
COMMENT ON COLUMN access.region_grant.granted_by IS '授予人 / Granted by';
COMMENT ON COLUMN access.region_grant.revoked_at IS '撤销时间，有效时为空 / When revoked, null while valid';
COMMENT ON COLUMN access.region_grant.revoked_by IS '撤销人 / Revoked by';
COMMENT ON VIEW access.my_region IS '当前用户可读的统筹区 / Regions that the current user may read';
COMMENT ON COLUMN access.my_region.region_code IS '统筹区代码，空为全部 / Region, null for all';
COMMENT ON FUNCTION access.allow_revocation_only() IS '权限记录只能撤销一次 / A grant can only be revoked, once';

COMMENT ON VIEW events.source_region IS '各来源系统报送过的统筹区 / Regions that a source has ever sent';
COMMENT ON COLUMN events.source_region.source_system IS '来源系统 / Source system';
COMMENT ON COLUMN events.source_region.region_code IS '统筹区代码 / Region';

COMMENT ON VIEW quality.quarantine_open IS '本统筹区尚未解决的隔离行（不含原文） / Quarantined rows still open, of the reader''s regions, without what the source sent';
COMMENT ON COLUMN quality.quarantine_open.region_code IS '统筹区代码；不可识别时为该来源的各统筹区，-为不明 / Region; unreadable: each region of the source, - for unknown';
COMMENT ON COLUMN quality.quarantine_open.quarantine_id IS '隔离编号 / Number';
COMMENT ON COLUMN quality.quarantine_open.source_system IS '来源系统 / Source system';
COMMENT ON COLUMN quality.quarantine_open.file_name IS '文件名 / Name of the file';
COMMENT ON COLUMN quality.quarantine_open.line_no IS '物理行号 / Physical line';
COMMENT ON COLUMN quality.quarantine_open.family IS '事件类别 / Event family';
COMMENT ON COLUMN quality.quarantine_open.source_event_key IS '来源业务编号 / Key given by the source';
COMMENT ON COLUMN quality.quarantine_open.error_codes IS '全部错误代码 / All error codes';
COMMENT ON COLUMN quality.quarantine_open.messages IS '说明：每个代码一条，中英文 / Messages, one a code, in both languages';
COMMENT ON COLUMN quality.quarantine_open.amount IS '该行应记账金额（元），不可识别时为空 / What the row would post, yuan; null where unreadable';
COMMENT ON COLUMN quality.quarantine_open.quarantined_at IS '隔离时间 / When quarantined';

COMMENT ON VIEW quality.arrived_file IS '已到文件：每个统筹区、文件一行，只计本统筹区的行 / Files that have come: one row a region and file, counting that region''s rows only';
COMMENT ON COLUMN quality.arrived_file.region_code IS '统筹区代码；文件无任何统筹区的行时为该来源的各统筹区，-为不明 / Region; of a file without rows of any: each region of its source, - for unknown';
COMMENT ON COLUMN quality.arrived_file.source_system IS '来源系统 / Source system';
COMMENT ON COLUMN quality.arrived_file.file_name IS '文件名 / Name of the file';
COMMENT ON COLUMN quality.arrived_file.sha256 IS '内容摘要 / Hash of the bytes';
COMMENT ON COLUMN quality.arrived_file.family IS '事件类别 / Event family';
COMMENT ON COLUMN quality.arrived_file.state IS '状态 / waiting, loaded, rejected or duplicate_file';
COMMENT ON COLUMN quality.arrived_file.error_code IS '拒收代码 / Code of the rejection';
COMMENT ON COLUMN quality.arrived_file.error_message IS '拒收说明 / What to fix';
COMMENT ON COLUMN quality.arrived_file.first_seen_at IS '首次发现时间 / When first seen';
COMMENT ON COLUMN quality.arrived_file.finished_at IS '完成时间 / When decided';
COMMENT ON COLUMN quality.arrived_file.loaded IS '本统筹区已入日志行数 / Rows of the region in the log';
COMMENT ON COLUMN quality.arrived_file.quarantined IS '本统筹区曾隔离行数 / Rows of the region ever set aside';
COMMENT ON COLUMN quality.arrived_file.still_open IS '其中未解决行数 / Of these still open';
COMMENT ON COLUMN quality.arrived_file.open_amount IS '未解决行金额（元） / Amount of the open rows, yuan';
