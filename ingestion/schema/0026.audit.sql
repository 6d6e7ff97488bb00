-- The nightly audit: which checks were made by whom, how far a run of it came, and how long silence may last.
-- depends: 0025.references_by_number

-- One row a step of an audit that has come to its end. An audit without a row of part 'audit' did not get there.
CREATE TABLE quality.audit_step (
    run_id       text        NOT NULL,
    part         text        NOT NULL CHECK (part IN ('log', 'rebuilt', 'checks', 'audit')),
    outcome      text        NOT NULL CHECK (outcome IN ('green', 'red', 'broken')),
    detail       text,                                     -- why it broke, or which regions were frozen
    started_at   timestamptz NOT NULL,
    ended_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, part, ended_at),
    CHECK (outcome <> 'broken' OR detail ~ '\S')
);
CREATE INDEX audit_step_newest ON quality.audit_step (ended_at) WHERE part = 'audit';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON quality.audit_step
    FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
ALTER TABLE quality.audit_step ENABLE ALWAYS TRIGGER append_only;
GRANT INSERT ON quality.audit_step TO fund_quality;
-- Not for readers: its details tell of all regions. The pages say what is theirs.

COMMENT ON TABLE quality.audit_step IS '夜间审计各步骤的结束：每次一行；没有 audit 行即未完成 / Steps of nightly audits that have ended; an audit without a row of part audit did not get to its end';
COMMENT ON COLUMN quality.audit_step.run_id IS '运行编号 / Run';
COMMENT ON COLUMN quality.audit_step.part IS '步骤：log 日志与链头、rebuilt 重算等于增量、checks 全部历史的检查、audit 整个审计 / log and heads, rebuilt = incremental, checks over all history, the audit as a whole';
COMMENT ON COLUMN quality.audit_step.outcome IS '结果：green 通过、red 有不通过、broken 中断未完成 / green, red, or broken: not completed';
COMMENT ON COLUMN quality.audit_step.detail IS '中断原因，或被暂停发布的统筹区 / Why it broke, or which regions were frozen';
COMMENT ON COLUMN quality.audit_step.started_at IS '开始时间 / When begun';
COMMENT ON COLUMN quality.audit_step.ended_at IS '结束时间 / When ended';

-- What a nightly audit has recomputed outside SQL, for its checks to judge: the log's hashes, and the journals of closed months.
-- What it has made anew of the books goes to quality.replay_result and quality.replay_difference, as that of a replay.
CREATE TABLE quality.log_verification (
    run_id       text        NOT NULL,
    region_code  text        NOT NULL,   -- '-' for what belongs to no region
    events       bigint      NOT NULL CHECK (events >= 0),
    batches      bigint      NOT NULL CHECK (batches >= 0),
    found        bigint      NOT NULL CHECK (found >= 0),
    duration_ms  integer     NOT NULL CHECK (duration_ms >= 0),
    verified_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, region_code, verified_at)
);
CREATE TABLE quality.log_finding (
    run_id       text        NOT NULL,
    region_code  text        NOT NULL,
    finding_no   integer     NOT NULL CHECK (finding_no >= 1),
    code         text        NOT NULL CHECK (code IN ('H01', 'H02')),
    kind         text        NOT NULL,
    reason       text        NOT NULL,
    first_seq    bigint,
    last_seq     bigint,
    batch_id     bigint,
    detail       text,
    found_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, region_code, finding_no, found_at)
);
CREATE TABLE quality.closed_journal (
    run_id            text        NOT NULL,
    region_code       text        NOT NULL,
    accounting_month  date        NOT NULL,
    figures_seq       bigint      NOT NULL,
    journal_sha256    text        NOT NULL CHECK (journal_sha256 ~ '^[0-9a-f]{64}$'),
    hashed_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, region_code, accounting_month, hashed_at)
);
DO $$
DECLARE
    recorded text;
