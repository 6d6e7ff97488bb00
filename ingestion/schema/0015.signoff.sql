-- Schema `signoff`: what people decide on the books. Requests to close a month with what the approver reads, the decisions,
-- what was signed, and the review of vouchers. Kept beside the books: a rebuild of the books leaves it as it is.
-- depends: 0014.ledger_guards

-- People who review vouchers have this role beside that of a finance reader. Roles belong to the cluster and may already exist.
DO $$
BEGIN
    BEGIN
        CREATE ROLE voucher_reviewer NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- made by another database of this cluster
    END;
    BEGIN
        GRANT voucher_reviewer TO CURRENT_USER;
    EXCEPTION WHEN insufficient_privilege THEN
        IF NOT pg_has_role(current_user, 'voucher_reviewer', 'MEMBER') THEN
            RAISE EXCEPTION 'role voucher_reviewer exists and % may not use it', current_user
                USING HINT = format('as an administrator: GRANT voucher_reviewer TO %I WITH ADMIN OPTION', current_user);
        END IF;
    END;
END
$$;

CREATE SCHEMA signoff;

-- One row a request to close a month: what was checked, up to where, and the hashes of what the approver reads.
CREATE TABLE signoff.close_request (
    request_id             text        NOT NULL PRIMARY KEY,
    region_code            text        NOT NULL CHECK (region_code ~ '^[0-9]{6}$'),
    accounting_month       date        NOT NULL CHECK (extract(day FROM accounting_month) = 1),
    attempt_no             integer     NOT NULL CHECK (attempt_no >= 1),
    prepared_by            text        NOT NULL CHECK (prepared_by ~ '\S'),
    requested_by           text        NOT NULL CHECK (requested_by ~ '\S'),
    prepared_at            timestamptz NOT NULL,
    checks_run_id          text        NOT NULL,
    checked_seq            bigint      NOT NULL CHECK (checked_seq >= 1),
    batch_hash             bytea       NOT NULL,
    rules_sha256           text        NOT NULL CHECK (rules_sha256 ~ '^[0-9a-f]{64}$'),
    report_sha256          text        NOT NULL CHECK (report_sha256 ~ '^[0-9a-f]{64}$'),
    journal_sha256         text        NOT NULL CHECK (journal_sha256 ~ '^[0-9a-f]{64}$'),
    trial_balance_sha256   text        NOT NULL CHECK (trial_balance_sha256 ~ '^[0-9a-f]{64}$'),
    statement_sha256       text        NOT NULL CHECK (statement_sha256 ~ '^[0-9a-f]{64}$'),
    balance_sheet_sha256   text        NOT NULL CHECK (balance_sheet_sha256 ~ '^[0-9a-f]{64}$'),
    ledger_sha256          text        NOT NULL CHECK (ledger_sha256 ~ '^[0-9a-f]{64}$'),
    UNIQUE (region_code, accounting_month, attempt_no)
);

CREATE TABLE signoff.checklist_item (
    request_id         text           NOT NULL REFERENCES signoff.close_request,
    item_no            integer        NOT NULL CHECK (item_no >= 1),
    kind               text           NOT NULL CHECK (kind IN ('requirement', 'attention', 'comparison')),
    code               text           NOT NULL,
    fund_code          text,
    outcome            text           NOT NULL CHECK (outcome IN ('ok', 'attention', 'waivable', 'blocked', 'info')),
    title_zh           text           NOT NULL,
    title_en           text           NOT NULL,
    detail             text,
    item_count         bigint,
    amount             numeric(18, 2),
    amount_last_month  numeric(18, 2),
    amount_last_year   numeric(18, 2),
    PRIMARY KEY (request_id, item_no)
);

-- The files that the approver reads, byte for byte.
CREATE TABLE signoff.draft_report (
    request_id  text   NOT NULL REFERENCES signoff.close_request,
    file_name   text   NOT NULL CHECK (file_name ~ '^[A-Za-z0-9._-]+$'),
    content     bytea  NOT NULL,
    sha256      text   NOT NULL CHECK (sha256 = encode(sha256(content), 'hex')),
    PRIMARY KEY (request_id, file_name)
);

