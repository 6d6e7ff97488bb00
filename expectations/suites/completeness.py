"""Completeness: what arrived is in the log, the log is in the books, and what is missing is known (C01-C06)."""

from __future__ import annotations

from expectations.check import Check
from expectations.suites._due_files import DUE_FILES, DUE_FILES_EXAMINED, DUE_FILES_POPULATION
from expectations.suites._fragments import (
    EVENTS,
    INCREMENT_SIZE,
    LINES,
    LINES_AND_EVENTS,
    LOG_MONEY,
    MONEY_EVENT_COUNT,
)

OPERATIONS = "data_operations"
ACCOUNTING = "fund_accounting"

# Files that brought this region something since its last publication, and files that brought nothing to anybody
# (only duplicates).
_FILES = """
    select batch.file_id from events.batch as batch
    where batch.region_code = $region and batch.last_seq > $after and batch.batch_id <= $head_batch
        and batch.file_id is not null
    union
    select quarantine.file_id from events.quarantine as quarantine
    where quarantine.region_code = $region and quarantine.quarantined_at > $published_at
    union
    select outcome.file_id from events.file_outcome as outcome
    where outcome.finished_at > $published_at
        and not exists (select from events.batch as batch where batch.file_id = outcome.file_id)
        and not exists (
            select from events.quarantine as quarantine
            where quarantine.file_id = outcome.file_id and quarantine.region_code is not null
        )
"""

# Control totals of the files in `counted`, beside what is in the log: each file's events are read once a column.
_TOTALS_IN_LOG = """
    select counted.*, total.stated_as, total.stated_amount, total.yuan_factor, coalesce((
            select sum(held.amount) from held
            where held.file_id = total.file_id and held.canonical_column = total.canonical_column
                and held.occurred_on between total.period_from and total.period_to
        ), 0) as in_log_amount
    from counted
    inner join events.control_total as total using (file_id)
    where exists (
        select from held
        where held.file_id = total.file_id and held.canonical_column = total.canonical_column
            and held.amount is not null
    )
"""

C01 = Check(
    code="C01",
    title_zh="每个文件：行数 = 已入账 + 重复 + 隔离，且行数和控制总额与清单一致",
    title_en="every file: rows = loaded + duplicate + quarantined, and rows and control totals equal its manifest",
    severity="fail",
    owner=OPERATIONS,
    clause="events §4；会计法 原始凭证完整",
    # Materialized: or the planner counts the rows of every file there ever was before it asks which ones were touched.
    offending=f"""
        with touched as materialized (
            select file.* from ({_FILES}) as listed inner join events.file as file using (file_id)
        ),
        counted as materialized (
            select
                file.*,
                (
                    select count(*) from events.batch as batch
                    inner join events.event as event
                        on event.region_code = batch.region_code and event.seq between batch.first_seq
                            and batch.last_seq
                    where batch.file_id = file.file_id
                ) as in_log,
                (select count(*) from events.quarantine as quarantine where quarantine.file_id = file.file_id)
                    as set_aside,
                (
                    select count(*) from events.quarantine as quarantine
                    inner join events.quarantine_resolution as resolution using (quarantine_id)
                    where quarantine.file_id = file.file_id and resolution.resolution = 'loaded'
                ) as loaded_later
            from touched as file
        ),
        held as materialized (
            select named.file_id, named.canonical_column, event.occurred_on,
                sum(events.amount_of(event, named.canonical_column)) as amount
            from (
                select distinct total.file_id, total.canonical_column
                from touched inner join events.control_total as total using (file_id)
                where total.canonical_column is not null
            ) as named
            inner join events.batch as batch on batch.file_id = named.file_id
            inner join events.event as event
                on event.region_code = batch.region_code and event.seq between batch.first_seq and batch.last_seq
            group by named.file_id, named.canonical_column, event.occurred_on
        )
        select
            source_system || '/' || file_name || '/' || sha256 as item,
            source_system, file_name as source_file, state, rows, declared_rows, loaded, duplicate, quarantined,
            in_log, set_aside, loaded_later, null::text as stated_as, null::numeric as stated_amount,
            null::numeric as in_log_amount, null::numeric as amount
        from counted
        where rows is distinct from loaded + duplicate + quarantined
            or rows is distinct from coalesce(declared_rows, rows)
            or in_log is distinct from loaded + loaded_later
            or in_log is distinct from now_loaded
            or set_aside is distinct from quarantined
        union all
        select
            source_system || '/' || file_name || '/' || sha256 || '/' || stated_as, source_system, file_name, state,
            rows, declared_rows, loaded, duplicate, quarantined, in_log, set_aside, loaded_later, stated_as,
            round(stated_amount * yuan_factor, 2), in_log_amount,
            abs(round(stated_amount * yuan_factor, 2) - in_log_amount)
        from ({_TOTALS_IN_LOG}) as total
        -- Where rows were set aside, the rest of the total is theirs.
        where rows = loaded and in_log_amount is distinct from round(stated_amount * yuan_factor, 2)
    """,
    examined=f"select count(*) from ({_FILES}) as touched inner join events.file as file using (file_id)",
    population=f"select count(*) from {EVENTS} and event.family <> 'control'",
)

