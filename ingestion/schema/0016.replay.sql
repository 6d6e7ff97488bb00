-- What a replay of the books has found, and what was decided on it: rebuilt = incremental, row for row.
-- depends: 0015.signoff

-- One row a run, region and relation, those without a difference too: a comparison that did not happen leaves no row.
CREATE TABLE quality.replay_result (
    run_id             text        NOT NULL,
    region_code        text        NOT NULL,   -- '-' for what belongs to no region
    relation           text        NOT NULL,   -- ledger.journal_line, marts.trial_balance ...
    head_seq           bigint      NOT NULL CHECK (head_seq >= 0),
    live_rows          bigint      NOT NULL CHECK (live_rows >= 0),
    replayed_rows      bigint      NOT NULL CHECK (replayed_rows >= 0),
    live_only_rows     bigint      NOT NULL CHECK (live_only_rows >= 0),
    replayed_only_rows bigint      NOT NULL CHECK (replayed_only_rows >= 0),
    problem            text,                   -- why rows could not be compared at all
    success            boolean     NOT NULL GENERATED ALWAYS AS
        (live_only_rows = 0 AND replayed_only_rows = 0 AND problem IS NULL) STORED,
    started_at         timestamptz NOT NULL,
    duration_ms        integer     NOT NULL CHECK (duration_ms >= 0),
    PRIMARY KEY (run_id, region_code, relation, started_at)
);
CREATE INDEX replay_result_trend ON quality.replay_result (region_code, relation, started_at);

CREATE TABLE quality.replay_difference (
    run_id         text        NOT NULL,
    region_code    text        NOT NULL,
    relation       text        NOT NULL,
    side           text        NOT NULL CHECK (side IN ('live_only', 'replayed_only')),
    difference_no  integer     NOT NULL CHECK (difference_no >= 1),
    entry_id       text,
    event_seq      bigint,
    amount         numeric(24, 2),
    item           jsonb       NOT NULL,
    found_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, region_code, relation, side, difference_no, found_at)
);

-- How a replay ended. A swap and its row are of one transaction.
CREATE TABLE quality.replay_outcome (
    run_id               text        NOT NULL,
    outcome              text        NOT NULL CHECK (outcome IN ('equal', 'different', 'swapped', 'refused')),
    code_sha256          text        NOT NULL,
    compared_relations   integer     NOT NULL CHECK (compared_relations >= 1),
    different_relations  integer     NOT NULL CHECK (different_relations BETWEEN 0 AND compared_relations),
    accepted_reason      text        CHECK (accepted_reason ~ '\S'),   -- differences were seen and accepted for this reason
    decided_by           name        NOT NULL DEFAULT session_user,
    started_at           timestamptz NOT NULL,
    decided_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, decided_at),
    CHECK (outcome <> 'equal' OR different_relations = 0),
    CHECK (outcome <> 'swapped' OR different_relations = 0 OR accepted_reason IS NOT NULL)
);

DO $$
DECLARE
    recorded text;
BEGIN
    FOREACH recorded IN ARRAY ARRAY['replay_result', 'replay_difference', 'replay_outcome'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON quality.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change()', recorded);
        EXECUTE format('ALTER TABLE quality.%I ENABLE ALWAYS TRIGGER append_only', recorded);
        EXECUTE format('GRANT INSERT ON quality.%I TO fund_quality', recorded);
        EXECUTE format('GRANT SELECT ON quality.%I TO supervisor_reader', recorded);
    END LOOP;
    FOREACH recorded IN ARRAY ARRAY['replay_result', 'replay_difference'] LOOP
        EXECUTE format('ALTER TABLE quality.%I ENABLE ROW LEVEL SECURITY', recorded);
        EXECUTE format('CREATE POLICY pipeline ON quality.%I TO fund_quality, fund_publisher, auditor USING (true) WITH CHECK (true)', recorded);
    END LOOP;
END
$$;

-- Of what belongs to no region, everybody sees whether and how many rows differ. The rows themselves hold figures of several
-- regions together (consolidated statements): they are for who may read all of them.
CREATE POLICY region_of_reader ON quality.replay_result FOR SELECT TO supervisor_reader USING (
    region_code = '-' OR region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
    OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL));