-- What was decided on a request. An approval may be void: the books have moved, or the approver is the preparer.
CREATE TABLE signoff.decision (
    request_id   text        NOT NULL REFERENCES signoff.close_request,
    decision_no  integer     NOT NULL CHECK (decision_no >= 1),
    decision     text        NOT NULL CHECK (decision IN ('approved', 'rejected', 'timed_out', 'void')),
    decided_by   text,
    decided_at   timestamptz NOT NULL,
    reason       text,
    account      text        NOT NULL CHECK (account ~ '\S'),
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (request_id, decision_no),
    CHECK (coalesce(decided_by, '') ~ '\S' OR decision IN ('timed_out', 'void'))
);

-- The month's figures at its close. Written before the event, whose ledger_sha256 is the hash over the four others.
CREATE TABLE signoff.closing_figures (
    request_id             text        NOT NULL PRIMARY KEY REFERENCES signoff.close_request,
    region_code            text        NOT NULL,
    accounting_month       date        NOT NULL,
    figures_seq            bigint      NOT NULL CHECK (figures_seq >= 1),
    journal_sha256         text        NOT NULL CHECK (journal_sha256 ~ '^[0-9a-f]{64}$'),
    trial_balance_sha256   text        NOT NULL CHECK (trial_balance_sha256 ~ '^[0-9a-f]{64}$'),
    statement_sha256       text        NOT NULL CHECK (statement_sha256 ~ '^[0-9a-f]{64}$'),
    balance_sheet_sha256   text        NOT NULL CHECK (balance_sheet_sha256 ~ '^[0-9a-f]{64}$'),
    ledger_sha256          text        NOT NULL CHECK (ledger_sha256 = encode(sha256(convert_to(
        journal_sha256 || E'\n' || trial_balance_sha256 || E'\n' || statement_sha256 || E'\n' || balance_sheet_sha256, 'UTF8')), 'hex')),
    recorded_at            timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX closing_figures_month ON signoff.closing_figures (region_code, accounting_month);

-- One row a closed month: the close is complete. The files are those of the request, by report_sha256.
CREATE TABLE signoff.signed_report (
    region_code       text        NOT NULL,
    accounting_month  date        NOT NULL,
    request_id        text        NOT NULL UNIQUE REFERENCES signoff.close_request,
    closed_seq        bigint      NOT NULL,
    published_seq     bigint      NOT NULL,
    batch_hash        bytea       NOT NULL,
    report_sha256     text        NOT NULL CHECK (report_sha256 ~ '^[0-9a-f]{64}$'),
    ledger_sha256     text        NOT NULL CHECK (ledger_sha256 ~ '^[0-9a-f]{64}$'),
    signed_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (region_code, accounting_month)
);
CREATE TABLE signoff.signed_file (
    region_code       text   NOT NULL,
    accounting_month  date   NOT NULL,
    file_name         text   NOT NULL CHECK (file_name ~ '^[A-Za-z0-9._-]+$'),
    content           bytea  NOT NULL,
    sha256            text   NOT NULL CHECK (sha256 = encode(sha256(content), 'hex')),
    PRIMARY KEY (region_code, accounting_month, file_name),
    FOREIGN KEY (region_code, accounting_month) REFERENCES signoff.signed_report
);

-- Review of vouchers, beside them: the newest row of a voucher counts. Who reviews is who is logged in, never what is said.
CREATE TABLE signoff.voucher_review (
    region_code       text           NOT NULL,
    fund_code         text           NOT NULL,
    accounting_month  date           NOT NULL,
    voucher_no        integer        NOT NULL,
    review_no         integer        NOT NULL CHECK (review_no >= 1),
    outcome           text           NOT NULL DEFAULT 'passed' CHECK (outcome IN ('passed', 'objected')),
    reason            text,
    reviewed_by       text           NOT NULL,
    reviewed_at       timestamptz    NOT NULL,
    entry_count       bigint         NOT NULL,
    debit_amount      numeric(18, 2) NOT NULL,
    PRIMARY KEY (region_code, fund_code, accounting_month, voucher_no, review_no),
    CHECK (coalesce(reason, '') ~ '\S' OR (review_no = 1 AND outcome = 'passed'))
);

-- Runs with the reviewer's own rights: a voucher that the reviewer can't see can't be reviewed.
CREATE FUNCTION signoff.fill_review() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    seen record;
BEGIN
    IF pg_has_role(session_user, 'fund_ingest', 'MEMBER') OR pg_has_role(session_user, 'fund_transform', 'MEMBER')
        OR pg_has_role(session_user, 'fund_quality', 'MEMBER') OR pg_has_role(session_user, 'fund_publisher', 'MEMBER') THEN
        RAISE EXCEPTION 'E-REVIEW-PREPARER 凭证由流水线账号制单，不得由其复核，请以本人账号登录 [%] / vouchers are prepared by the pipeline''s accounts, which may not review them: log in under your own account',
            session_user USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(
        concat_ws('/', 'merged_fund.review', new.region_code, new.fund_code, new.accounting_month, new.voucher_no), 0));
    SELECT v.entry_count, v.debit_amount INTO seen
    FROM marts.voucher AS v
    WHERE v.region_code = new.region_code AND v.fund_code = new.fund_code
        AND v.accounting_month = new.accounting_month AND v.voucher_no = new.voucher_no;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'E-REVIEW-VOUCHER 没有已发布的该凭证，请核对统筹区、基金、月份和凭证号 [% % % %] / there is no such published voucher: check region, fund, month and number',
            new.region_code, new.fund_code, to_char(new.accounting_month, 'YYYY-MM'), new.voucher_no USING ERRCODE = 'no_data_found';
    END IF;
    SELECT coalesce(max(r.review_no), 0) + 1 INTO new.review_no
    FROM signoff.voucher_review AS r
    WHERE r.region_code = new.region_code AND r.fund_code = new.fund_code
        AND r.accounting_month = new.accounting_month AND r.voucher_no = new.voucher_no;
    IF coalesce(new.reason, '') !~ '\S' AND (new.review_no > 1 OR new.outcome = 'objected') THEN
        RAISE EXCEPTION 'E-REVIEW-REASON 再次复核或提出异议须写明原因 / a second review, or an objection, needs a reason'
            USING ERRCODE = 'check_violation';
    END IF;
    new.reviewed_by := session_user;
    new.reviewed_at := clock_timestamp();
    new.entry_count := seen.entry_count;
    new.debit_amount := seen.debit_amount;
    RETURN new;
