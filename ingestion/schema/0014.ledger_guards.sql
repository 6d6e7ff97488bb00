-- The books refuse what the log refuses: nobody changes or removes a line, adds one to a closed month, or breaks the numbers of
-- vouchers. The tables are made by the models, which attach these triggers; a replay makes the books anew in other schemas and
-- renames those, so that the functions live here and know their table from the trigger. Dropping a table stays possible.
-- depends: 0013.file_notes

CREATE FUNCTION events.refuse_ledger_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'E-LEDGER-APPEND-ONLY: 拒绝对 %.% 执行 %：账簿只增不改 / % on %.% is refused: the books are append-only',
        tg_table_schema, tg_table_name, tg_op, tg_op, tg_table_schema, tg_table_name
        USING ERRCODE = 'restrict_violation',
            HINT = '更正请由来源报送新的事件；重建请执行重放 / Correct by a new event from the source; rebuild by a replay.';
END
$$;

-- tg_argv[0]: the column that holds the seq of a row's (last) event. A statement is asked once, whatever it adds.
CREATE FUNCTION events.refuse_closed_month() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    closed record;
BEGIN
    EXECUTE format(
        'SELECT n.region_code, n.accounting_month, n.seq, c.seq AS closed_at
         FROM (
             SELECT region_code, accounting_month, max(%1$I) AS seq FROM added GROUP BY region_code, accounting_month
         ) AS n
         INNER JOIN events.event AS c
             ON c.region_code = n.region_code AND c.event_type = ''period.closed'' AND c.seq < n.seq
                 AND c.accounting_month >= n.accounting_month
         ORDER BY 1, 2, 4 LIMIT 1', tg_argv[0]) INTO closed;
    IF closed IS NOT NULL THEN
        RAISE EXCEPTION 'E-PERIOD-CLOSED: 统筹区 % 的 % 已在序号 % 月结，序号 % 不得再记入 / month % of region % was closed at seq %: nothing of seq % may be added',
            closed.region_code, to_char(closed.accounting_month, 'YYYY-MM'), closed.closed_at, closed.seq,
            to_char(closed.accounting_month, 'YYYY-MM'), closed.region_code, closed.closed_at, closed.seq
            USING ERRCODE = 'restrict_violation',
                HINT = '迟到的业务记入最早未结月份并注明所属月份；已结月份不重开 / What comes late is posted to the earliest open month; a closed month is not reopened.';
    END IF;
    RETURN NULL;
END
$$;

-- Numbers of a (region, fund, month) run from 1 without a gap; as the key forbids a number twice, counting them is enough.
CREATE FUNCTION events.refuse_voucher_gap() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
    EXECUTE format(
        'SELECT n.region_code, n.fund_code, n.accounting_month, count(*) AS held, min(v.voucher_no) AS lowest, max(v.voucher_no) AS highest
         FROM (SELECT DISTINCT region_code, fund_code, accounting_month FROM added) AS n
         INNER JOIN %I.%I AS v USING (region_code, fund_code, accounting_month)
         GROUP BY 1, 2, 3
         HAVING count(*) <> max(v.voucher_no) OR min(v.voucher_no) <> 1
         ORDER BY 1, 2, 3 LIMIT 1', tg_table_schema, tg_table_name) INTO broken;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'E-VOUCHER-NUMBER: 统筹区 % 基金 % % 的凭证号须从1起连续：共 % 张，号码 % 至 % / vouchers of region %, fund %, month % must be numbered from 1 without a gap: % of them, numbered % to %',
            broken.region_code, broken.fund_code, to_char(broken.accounting_month, 'YYYY-MM'), broken.held, broken.lowest, broken.highest,
            broken.region_code, broken.fund_code, to_char(broken.accounting_month, 'YYYY-MM'), broken.held, broken.lowest, broken.highest
            USING ERRCODE = 'restrict_violation', HINT = '凭证由构建编号，请勿手工添加 / Vouchers are numbered by the build; add none by hand.';
    END IF;
    RETURN NULL;
END
$$;

-- Attaches what is lacking of: append_only, closed_month (by `seq_column`), voucher_numbers. Run by the owner of the table.
CREATE FUNCTION events.guard_books(books regclass, guards text[], seq_column text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY guards LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = books AND t.tgname = wanted);
        CASE wanted
            WHEN 'append_only' THEN
                EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
                               'FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_ledger_change()', books);
            WHEN 'closed_month' THEN
                EXECUTE format('CREATE TRIGGER closed_month AFTER INSERT ON %s REFERENCING NEW TABLE AS added '
                               'FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_closed_month(%L)', books, seq_column);
            WHEN 'voucher_numbers' THEN
                EXECUTE format('CREATE TRIGGER voucher_numbers AFTER INSERT ON %s REFERENCING NEW TABLE AS added '
                               'FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_voucher_gap()', books);
        END CASE;
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', books, wanted);
    END LOOP;
END
$$;

COMMENT ON FUNCTION events.refuse_ledger_change() IS '账簿只增不改 / The books are append-only';
COMMENT ON FUNCTION events.refuse_closed_month() IS '已结月份不得再记入 / Nothing is added to a closed month';
COMMENT ON FUNCTION events.refuse_voucher_gap() IS '凭证号连续 / Voucher numbers have no gap';
COMMENT ON FUNCTION events.guard_books(regclass, text[], text) IS '为账簿表装上保护触发器 / Attaches the guards to a table of the books';

-- Books made before: guarded from now on, not from their next build.
SET LOCAL ROLE fund_transform;
DO $$
BEGIN
    PERFORM events.guard_books(to_regclass(b.books), b.guards, b.seq_column)
    FROM (VALUES
        ('ledger.journal_line', ARRAY['append_only', 'closed_month'], 'event_seq'),
        ('ledger.account_turnover', ARRAY['append_only', 'closed_month'], 'last_seq'),
        ('ledger.voucher', ARRAY['append_only', 'closed_month', 'voucher_numbers'], 'last_seq'),
        ('ledger.built_head', ARRAY['append_only'], NULL)
    ) AS b (books, guards, seq_column)
    WHERE to_regclass(b.books) IS NOT NULL;
END
$$;
RESET ROLE;