BEGIN
    FOREACH recorded IN ARRAY ARRAY['log_verification', 'log_finding', 'closed_journal'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON quality.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change()', recorded);
        EXECUTE format('ALTER TABLE quality.%I ENABLE ALWAYS TRIGGER append_only', recorded);
        EXECUTE format('GRANT INSERT ON quality.%I TO fund_quality', recorded);
        EXECUTE format('GRANT SELECT ON quality.%I TO supervisor_reader', recorded);
        EXECUTE format('ALTER TABLE quality.%I ENABLE ROW LEVEL SECURITY', recorded);
        EXECUTE format('CREATE POLICY pipeline ON quality.%I TO fund_quality, fund_publisher, auditor USING (true) WITH CHECK (true)', recorded);
        EXECUTE format($policy$
            CREATE POLICY region_of_reader ON quality.%I FOR SELECT TO supervisor_reader USING (
                region_code = '-' OR region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
                OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL))
            $policy$, recorded);
    END LOOP;
END
$$;

COMMENT ON TABLE quality.log_verification IS '夜间审计的日志核验：每次、每统筹区一行 / Verifications of the log by nightly audits: one row a run and region';
COMMENT ON COLUMN quality.log_verification.run_id IS '运行编号 / Run';
COMMENT ON COLUMN quality.log_verification.region_code IS '统筹区代码，-为不属于任何统筹区 / Region, - for what belongs to none';
COMMENT ON COLUMN quality.log_verification.events IS '重算哈希的事件数 / Events whose hashes were recomputed';
COMMENT ON COLUMN quality.log_verification.batches IS '核验的批次数 / Batches verified';
COMMENT ON COLUMN quality.log_verification.found IS '发现的异常数 / Findings';
COMMENT ON COLUMN quality.log_verification.duration_ms IS '耗时（毫秒） / Duration, milliseconds';
COMMENT ON COLUMN quality.log_verification.verified_at IS '完成时间 / When done';
COMMENT ON TABLE quality.log_finding IS '日志核验发现的异常 / What verifications of the log have found';
COMMENT ON COLUMN quality.log_finding.run_id IS '运行编号 / Run';
COMMENT ON COLUMN quality.log_finding.region_code IS '统筹区代码，-为不属于任何统筹区 / Region, - for what belongs to none';
COMMENT ON COLUMN quality.log_finding.finding_no IS '序次 / Place';
COMMENT ON COLUMN quality.log_finding.code IS '所属检查：H01 链与链头、H02 内容 / Check it belongs to: H01 chain and heads, H02 contents';
COMMENT ON COLUMN quality.log_finding.kind IS '异常种类 / Kind';
COMMENT ON COLUMN quality.log_finding.reason IS '说明 / In words';
COMMENT ON COLUMN quality.log_finding.first_seq IS '起始序号 / First event';
COMMENT ON COLUMN quality.log_finding.last_seq IS '截止序号 / Last event';
COMMENT ON COLUMN quality.log_finding.batch_id IS '批次号 / Batch';
COMMENT ON COLUMN quality.log_finding.detail IS '细节 / Detail';
COMMENT ON COLUMN quality.log_finding.found_at IS '发现时间 / When found';
COMMENT ON TABLE quality.closed_journal IS '夜间审计重算的已关账月份账簿摘要 / Journals of closed months as hashed anew by nightly audits';
COMMENT ON COLUMN quality.closed_journal.run_id IS '运行编号 / Run';
COMMENT ON COLUMN quality.closed_journal.region_code IS '统筹区代码 / Region';
COMMENT ON COLUMN quality.closed_journal.accounting_month IS '会计月份 / Accounting month';
COMMENT ON COLUMN quality.closed_journal.figures_seq IS '关账时的序号 / Seq that was signed';
COMMENT ON COLUMN quality.closed_journal.journal_sha256 IS '重算的摘要 / Hash recomputed';
COMMENT ON COLUMN quality.closed_journal.hashed_at IS '重算时间 / When hashed';