END
$$;
CREATE TRIGGER fill_review BEFORE INSERT ON signoff.voucher_review FOR EACH ROW EXECUTE FUNCTION signoff.fill_review();
ALTER TABLE signoff.voucher_review ENABLE ALWAYS TRIGGER fill_review;

DO $$
DECLARE
    guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY['close_request', 'checklist_item', 'draft_report', 'decision', 'closing_figures', 'signed_report',
                                   'signed_file', 'voucher_review'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON signoff.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change()', guarded);
        EXECUTE format('ALTER TABLE signoff.%I ENABLE ALWAYS TRIGGER append_only', guarded);
    END LOOP;
END
$$;

-- The pipeline writes what people have decided through it; people write their reviews themselves, of their regions only.
GRANT USAGE ON SCHEMA signoff TO fund_transform, fund_quality, fund_publisher, auditor, voucher_reviewer;
GRANT USAGE ON SCHEMA access TO voucher_reviewer;
GRANT SELECT ON access.my_region TO voucher_reviewer;
GRANT SELECT ON ALL TABLES IN SCHEMA signoff TO fund_transform, fund_quality, fund_publisher, auditor;
GRANT INSERT ON signoff.close_request, signoff.checklist_item, signoff.draft_report, signoff.decision, signoff.closing_figures,
    signoff.signed_report, signoff.signed_file TO fund_publisher;
GRANT SELECT, INSERT (region_code, fund_code, accounting_month, voucher_no, outcome, reason) ON signoff.voucher_review TO voucher_reviewer;
ALTER TABLE signoff.voucher_review ENABLE ROW LEVEL SECURITY;
CREATE POLICY pipeline ON signoff.voucher_review FOR SELECT TO fund_transform, fund_quality, fund_publisher, auditor USING (true);
CREATE POLICY region_of_reader ON signoff.voucher_review TO voucher_reviewer
    USING (region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
        OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL))
    WITH CHECK (region_code IN (SELECT mine.region_code FROM access.my_region AS mine)
        OR EXISTS (SELECT FROM access.my_region AS mine WHERE mine.region_code IS NULL));

