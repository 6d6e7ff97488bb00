-- Totals that a source states of its file, beside what was counted of it; and statements by the month they are of.
-- depends: 0023.maternity_lookups

CREATE TABLE events.control_total (
    file_id           bigint   NOT NULL REFERENCES events.file_registry,
    stated_as         text     NOT NULL,              -- the key in the manifest
    column_name       text     NOT NULL,              -- of the source
    canonical_column  text,                           -- null: a column that is not taken in
    period_from       date     NOT NULL DEFAULT '-infinity',
    period_to         date     NOT NULL DEFAULT 'infinity',
    yuan_factor       numeric  NOT NULL CHECK (yuan_factor > 0),
    stated_amount     numeric  NOT NULL,
    counted_amount    numeric  NOT NULL,
    counted_rows      bigint   NOT NULL CHECK (counted_rows >= 0),
    PRIMARY KEY (file_id, stated_as),
    CHECK (counted_amount = stated_amount),
    CHECK (period_from <= period_to)
);

COMMENT ON TABLE events.control_total IS '控制总额：来源在清单中申报的全文件、逐日或逐月合计，与读取时全部行（入库、重复、隔离）的合计；两者不等的文件整份拒收，故此处相等 / Control totals: what a source states of its file, of a day or month in it, and the sum over all rows read (loaded, duplicate, quarantined). A file where they differ is rejected, so here they are equal';
COMMENT ON COLUMN events.control_total.file_id IS '文件编号 / The file';
COMMENT ON COLUMN events.control_total.stated_as IS '清单中的写法，如 hifp_pay@2020-03-05 / Key in the manifest';
COMMENT ON COLUMN events.control_total.column_name IS '来源列名 / Column of the source';
COMMENT ON COLUMN events.control_total.canonical_column IS '标准列名；空：该列不接收 / Canonical column; null where the column is not taken in';
COMMENT ON COLUMN events.control_total.period_from IS '所属期间首日（按业务日期）；全文件为 -infinity / First day by business date; -infinity: the whole file';
COMMENT ON COLUMN events.control_total.period_to IS '所属期间末日；全文件为 infinity / Last day; infinity: the whole file';
COMMENT ON COLUMN events.control_total.yuan_factor IS '乘以此数得元 / Times this: yuan';
COMMENT ON COLUMN events.control_total.stated_amount IS '申报合计（清单所用单位） / Total stated, in the unit of the manifest';
COMMENT ON COLUMN events.control_total.counted_amount IS '读取合计（同单位） / Total counted, in the same unit';
COMMENT ON COLUMN events.control_total.counted_rows IS '期间内的行数 / Rows of the period';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events.control_total
    FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
ALTER TABLE events.control_total ENABLE ALWAYS TRIGGER append_only;
GRANT INSERT ON events.control_total TO fund_ingest;

-- What outside parties state is looked up by month, also where a day's statement names none.
CREATE INDEX event_stated_month ON events.event
    (region_code, (coalesce(accounting_month, date_trunc('month', occurred_on::timestamp)::date)))
    WHERE event_type = 'balance.stated';
COMMENT ON INDEX events.event_stated_month IS '外部报表数按所属月份 / Outside statements by the month they are of';

-- An amount of an event by the name of its column; null for a column that is no amount.
CREATE FUNCTION events.amount_of(e events.event, column_name text) RETURNS numeric
LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT CASE column_name
    WHEN 'employer_amount' THEN coalesce(e.employer_amount, 0)
    WHEN 'personal_amount' THEN coalesce(e.personal_amount, 0)
    -- as sent: a credit computed at acceptance was in no file
    WHEN 'personal_account_credit'
        THEN CASE WHEN 'personal_account_credit' = ANY (e.derived_columns) IS NOT TRUE THEN coalesce(e.personal_account_credit, 0) ELSE 0 END
    WHEN 'late_fee' THEN coalesce(e.late_fee, 0)
    WHEN 'contribution_base' THEN coalesce(e.contribution_base, 0)
    WHEN 'allowance_daily_base' THEN coalesce(e.allowance_daily_base, 0)
    WHEN 'medical_fee_total' THEN coalesce(e.medical_fee_total, 0)
    WHEN 'pooled_amount' THEN coalesce(e.pooled_amount, 0)
    WHEN 'personal_account_amount' THEN coalesce(e.personal_account_amount, 0)
    WHEN 'personal_cash_amount' THEN coalesce(e.personal_cash_amount, 0)
    WHEN 'institution_borne_amount' THEN coalesce(e.institution_borne_amount, 0)
    WHEN 'other_funds_amount' THEN coalesce(e.other_funds_amount, 0)
    WHEN 'deposit_withheld_amount' THEN coalesce(e.deposit_withheld_amount, 0)
    WHEN 'amount' THEN coalesce(e.amount, 0)