C02 = Check(
    code="C02",
    title_zh="序号从 1 到链头连续，批次区间互不相交",
    title_en="seq runs without a gap to the head, and the ranges of batches are disjoint",
    severity="fail",
    owner=OPERATIONS,
    clause="events §2",
    offending=f"""
        select
            'seq/' || coalesce(before, $after) + 1 as item,
            '序号缺失 / seq is missing' as reason,
            coalesce(before, $after) + 1 as first_missing_seq, seq - 1 as last_missing_seq,
            seq as event_seq, batch_id, null::numeric as amount
        from (select event.seq, event.batch_id, lag(event.seq) over (order by event.seq) as before from {EVENTS})
            as followed
        where seq <> coalesce(before, $after) + 1
        union all
        select 'head/' || $head, '日志止于链头之前 / the log ends before the head', coalesce(max(event.seq),
            $after) + 1, $head,
            null, null, null
        from {EVENTS}
        having coalesce(max(event.seq), $after) <> $head
        union all
        select 'batch/' || batch_id, '批次不衔接 / the batch does not follow the one before', coalesce(last_before,
            0) + 1, first_seq,
            null, batch_id, null
        from (
            select batch.*, lag(batch.last_seq) over each_batch as last_before,
                lag(batch.batch_id) over each_batch as batch_before
            from events.batch as batch where batch.region_code = $region and batch.batch_id <= $head_batch
            window each_batch as (order by batch.batch_id)
        ) as followed
        where first_seq <> coalesce(last_before, 0) + 1 or batch_id <> coalesce(batch_before, 0) + 1
        union all
        select 'event/' || event.seq, '事件不在其批次区间内 / the event lies outside its batch', event.seq,
            event.seq, event.seq,
            event.batch_id, null
        from events.event as event
        left join events.batch as batch on batch.region_code = event.region_code and batch.batch_id = event.batch_id
        where event.region_code = $region and event.seq > $after and event.seq <= $head
            and (event.seq between batch.first_seq and batch.last_seq) is not true
    """,
    examined=f"select count(*) from {EVENTS}",
    population=INCREMENT_SIZE,
)

# Half of what all legs of an event move, whatever their sign: equals the money of the event for true and red
# entries alike.
_LEDGER_MONEY = f"""
    select line.event_seq as seq, sum(abs(line.debit_amount) + abs(line.credit_amount)) / 2 as amount
    from {LINES} and line.entry_kind in ('normal', 'opening')
    group by line.event_seq
"""

# Lines name their rules as a list; there are few different lists, so each is looked up once. A rule that is not in the
# seed leaves the list without a variant.
_RULE_SETS = f"""
    select
        listed.rule_ids,
        min(rule.event_type) as event_type,
        coalesce(string_agg(distinct rule.event_type || ' ' || rule.posting_variant, ', '), 'unknown rule') as variants,
        count(distinct (rule.event_type, rule.posting_variant)) filter (where rule.rule_id is not null) = 1
            and bool_and(rule.rule_id is not null) as is_one
    from (select distinct line.rule_ids from {LINES}) as listed
    cross join lateral regexp_split_to_table(listed.rule_ids, '[ ,;+]+') as applied (rule_id)
    left join policy.posting_rules as rule on rule.rule_id = applied.rule_id
    group by listed.rule_ids
"""