COMMENT ON SCHEMA signoff IS '签批：关账申请、决定、签署的报表与凭证复核 / What people decide on the books: closes, signed reports, reviews of vouchers';
COMMENT ON TABLE signoff.close_request IS '关账申请：每次申请一行，只增不改 / Requests to close a month: one row each, append-only';
COMMENT ON COLUMN signoff.close_request.request_id IS '申请编号：统筹区-月份-次数 / Request: region-month-attempt';
COMMENT ON COLUMN signoff.close_request.region_code IS '统筹区代码 / Region';
COMMENT ON COLUMN signoff.close_request.accounting_month IS '会计月份（当月第一天） / Accounting month, as its first day';
COMMENT ON COLUMN signoff.close_request.attempt_no IS '该月第几次申请 / Number of the request for the month';
COMMENT ON COLUMN signoff.close_request.prepared_by IS '制表人 / Prepared by';
COMMENT ON COLUMN signoff.close_request.requested_by IS '发起申请的账号 / Account that made the request';
COMMENT ON COLUMN signoff.close_request.prepared_at IS '申请时间 / When prepared';
COMMENT ON COLUMN signoff.close_request.checks_run_id IS '检查的运行编号 / Run whose checks count';
COMMENT ON COLUMN signoff.close_request.checked_seq IS '检查所至事件序号，即当时的发布位置 / Seq up to which was checked: the published head';
COMMENT ON COLUMN signoff.close_request.batch_hash IS '该序号处的链式哈希 / Chain hash there';
COMMENT ON COLUMN signoff.close_request.rules_sha256 IS '入账规则摘要 / Hash of the posting rules';
COMMENT ON COLUMN signoff.close_request.report_sha256 IS '审批人所阅文件的摘要：SHA256SUMS文件的sha256 / Hash of what the approver reads: sha256 of its SHA256SUMS file';
COMMENT ON COLUMN signoff.close_request.journal_sha256 IS '当月分录（规范CSV）摘要 / Hash of the month''s journal as canonical CSV';
COMMENT ON COLUMN signoff.close_request.trial_balance_sha256 IS '试算平衡表（规范CSV）摘要 / Hash of the trial balance';
COMMENT ON COLUMN signoff.close_request.statement_sha256 IS '收支表（规范CSV）摘要 / Hash of the income and expenditure statement';
COMMENT ON COLUMN signoff.close_request.balance_sheet_sha256 IS '资产负债表（规范CSV）摘要 / Hash of the balance sheet';
COMMENT ON COLUMN signoff.close_request.ledger_sha256 IS '四项摘要的摘要 / Hash over the four';

