-- Freezes of publication: set by the nightly audit or by a named person, lifted by a named person with a reason.
-- depends: 0021.findings

-- One row an act, never changed: the newest row of a region says whether it is frozen.
CREATE TABLE quality.publication_freeze (
    freeze_id    bigint      NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    region_code  text        NOT NULL CHECK (region_code ~ '^[0-9]{6}$'),
    action       text        NOT NULL CHECK (action IN ('freeze', 'lift')),
    run_id       text,                                    -- the audit that froze it; null when a person acted
    acted_by     text        NOT NULL CHECK (acted_by ~ '\S'),
    reason       text        NOT NULL CHECK (reason ~ '\S'),
    codes        text[]      NOT NULL DEFAULT '{}',       -- checks that had failed at that moment, also when it was lifted
    account      name        NOT NULL DEFAULT session_user,
    acted_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (action = 'freeze' OR run_id IS NULL),
    CHECK (run_id IS NULL OR cardinality(codes) >= 1)
);
CREATE INDEX publication_freeze_newest ON quality.publication_freeze (region_code, freeze_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON quality.publication_freeze
    FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
ALTER TABLE quality.publication_freeze ENABLE ALWAYS TRIGGER append_only;

-- The audit may freeze; only who publishes may lift.
GRANT INSERT ON quality.publication_freeze TO fund_quality, fund_publisher;
GRANT SELECT ON quality.publication_freeze TO supervisor_reader;
ALTER TABLE quality.publication_freeze ENABLE ROW LEVEL SECURITY;
CREATE POLICY pipeline ON quality.publication_freeze FOR SELECT TO fund_quality, fund_publisher, auditor USING (true);
CREATE POLICY freezes ON quality.publication_freeze FOR INSERT TO fund_quality WITH CHECK (action = 'freeze');
CREATE POLICY freezes_and_lifts ON quality.publication_freeze FOR INSERT TO fund_publisher WITH CHECK (true);
CREATE POLICY region_of_reader ON quality.publication_freeze FOR SELECT TO supervisor_reader USING (
    region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
    OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL));

CREATE VIEW quality.frozen_region WITH (security_barrier = true) AS
SELECT newest.region_code, newest.acted_at AS frozen_at, newest.acted_by AS frozen_by, newest.reason, newest.run_id, newest.codes
FROM (
    SELECT DISTINCT ON (f.region_code) f.*
    FROM quality.publication_freeze AS f
    ORDER BY f.region_code, f.freeze_id DESC
) AS newest
WHERE newest.action = 'freeze'
    AND (newest.region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
        OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL));
GRANT SELECT ON quality.frozen_region TO supervisor_reader;

COMMENT ON TABLE quality.publication_freeze IS '暂停发布与恢复：每次操作一行，只增不改 / Freezes of publication and their lifts: one row an act, never changed';
COMMENT ON COLUMN quality.publication_freeze.freeze_id IS '编号，按先后 / Number, in order';
COMMENT ON COLUMN quality.publication_freeze.region_code IS '统筹区代码 / Region';
COMMENT ON COLUMN quality.publication_freeze.action IS '操作：freeze 暂停、lift 恢复 / freeze or lift';
COMMENT ON COLUMN quality.publication_freeze.run_id IS '作出暂停的夜间审计运行；人工操作时为空 / Nightly audit that froze it; null when a person acted';
COMMENT ON COLUMN quality.publication_freeze.acted_by IS '操作人，夜间审计为 nightly audit / Who acted; nightly audit for the audit itself';
COMMENT ON COLUMN quality.publication_freeze.reason IS '原因 / Reason';
COMMENT ON COLUMN quality.publication_freeze.codes IS '当时未通过的检查；恢复时也记录 / Checks that had failed at that moment, recorded with a lift as well';
COMMENT ON COLUMN quality.publication_freeze.account IS '数据库账号 / Database account';
COMMENT ON COLUMN quality.publication_freeze.acted_at IS '操作时间 / When acted';
COMMENT ON VIEW quality.frozen_region IS '当前暂停发布的统筹区 / Regions whose publication is frozen now';
COMMENT ON COLUMN quality.frozen_region.region_code IS '统筹区代码 / Region';
COMMENT ON COLUMN quality.frozen_region.frozen_at IS '最近一次暂停时间 / When frozen last';
COMMENT ON COLUMN quality.frozen_region.frozen_by IS '暂停人，夜间审计为 nightly audit / Who froze it; nightly audit for the audit itself';
COMMENT ON COLUMN quality.frozen_region.reason IS '原因 / Reason';
COMMENT ON COLUMN quality.frozen_region.run_id IS '作出暂停的夜间审计运行；人工操作时为空 / Nightly audit that froze it; null when a person acted';
COMMENT ON COLUMN quality.frozen_region.codes IS '当时未通过的检查 / Checks that had failed';
