"""What a run has brought, as a page of text: statements, files, checks, and where to look next."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal

from expectations.freeze import frozen_regions
from ingestion.database import Connection, connect
from ingestion.settings import BEIJING, reports_dir
from reporting import reviews
from runtime.layout import Layout
from runtime.terminal import table

Row = tuple[object, ...]

LINES_SHOWN = (
    *("I10", "I20", "I30", "I90", "E10", "E111", "E112", "E113", "E1131", "E1132", "E1133", "E12", "E90"),
    *("S10", "S20", "S25", "S30"),
)
_INDENT = {"E111": 1, "E112": 1, "E113": 1, "E12": 1, "E1131": 2, "E1132": 2, "E1133": 2}

_REGIONS = """
    SELECT head.region_code, region.name_zh, region.name_en, head.seq, head.published_at, head.batch_hash,
        date_trunc('month', region.merger_date)::date
    FROM marts.published_head AS head
    LEFT JOIN LATERAL (
        SELECT * FROM policy.policy_region AS region
        WHERE region.region_code = head.region_code ORDER BY known_from DESC LIMIT 1
    ) AS region ON true
    ORDER BY head.region_code
"""
_LAST_MONTH = """
    SELECT max(accounting_month) FROM marts.income_expenditure_statement WHERE region_code = %s AND fund_code = 'EMI'
"""
_STATEMENT = """
    SELECT line_code, line_name, accounting_month, amount_month FROM marts.income_expenditure_statement
    WHERE region_code = %s AND fund_code = 'EMI' AND sub_fund = 'total'
        AND accounting_month = ANY(%s) AND line_code = ANY(%s)
"""
_FILES = """
    SELECT source_system, count(*), count(*) FILTER (WHERE state = 'loaded'),
        count(*) FILTER (WHERE state = 'duplicate_file'), count(*) FILTER (WHERE state = 'rejected'),
        count(*) FILTER (WHERE state = 'waiting'), sum(rows), sum(loaded), sum(duplicate), sum(quarantined)
    FROM events.file GROUP BY source_system ORDER BY source_system
"""
_REJECTED = """
    SELECT error_code, error_message FROM (
        SELECT DISTINCT ON (file_id) * FROM events.file_outcome ORDER BY file_id, attempt_no DESC
    ) AS newest
    WHERE state = 'rejected' ORDER BY finished_at DESC LIMIT 10
"""
_OPEN_ROWS = """
    SELECT code, count(*) FROM events.quarantine_open, unnest(error_codes) AS code GROUP BY code ORDER BY 2 DESC, 1
"""
_CHECKS = """
    SELECT region_code, count(*), count(*) FILTER (WHERE success),
        count(*) FILTER (WHERE NOT success AND severity = 'fail'),
        count(*) FILTER (WHERE NOT success AND severity = 'warn' AND accepted_count < unexpected_count),
        sum(rows_examined),
        string_agg(code, ' ' ORDER BY code) FILTER (WHERE NOT success AND accepted_count < unexpected_count)
    FROM (
        SELECT DISTINCT ON (region_code, code) * FROM quality.check_result
        WHERE run_id = %s AND scope = 'gate' ORDER BY region_code, code, started_at DESC
    ) AS newest
    GROUP BY region_code ORDER BY region_code
"""


def summary(run_id: str, layout: Layout) -> str:
    """The page for the terminal, in Chinese and English."""
    with closing(connect(role="auditor")) as connection:
        sections = [_statement_section(connection, region) for region in _rows(connection, _REGIONS)]
        sections += [_file_section(connection), _check_section(connection, run_id), _review_section(connection)]
        sections.append(_next_section(layout))
    return "\n\n".join("\n".join(section) for section in sections)


def short_summary(run_id: str | None) -> str:
    """What has become of files and rows so far, what the run's checks said, and where the overview page lies."""
    with closing(connect(role="auditor")) as connection:
        lines = _file_section(connection)
        if run_id and _rows(connection, _CHECKS, run_id):
            lines += ["", *_check_section(connection, run_id), "", *_review_section(connection)]
    page = reports_dir() / "index.html"
    return "\n".join([*lines, f"  总览页 / overview page: {page.as_uri()}"] if page.exists() else lines)