COMMENT ON TABLE signoff.checklist_item IS '关账清单：每次申请每项一行 / Checklist of a request, one row an item';
COMMENT ON COLUMN signoff.checklist_item.request_id IS '申请编号 / The request';
COMMENT ON COLUMN signoff.checklist_item.item_no IS '项次 / Place';
COMMENT ON COLUMN signoff.checklist_item.kind IS '类别：requirement 要求、attention 提请注意、comparison 比较 / requirement, attention or comparison';
COMMENT ON COLUMN signoff.checklist_item.code IS '检查代码或报表行次代码 / Code of a check or of a statement line';
COMMENT ON COLUMN signoff.checklist_item.fund_code IS '基金，可为空 / Fund, where one applies';
COMMENT ON COLUMN signoff.checklist_item.outcome IS '结果：ok 符合、attention 注意、waivable 说明原因后可放行、blocked 不得关账、info 参考 / ok, attention, waivable with a reason, blocked, info';
COMMENT ON COLUMN signoff.checklist_item.title_zh IS '中文标题 / Title in Chinese';
COMMENT ON COLUMN signoff.checklist_item.title_en IS '英文标题 / Title in English';
COMMENT ON COLUMN signoff.checklist_item.detail IS '说明 / Details';
COMMENT ON COLUMN signoff.checklist_item.item_count IS '条数 / Number of items';
COMMENT ON COLUMN signoff.checklist_item.amount IS '金额（元） / Amount in yuan';
COMMENT ON COLUMN signoff.checklist_item.amount_last_month IS '上月金额（元） / Amount of the month before';
COMMENT ON COLUMN signoff.checklist_item.amount_last_year IS '上年同月金额（元） / Amount of the same month a year ago';

COMMENT ON TABLE signoff.draft_report IS '审批人所阅文件 / Files that the approver reads';
COMMENT ON COLUMN signoff.draft_report.request_id IS '申请编号 / The request';
COMMENT ON COLUMN signoff.draft_report.file_name IS '文件名 / Name of the file';
COMMENT ON COLUMN signoff.draft_report.content IS '内容 / Bytes';
COMMENT ON COLUMN signoff.draft_report.sha256 IS '内容摘要 / Hash of the bytes';

COMMENT ON TABLE signoff.decision IS '对申请的决定，只增不改，最新一行有效 / Decisions on requests, append-only; the newest row counts';
COMMENT ON COLUMN signoff.decision.request_id IS '申请编号 / The request';
COMMENT ON COLUMN signoff.decision.decision_no IS '第几个决定 / Number of the decision';
COMMENT ON COLUMN signoff.decision.decision IS '决定：approved 批准、rejected 退回、timed_out 逾期未批、void 批准无效 / approved, rejected, timed_out or void';
COMMENT ON COLUMN signoff.decision.decided_by IS '决定人 / Decided by';
COMMENT ON COLUMN signoff.decision.decided_at IS '决定时间 / When decided';
COMMENT ON COLUMN signoff.decision.reason IS '原因 / Reason';
COMMENT ON COLUMN signoff.decision.account IS '记录所用账号：airflow:用户或os:用户 / Account used: airflow:user or os:user';
COMMENT ON COLUMN signoff.decision.recorded_at IS '记录时间 / When recorded';

COMMENT ON TABLE signoff.closing_figures IS '关账时当月数据的摘要，早于关账事件写入 / Hashes of the month''s figures at its close, written before the event';
COMMENT ON COLUMN signoff.closing_figures.request_id IS '申请编号 / The request';
COMMENT ON COLUMN signoff.closing_figures.region_code IS '统筹区代码 / Region';
COMMENT ON COLUMN signoff.closing_figures.accounting_month IS '会计月份 / Accounting month';
COMMENT ON COLUMN signoff.closing_figures.figures_seq IS '数据所至事件序号；十二月为年结之后 / Seq of the figures; of December after the year end';
COMMENT ON COLUMN signoff.closing_figures.journal_sha256 IS '当月分录摘要 / Hash of the journal';
COMMENT ON COLUMN signoff.closing_figures.trial_balance_sha256 IS '试算平衡表摘要 / Hash of the trial balance';
COMMENT ON COLUMN signoff.closing_figures.statement_sha256 IS '收支表摘要 / Hash of the statement';
COMMENT ON COLUMN signoff.closing_figures.balance_sheet_sha256 IS '资产负债表摘要 / Hash of the balance sheet';
COMMENT ON COLUMN signoff.closing_figures.ledger_sha256 IS '四项摘要的摘要，与关账事件相同 / Hash over the four, the event''s';
COMMENT ON COLUMN signoff.closing_figures.recorded_at IS '记录时间 / When recorded';