END
$$;
COMMENT ON FUNCTION events.amount_of(events.event, text) IS '按列名取一条事件的金额（来源所报）；不是金额的列为空 / An amount of an event by the name of its column, as sent; null for a column that is no amount';

-- In yuan, and beside what of the file is in the log now. Only columns that are taken in have a counterpart there.
CREATE VIEW events.file_control_total AS
SELECT total.file_id, file.source_system, file.file_name, total.stated_as, total.canonical_column, total.period_from, total.period_to,
    round(total.stated_amount * total.yuan_factor, 2) AS stated_amount,
    round(total.counted_amount * total.yuan_factor, 2) AS counted_amount,
    total.counted_rows,
    held.amount AS in_log_amount,
    round(total.counted_amount * total.yuan_factor, 2) - held.amount AS set_aside_amount
FROM events.control_total AS total
INNER JOIN events.file_registry AS file USING (file_id)
LEFT JOIN LATERAL (
    SELECT sum(events.amount_of(event, total.canonical_column))::numeric(18, 2) AS amount
    FROM events.batch AS batch
    INNER JOIN events.event AS event
        ON event.region_code = batch.region_code AND event.seq BETWEEN batch.first_seq AND batch.last_seq
    WHERE batch.file_id = total.file_id AND event.occurred_on BETWEEN total.period_from AND total.period_to
) AS held ON total.canonical_column IS NOT NULL;

COMMENT ON VIEW events.file_control_total IS '每个文件的控制总额（元）：申报、读取、现已入库、未入库（重复、隔离） / Control totals of each file in yuan: stated, counted, in the log now, and not in it (duplicates, quarantine)';
COMMENT ON COLUMN events.file_control_total.file_id IS '文件编号 / The file';
COMMENT ON COLUMN events.file_control_total.source_system IS '来源系统 / Source system';
COMMENT ON COLUMN events.file_control_total.file_name IS '文件名 / Name of the file';
COMMENT ON COLUMN events.file_control_total.stated_as IS '清单中的写法 / Key in the manifest';
COMMENT ON COLUMN events.file_control_total.canonical_column IS '标准列名；空：该列不接收 / Canonical column; null where the column is not taken in';
COMMENT ON COLUMN events.file_control_total.period_from IS '所属期间首日 / First day of the period';
COMMENT ON COLUMN events.file_control_total.period_to IS '所属期间末日 / Last day of the period';
COMMENT ON COLUMN events.file_control_total.stated_amount IS '来源申报（元） / Stated by the source, yuan';
COMMENT ON COLUMN events.file_control_total.counted_amount IS '读取时全部行的合计（元） / Sum over all rows read, yuan';
COMMENT ON COLUMN events.file_control_total.counted_rows IS '期间内的行数 / Rows of the period';
COMMENT ON COLUMN events.file_control_total.in_log_amount IS '现已入库的合计（元）；不是金额、不接收的列和没有入库行的期间为空 / Sum of what is in the log now, yuan; null where the column is no amount or not taken in, or nothing of the period is in the log';
COMMENT ON COLUMN events.file_control_total.set_aside_amount IS '未入库的合计（元）：重复与隔离 / Sum of what is not in it: duplicates and quarantine';
GRANT SELECT ON events.file_control_total TO fund_ingest, fund_transform, fund_quality, fund_publisher, auditor;
