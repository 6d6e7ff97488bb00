-- What was sent to whom about what the checks have found: one row a digest, and each that could not be sent.
-- depends: 0026.audit

CREATE TABLE quality.notification (
    run_id           text        NOT NULL,
    notification_id  bigint      NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel          text        NOT NULL CHECK (channel IN ('email', 'webhook')),
    connection_id    text        NOT NULL,
    audience         text[]      NOT NULL,   -- owner roles it was for; empty: all of them
    state_sha256     text        NOT NULL CHECK (state_sha256 ~ '^[0-9a-f]{64}$'),     -- of what it tells of, whatever the run
    content_sha256   text        NOT NULL CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),   -- of what was sent, byte for byte
    findings         integer     NOT NULL CHECK (findings >= 0),
    outcome          text        NOT NULL CHECK (outcome IN ('sent', 'failed')),
    error            text,
    recorded_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((outcome = 'failed') = (error IS NOT NULL))
);
CREATE INDEX notification_newest ON quality.notification (channel, connection_id, audience, notification_id);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON quality.notification
    FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
ALTER TABLE quality.notification ENABLE ALWAYS TRIGGER append_only;
GRANT INSERT ON quality.notification TO fund_quality;

COMMENT ON TABLE quality.notification IS '通知记录：每份摘要一行，发送失败的也记录，不含内容和收件人 / Notifications: one row a digest, failed ones too, without content and recipients';
COMMENT ON COLUMN quality.notification.notification_id IS '编号 / Number';
COMMENT ON COLUMN quality.notification.run_id IS '运行编号 / Run';
COMMENT ON COLUMN quality.notification.channel IS '渠道：email 邮件，webhook 群机器人或接口 / email or webhook';
COMMENT ON COLUMN quality.notification.connection_id IS '所用 Airflow 连接 / Airflow connection';
COMMENT ON COLUMN quality.notification.audience IS '所属责任岗位，空为全部 / Owner roles it was for, empty for all';
COMMENT ON COLUMN quality.notification.state_sha256 IS '所述状态的摘要，与运行无关 / Hash of the state that it tells of, whatever the run';
COMMENT ON COLUMN quality.notification.content_sha256 IS '所发内容的摘要 / Hash of what was sent';
COMMENT ON COLUMN quality.notification.findings IS '其中问题条数 / Findings in it';
COMMENT ON COLUMN quality.notification.outcome IS 'sent 已发送，failed 发送失败 / sent or failed';
COMMENT ON COLUMN quality.notification.error IS '失败原因 / Why it failed';
COMMENT ON COLUMN quality.notification.recorded_at IS '记录时间 / When recorded';