COMMENT ON TABLE signoff.signed_report IS '已签署的月报：每个已关账月份一行 / Signed reports, one row a closed month';
COMMENT ON COLUMN signoff.signed_report.region_code IS '统筹区代码 / Region';
COMMENT ON COLUMN signoff.signed_report.accounting_month IS '会计月份 / Accounting month';
COMMENT ON COLUMN signoff.signed_report.request_id IS '申请编号 / The request';
COMMENT ON COLUMN signoff.signed_report.closed_seq IS '关账事件序号 / Seq of the event that closed the month';
COMMENT ON COLUMN signoff.signed_report.published_seq IS '签署时的发布位置 / Published head when signed';
COMMENT ON COLUMN signoff.signed_report.batch_hash IS '该处的链式哈希 / Chain hash there';
COMMENT ON COLUMN signoff.signed_report.report_sha256 IS '文件清单摘要，与关账事件相同 / Hash of the list of files, the event''s';
COMMENT ON COLUMN signoff.signed_report.ledger_sha256 IS '账簿摘要，与关账事件相同 / Hash of the figures, the event''s';
COMMENT ON COLUMN signoff.signed_report.signed_at IS '签署时间 / When signed';
COMMENT ON TABLE signoff.signed_file IS '已签署的文件原件 / Signed files, byte for byte';
COMMENT ON COLUMN signoff.signed_file.region_code IS '统筹区代码 / Region';
COMMENT ON COLUMN signoff.signed_file.accounting_month IS '会计月份 / Accounting month';
COMMENT ON COLUMN signoff.signed_file.file_name IS '文件名 / Name of the file';
COMMENT ON COLUMN signoff.signed_file.content IS '内容 / Bytes';
COMMENT ON COLUMN signoff.signed_file.sha256 IS '内容摘要 / Hash of the bytes';

COMMENT ON TABLE signoff.voucher_review IS '记账凭证复核，只增不改，最新一行有效 / Reviews of vouchers, append-only; the newest row of a voucher counts';
COMMENT ON COLUMN signoff.voucher_review.region_code IS '统筹区代码 / Region';
COMMENT ON COLUMN signoff.voucher_review.fund_code IS '基金 / Fund';
COMMENT ON COLUMN signoff.voucher_review.accounting_month IS '会计月份 / Accounting month';
COMMENT ON COLUMN signoff.voucher_review.voucher_no IS '记账凭证号 / Voucher';
COMMENT ON COLUMN signoff.voucher_review.review_no IS '第几次复核 / Number of the review';
COMMENT ON COLUMN signoff.voucher_review.outcome IS '结论：passed 通过、objected 有异议 / passed or objected';
COMMENT ON COLUMN signoff.voucher_review.reason IS '原因；再次复核或有异议时必填 / Reason; required for a second review or an objection';
COMMENT ON COLUMN signoff.voucher_review.reviewed_by IS '复核人（登录账号） / Reviewer: the login';
COMMENT ON COLUMN signoff.voucher_review.reviewed_at IS '复核时间 / When reviewed';
COMMENT ON COLUMN signoff.voucher_review.entry_count IS '复核时的分录数 / Entries of the voucher then';
COMMENT ON COLUMN signoff.voucher_review.debit_amount IS '复核时的借方金额（元） / Its debit amount then, yuan';
COMMENT ON FUNCTION signoff.fill_review() IS '填写复核人和时间，拒绝制单账号、不存在的凭证和无原因的再次复核 / Fills in reviewer and time; refuses the preparer''s accounts, unknown vouchers and unreasoned second reviews';
