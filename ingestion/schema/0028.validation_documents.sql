-- What Great Expectations returned for the newest checks, whole, for the technical pages that are made of it.
-- depends: 0027.notifications

-- The evidence is quality.check_result and quality.finding, which nobody changes. This is their long form, and old ones go.
CREATE TABLE quality.validation_document (
    run_id        text        NOT NULL,
    region_code   text        NOT NULL,
    suite         text        NOT NULL,
    head_seq      bigint      NOT NULL,
    validated_at  timestamptz NOT NULL,
    success       boolean     NOT NULL,
    document      jsonb       NOT NULL,
    PRIMARY KEY (region_code, run_id, suite)
);

-- Supervisors read the pages: here no region is kept from another's eyes.
GRANT INSERT, DELETE ON quality.validation_document TO fund_quality;

COMMENT ON TABLE quality.validation_document IS '每统筹区最近几次检查的 Great Expectations 结果全文，一个套件一行，不含个人信息；过期的由检查删除，证据在 check_result 与 finding / Whole results of Great Expectations of each region''s newest checks, one row a suite, without personal data; checks drop the old ones, the evidence is check_result and finding';
COMMENT ON COLUMN quality.validation_document.run_id IS '运行编号 / The run';
COMMENT ON COLUMN quality.validation_document.region_code IS '统筹区代码 / Region';
COMMENT ON COLUMN quality.validation_document.suite IS '检查套件 / Suite of checks';
COMMENT ON COLUMN quality.validation_document.head_seq IS '所检查的候选序号 / Head of the candidate that was checked';
COMMENT ON COLUMN quality.validation_document.validated_at IS '检查时间（世界时） / When it was checked, UTC';
COMMENT ON COLUMN quality.validation_document.success IS '套件内检查是否全部通过（提示也算未通过） / Whether every check of the suite passed; a warning counts as not passed';
COMMENT ON COLUMN quality.validation_document.document IS 'Great Expectations 的结果（ExpectationSuiteValidationResult 的 JSON；所列问题至多 20 行） / The result as Great Expectations serializes it; at most 20 listed rows a check';