C03 = Check(
    code="C03",
    title_zh="每一笔涉钱事件都入了账：规则恰好一组，金额与日志相等",
    title_en="every event that carries money is posted by exactly one rule set, with the log's amount",
    severity="fail",
    owner=ACCOUNTING,
    clause="ledger §2, §6.4",
    offending=f"""
        select
            'event/' || seq as item,
            case
                when log_money.event_type is null then '分录没有对应的事件 / lines without an event'
                when log_money.amount is null then '未知的事件类型 / unknown event type'
                when ledger_money.seq is null then '涉钱事件没有分录 / carries money and has no ledger line'
                else '账上金额与日志不符 / the ledger''s amount differs from the log'
            end as reason,
            seq as event_seq, log_money.event_type as posted_type, log_money.source_event_key,
            log_money.amount as log_amount, ledger_money.amount as ledger_amount,
            abs(coalesce(log_money.amount, 0) - coalesce(ledger_money.amount, 0)) as amount
        from ({LOG_MONEY}) as log_money
        full join ({_LEDGER_MONEY}) as ledger_money using (seq)
        where log_money.event_type is null or log_money.amount is null
            or (log_money.event_type not in ('fund.merged', 'year.closed')
                and coalesce(ledger_money.amount, 0) is distinct from log_money.amount)
        union all
        select
            'type/' || line.event_seq || '/' || line.entry_no || '/' || line.line_no,
            '分录的事件类型或批次与日志不符 / type or batch of the line differs from the log',
            line.event_seq, line.event_type, event.source_event_key, null, null, line.debit_amount + line.credit_amount
        from {LINES_AND_EVENTS}
            and (line.event_type is distinct from event.event_type or line.batch_id is distinct from event.batch_id)
        union all
        select
            'rule/' || line.event_seq, '没有或不止一组记账规则 / no rule set or more than one',
            line.event_seq, min(line.event_type), string_agg(distinct rule_set.variants, ', '), null, null,
            sum(line.debit_amount)
        from ledger.journal_line as line
        inner join ({_RULE_SETS}) as rule_set on rule_set.rule_ids = line.rule_ids
        where line.region_code = $region and line.event_seq > $after and line.event_seq <= $head
            and line.entry_kind in ('normal', 'opening')
        group by line.event_seq
        having min(rule_set.variants) is distinct from max(rule_set.variants) or bool_or(not rule_set.is_one)
            or min(rule_set.event_type) is distinct from min(line.event_type)
    """,
    examined=f"""
        select count(*) from ({LOG_MONEY}) as log_money
        inner join ({_LEDGER_MONEY}) as ledger_money using (seq)
    """,
    population=MONEY_EVENT_COUNT,
)

C04 = Check(
    code="C04",
    title_zh="应到的文件都已到达",
    title_en="every file that is due has come",
    severity="fail",
    owner=OPERATIONS,
    clause="quality C04；events.source_calendar",
    offending=DUE_FILES,
    examined=DUE_FILES_EXAMINED,
    population=DUE_FILES_POPULATION,
    freezes=False,
)

_WINDOW_ROWS = """
    select coalesce(sum(batch.last_seq - batch.first_seq + 1), 0) from events.batch as batch
    where batch.region_code = $region and batch.last_seq > $window_after and batch.batch_id <= $head_batch
        and batch.file_id is not null
"""