def _statement_section(connection: Connection, region: Row) -> list[str]:
    code, name_zh, name_en, seq, published_at, batch_hash, merger_month = region
    (last_month,) = _rows(connection, _LAST_MONTH, code)[0]
    months = [month for month in (merger_month, last_month) if isinstance(month, date)]
    cells = _rows(connection, _STATEMENT, code, months, list(LINES_SHOWN))
    names = {str(row[0]): str(row[1]) for row in cells}
    amounts = {(row[0], row[2]): row[3] for row in cells}
    titles = [f"{merger_month:%Y-%m} 合并当月 merger", f"{last_month:%Y-%m} 最近一月 last"]
    rows = [["", "职工医保基金 EMI", *titles]]
    for line in (line for line in LINES_SHOWN if line in names):
        rows.append(
            [line, "  " * _INDENT.get(line, 0) + names[line], *(_money(amounts.get((line, m))) for m in months)]
        )
    head = bytes(batch_hash).hex()[:16] if isinstance(batch_hash, bytes | memoryview) else ""
    return [
        f"── {code} {name_zh} {name_en} · 收支表 / income and expenditure statement (元 / yuan)",
        *table(rows, right=(2, 3)),
        f"  已发布至 / published through seq {seq:,} · {_beijing(published_at)} 北京时间 / Beijing · head {head}…",
    ]


def _file_section(connection: Connection) -> list[str]:
    rows = [["", *["文件", "已入账", "重复", "拒收", "等待"], *["行", "入账", "重复", "隔离"]]]
    rows.append(
        ["", *["files", "loaded", "same", "rejected", "waiting"], *["rows", "loaded", "duplicate", "quarantined"]]
    )
    rows += [[str(row[0]), *(f"{number:,}" for number in row[1:])] for row in _rows(connection, _FILES)]
    refused = [f"  拒收 / rejected: {message or code}" for code, message in _rows(connection, _REJECTED)]
    lines = ["── 文件与行 / files and rows", *table(rows, right=range(1, 10))]
    waiting = [f"{code} {count}" for code, count in _rows(connection, _OPEN_ROWS)]
    return [*lines, *refused, "  仍在隔离区 / still in quarantine: " + (", ".join(waiting) or "无 / none")]


def _check_section(connection: Connection, run_id: str) -> list[str]:
    rows = [["", "检查 checks", "通过 passed", "不通过 failed", "提示 warned", "检查行数 rows examined", ""]]
    for region, checks, passed, failed, warned, examined, codes in _rows(connection, _CHECKS, run_id):
        rows.append([str(region), *(f"{n:,}" for n in (checks, passed, failed, warned, examined)), str(codes or "")])
    frozen = [
        f"  ✗ {one.region_code} 已由 {one.frozen_by} 暂停发布 / frozen {_beijing(one.frozen_at)}: {one.reason}"
        for one in frozen_regions(connection).values()
    ]
    return ["── 质量检查 / quality checks", *table(rows, right=range(1, 6)), *frozen]


def _review_section(connection: Connection) -> list[str]:
    made = reviews.newest(connection)
    title = "── 政策审视 / review of policy"
    if not made:
        return [title, "  尚无 / none yet"]
    head = ["", "时间 made", "检查 checks", "有发现 found", "待处理 open", "金额 amount", "未能执行 could not run"]
    rows = [head] + [
        [
            *(one.region_code, _beijing(one.made_at), *(f"{n:,}" for n in (one.checks, one.found, one.findings))),
            *(_money(one.amount), " ".join(one.unable)),
        ]
        for one in made
    ]
    return [title, *table(rows, right=range(2, 6))]


def _next_section(layout: Layout) -> list[str]:
    rows = [
        [(reports_dir() / "index.html").as_uri(), "总览页：账可不可信 / overview: can the books be trusted"],
        [str(reports_dir()), "工作簿 / workbooks: merged_fund_*.xlsx"],
        ["make psql", "查询 / ask the warehouse: select * from marts.income_expenditure_statement …"],
        ["make up", "Airflow 界面 / user interface; make down 停止一切 / stops everything"],
        ["make url", "数据库地址 / address of the warehouse, for your own tools"],
        [str(layout.local / "logs"), "日志 / logs"],
    ]
    return ["── 下一步 / where to look next", *table(rows)]


def _beijing(moment: object) -> str:
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M}" if isinstance(moment, datetime) else ""


def _rows(connection: Connection, query: str, *parameters: object) -> Sequence[Row]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters or None)
        return list(cursor.fetchall())


def _money(amount: object) -> str:
    return f"{amount:,.2f}" if isinstance(amount, Decimal) else "–"
