"""Checks as the nightly audit makes them, on what its other parts have recomputed outside SQL (H01-H03, B08)."""

from __future__ import annotations

from dataclasses import replace

from expectations.check import AUDIT as NIGHTLY
from expectations.check import Check
from expectations.suites import balance, integrity

_LOG_FINDINGS = """
        select
            concat_ws('/', found.kind, found.first_seq, found.batch_id, found.detail) as item,
            concat_ws(' · ', found.reason, found.detail) as reason,
            found.batch_id, found.first_seq as event_seq, null::text as stored_hash, null::text as expected_hash,
            null::numeric as amount, 'fail' as severity
        from quality.log_finding as found
        where found.run_id = $run and found.region_code in ($region, '-') and found.code = '%s'
"""
# Beyond the findings kept of a region there may be more of either kind.
_UNLISTED = """
        select 'unlisted', '其余异常未列出 / more was found than is listed: ' || verified.found, null, null, null, null,
            null, 'fail'
        from quality.log_verification as verified
        where verified.run_id = $run and verified.region_code = $region and verified.found > (
            select count(*) from quality.log_finding as found
            where found.run_id = $run and found.region_code = $region
        )
"""
_EVENTS_VERIFIED = """
        select coalesce(max(verified.events), 0) from quality.log_verification as verified
        where verified.run_id = $run and verified.region_code = $region
"""

# By night the events of every batch have been hashed anew by `ingestion.verification`; what is left to SQL is what the
# books and their heads say of the log.
H01 = replace(
    integrity.H01,
    offending=integrity.H01.offending.replace("batch.last_seq > $after", "batch.last_seq > $head")
    + f"union all {_LOG_FINDINGS % 'H01'} union all {_UNLISTED}",
    examined="""
        select coalesce(max(verified.batches), 0) from quality.log_verification as verified
        where verified.run_id = $run and verified.region_code = $region
    """,
)
H02 = replace(integrity.H02, offending=_LOG_FINDINGS % "H02", examined=_EVENTS_VERIFIED)

_KEY = ", ".join(
    f"differs.item ->> '{column}'"
    for column in (
        *("entry_id", "line_no", "fund_code", "accounting_month", "contribution_month", "account_code", "sub_fund"),
        *("entry_kind", "voucher_no", "employer_no", "institution_code", "insurance_type"),
        # a key is shown everywhere: what is one person's is told apart by events, and not by the person's number
        *("enrollment_category", "reference_kind", "batch_id", "first_seq", "last_seq"),
    )
)
_OF_REGION = "$region = {one}.region_code or {one}.region_code not in (select region_code from ledger.built_head)"

H03 = Check(
    code="H03",
    title_zh="自日志重算的账簿与增量形成的账簿逐行一致",
    title_en="the books made anew from the log equal the books grown day by day, row for row",
    severity="fail",
    owner=integrity.AUDIT,
    clause="ledger §6.5；会计信息化工作规范 可追溯、不可篡改",
    offending=f"""
        select
            concat_ws('/', differs.relation, differs.side, {_KEY}) as item,
            case differs.side
                when 'live_only' then '仅现行账簿有此行 / only the books have this row'
                else '账簿缺此行 / the log leads to this row and the books lack it'
            end as reason,
            differs.relation, differs.entry_id, differs.event_seq,
            differs.item ->> 'accounting_month' as accounting_month, differs.item ->> 'fund_code' as fund_code,
            differs.item as row, differs.amount
        from quality.replay_difference as differs
        where differs.run_id = $run and ({_OF_REGION.format(one="differs")})
        union all
        select
            concat_ws('/', result.relation, 'more'),
            coalesce(result.problem, '不一致的行数，含未列出者 / rows that differ, also those not listed: '
                || result.live_only_rows + result.replayed_only_rows),
            result.relation, null, null, null, null, null, null
        from quality.replay_result as result
        where result.run_id = $run and not result.success and result.region_code in ($region, '-')
    """,
    examined="""
        select coalesce(sum(result.replayed_rows), 0) from quality.replay_result as result
        where result.run_id = $run and result.region_code = $region
    """,
    population="""
        select count(*) from (
            select 1 from ledger.account_turnover as turnover where turnover.region_code = $region limit 1
        ) as any_turnover
    """,
    scopes=frozenset({NIGHTLY}),
)

# The journal of every closed month beside its statements.
B08 = replace(
    balance.B08,
    offending=balance.B08.offending
    + """
        union all
        select
            to_char(hashed.accounting_month, 'YYYY-MM') || '/journal',
            '与关账时不同 / not what it was at the close',
            hashed.accounting_month, null, null, told.journal_sha256, hashed.journal_sha256, null
        from quality.closed_journal as hashed
        left join signoff.closing_figures as told
            on told.region_code = hashed.region_code and told.accounting_month = hashed.accounting_month
            and told.figures_seq = hashed.figures_seq
        where hashed.run_id = $run and hashed.region_code = $region
            and hashed.journal_sha256 is distinct from told.journal_sha256
    """,
)

INSTEAD: dict[str, Check] = {check.code: check for check in (H01, H02, B08)}