C05 = Check(
    code="C05",
    title_zh="隔离行占比在阈值之内",
    title_en="the share of quarantined rows and of their amount is within the region's threshold",
    severity="fail",
    owner=OPERATIONS,
    clause="quality C05；policy_region 阈值",
    offending=f"""
        with share as (
            select
                window_rows.loaded, open_rows.row_count, open_rows.amount, posted.amount as posted_amount,
                coalesce(threshold.quarantine_row_share_max, 0.05) as row_share_max,
                coalesce(threshold.quarantine_amount_share_max, 0.01) as amount_share_max,
                open_rows.row_count / nullif(window_rows.loaded + open_rows.row_count, 0) as row_share,
                case when posted.amount > 0 then open_rows.amount / posted.amount end as amount_share
            from ({_WINDOW_ROWS}) as window_rows (loaded)
            cross join (
                select count(*)::numeric as row_count, coalesce(sum(open.amount), 0) as amount
                from events.quarantine_open as open where open.region_code = $region
            ) as open_rows
            cross join (
                select coalesce(sum(line.debit_amount), 0) as amount from ledger.journal_line as line
                where line.region_code = $region and line.event_seq > $window_after and line.event_seq <= $head
                    and line.entry_kind <> 'opening' and line.event_type <> 'cash.transferred'
            ) as posted
            left join (
                select * from policy.policy_region as region
                    where region.region_code = $region order by region.known_from desc limit 1
            ) as threshold on true
        ),
        verdict as (
            select *,
                case
                    when row_share > row_share_max or amount_share > amount_share_max or (amount > 0
                        and amount_share is null)
                        then 'fail'
                    else 'warn'
                end as severity
            from share
        )
        select
            file.source_system || '/' || file.file_name || '/' || open.line_no as item,
            verdict.severity,
            file.file_name as source_file, open.line_no as source_line, open.family, open.source_event_key,
                open.error_codes,
            open.quarantined_at, open.amount,
            round(verdict.row_share, 6) as row_share, verdict.row_share_max,
            round(verdict.amount_share, 6) as amount_share, verdict.amount_share_max, verdict.posted_amount
        from events.quarantine_open as open
        cross join verdict
        inner join events.file_registry as file on file.file_id = open.file_id
        where open.region_code = $region
        union all
        select
            file.source_system || '/' || file.file_name || '/' || open.line_no || '/no region', 'warn',
            file.file_name, open.line_no, open.family, open.source_event_key, open.error_codes, open.quarantined_at,
                open.amount,
            null, null, null, null, null
        from events.quarantine_open as open
        inner join events.file_registry as file on file.file_id = open.file_id
        where open.region_code is null
            or not exists (select from ledger.built_head as built where built.region_code = open.region_code)
    """,
    examined=f"""
        select ({_WINDOW_ROWS}) + (select count(*) from events.quarantine_open as open where open.region_code = $region)
    """,
    population=f"""
        select (select count(*) from {EVENTS} and event.family <> 'control') + (
            select count(*) from events.quarantine as quarantine
            left join events.quarantine_resolution as resolution using (quarantine_id)
            where quarantine.region_code = $region and resolution.quarantine_id is null
        )
    """,
    freezes=False,
)

C06 = Check(
    code="C06",
    title_zh="链头之前没有未入账的事件",
    title_en="no event before the head is missing from the ledger",
    severity="fail",
    owner=ACCOUNTING,
    clause="quality C06；ledger §6.4",
    offending=f"""
        select
            concat_ws('/', 'turnover', batch_id, fund_code, accounting_month, account_code, sub_fund, entry_kind)
                as item,
            '发生额与分录不符 / turnover differs from the journal' as reason,
            fund_code, accounting_month, account_code, sub_fund, batch_id,
            journal.line_count as journal_lines, turnover.line_count as turnover_lines,
            abs(coalesce(journal.debit_amount, 0) - coalesce(turnover.debit_amount, 0))
                + abs(coalesce(journal.credit_amount, 0) - coalesce(turnover.credit_amount, 0)) as amount
        from (
            select line.batch_id, line.fund_code, line.accounting_month, line.account_code, line.sub_fund,
                line.entry_kind,
                sum(line.debit_amount) as debit_amount, sum(line.credit_amount) as credit_amount, count(*) as line_count
            from {LINES}
            group by 1, 2, 3, 4, 5, 6
        ) as journal
        full join (
            select batch_id, fund_code, accounting_month, account_code, sub_fund, entry_kind,
                sum(debit_amount) as debit_amount, sum(credit_amount) as credit_amount, sum(line_count) as line_count
            from ledger.account_turnover as delta
            where delta.region_code = $region and delta.last_seq > $after and delta.last_seq <= $head
            group by 1, 2, 3, 4, 5, 6
        ) as turnover using (batch_id, fund_code, accounting_month, account_code, sub_fund, entry_kind)
        where journal.debit_amount is distinct from turnover.debit_amount
            or journal.credit_amount is distinct from turnover.credit_amount
            or journal.line_count is distinct from turnover.line_count
        union all
        select
            'batch/' || log_money.batch_id, '整批未入账 / a whole batch is not in the books',
            null, null, null, null, log_money.batch_id, 0, null, sum(log_money.amount)
        from ({LOG_MONEY}) as log_money
        where log_money.amount > 0
            and not exists (
                select from ledger.journal_line as line
                where line.region_code = $region and line.event_seq > $after and line.event_seq <= $head
                    and line.batch_id = log_money.batch_id
            )
        group by log_money.batch_id
    """,
    examined=f"""
        select count(distinct event.batch_id) from {EVENTS}
    """,
    population=INCREMENT_SIZE,
)

CHECKS: tuple[Check, ...] = (C01, C02, C03, C04, C05, C06)