CREATE POLICY region_of_reader ON quality.replay_difference FOR SELECT TO supervisor_reader USING (
    region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
    OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL));

COMMENT ON TABLE quality.replay_result IS '重放比较结果：每次重放、统筹区、表一行，一致的也记录 / Results of replays: one row a run, region and relation, equal ones too';
COMMENT ON COLUMN quality.replay_result.run_id IS '运行编号 / Run';
COMMENT ON COLUMN quality.replay_result.region_code IS '统筹区代码，-为不属于任何统筹区 / Region, - for what belongs to none';
COMMENT ON COLUMN quality.replay_result.relation IS '被比较的表或视图 / Table or view compared';
COMMENT ON COLUMN quality.replay_result.head_seq IS '比较到的序号：账簿为已构建，报表为已发布 / Seq compared up to: built for the ledger, published for marts';
COMMENT ON COLUMN quality.replay_result.live_rows IS '现行账簿行数 / Rows of the live books';
COMMENT ON COLUMN quality.replay_result.replayed_rows IS '重放账簿行数 / Rows of the replayed books';
COMMENT ON COLUMN quality.replay_result.live_only_rows IS '仅现行账簿有的行数 / Rows that only the live books have';
COMMENT ON COLUMN quality.replay_result.replayed_only_rows IS '仅重放账簿有的行数 / Rows that only the replayed books have';
COMMENT ON COLUMN quality.replay_result.problem IS '无法比较的原因 / Why rows could not be compared';
COMMENT ON COLUMN quality.replay_result.success IS '是否逐行一致 / Whether they are equal row for row';
COMMENT ON COLUMN quality.replay_result.started_at IS '开始时间 / When begun';
COMMENT ON COLUMN quality.replay_result.duration_ms IS '耗时（毫秒） / Duration, milliseconds';
COMMENT ON TABLE quality.replay_difference IS '重放差异明细：每表每侧的前若干行 / Differences found by replays: the first rows of each relation and side';
COMMENT ON COLUMN quality.replay_difference.run_id IS '运行编号 / Run';
COMMENT ON COLUMN quality.replay_difference.region_code IS '统筹区代码，-为不属于任何统筹区 / Region, - for what belongs to none';
COMMENT ON COLUMN quality.replay_difference.relation IS '表或视图 / Table or view';
COMMENT ON COLUMN quality.replay_difference.side IS 'live_only 仅现行账簿有，replayed_only 仅重放账簿有 / Which books alone have the row';
COMMENT ON COLUMN quality.replay_difference.difference_no IS '序次 / Place';
COMMENT ON COLUMN quality.replay_difference.entry_id IS '分录编号 / Entry';
COMMENT ON COLUMN quality.replay_difference.event_seq IS '事件序号 / Event';
COMMENT ON COLUMN quality.replay_difference.amount IS '金额（元），借方为正 / Amount in yuan, debit positive';
COMMENT ON COLUMN quality.replay_difference.item IS '整行内容 / The whole row';
COMMENT ON COLUMN quality.replay_difference.found_at IS '发现时间 / When found';
COMMENT ON TABLE quality.replay_outcome IS '重放结论：每次重放一行；替换与其记录在同一事务 / How replays ended; a swap and its row are of one transaction';
COMMENT ON COLUMN quality.replay_outcome.run_id IS '运行编号 / Run';
COMMENT ON COLUMN quality.replay_outcome.outcome IS 'equal 一致，different 不一致，swapped 已替换，refused 拒绝替换 / How it ended';
COMMENT ON COLUMN quality.replay_outcome.code_sha256 IS '重放所用模型代码的摘要 / Hash of the models'' code that was used';
COMMENT ON COLUMN quality.replay_outcome.compared_relations IS '比较的表与视图数 / Relations compared';
COMMENT ON COLUMN quality.replay_outcome.different_relations IS '不一致的表与视图数 / Relations that differ';
COMMENT ON COLUMN quality.replay_outcome.accepted_reason IS '接受差异的理由 / Reason for which differences were accepted';
COMMENT ON COLUMN quality.replay_outcome.decided_by IS '数据库用户 / Database user';
COMMENT ON COLUMN quality.replay_outcome.started_at IS '重放开始时间 / When the replay began';
COMMENT ON COLUMN quality.replay_outcome.decided_at IS '结论时间 / When decided';
