"""The verdict of a run in words, Chinese and English: what failed, how many rows, what amount, where to look."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from typing import Any

from expectations.check import GATE, REVIEW, Scope
from ingestion.database import Connection, connect
from ingestion.settings import Settings

DECISIONS = {
    "published": "已发布 / published",
    "refused": "拒绝发布 / refused",
    "unchanged": "无新数据 / unchanged",
    None: "尚未决定 / not decided yet",
}
WHAT_TO_DO = {
    "frozen": "已暂停发布，查明并处理后由专人恢复"
    " / publication is frozen; once the cause is dealt with, a named person lifts it:"
    " python -m expectations lift --region <统筹区 region> --by <姓名 name> --reason <原因 reason>",
    "rules-not-adopted": "记账规则已变更，先在日志中采用"
    " / the posting rules have changed and must be adopted in the log:"
    " python -m expectations adopt-rules --region <统筹区 region> --by <姓名 name> --reason <原因 reason>",
}
_OCCASIONS = {GATE: "质量闸 / quality gate", REVIEW: "政策审视 / review of policy"}
_PLACES_SHOWN = 3

_REGIONS = """
    select checked.region_code, checked.head_seq, checked.check_count, region.name_zh, region.name_en, decided.decision,
        coalesce(decided.failed_checks, '{}')
    from (
        select region_code, max(head_seq) as head_seq, count(distinct code) as check_count
        from quality.check_result where run_id = %(run)s and scope = %(scope)s group by region_code
    ) as checked
    left join lateral (
        select name_zh, name_en from policy.policy_region as region
        where region.region_code = checked.region_code order by known_from desc limit 1
    ) as region on true
    left join lateral (
        select decision, failed_checks from quality.publication_decision as decided
        where decided.run_id = %(run)s and decided.region_code = checked.region_code order by decided_at desc limit 1
    ) as decided on true
    order by checked.region_code
"""

_RESULTS = """
    select code, severity, title_zh, title_en, unexpected_count, unexpected_amount, owner, sample, accepted_count
    from (
        select distinct on (code) * from quality.check_result
        where run_id = %s and region_code = %s and scope = %s order by code, started_at desc
    ) as newest
    where not success
    order by severity, code
"""

_SCOPE = "select scope from quality.check_result where run_id = %s order by scope = 'gate' desc limit 1"


def newest_run(connection: Connection) -> str | None:
    """The run whose checks began last; None before the first."""
    with connection.cursor() as cursor:
        cursor.execute("select run_id from quality.check_result where scope = 'gate' order by started_at desc limit 1")
        row = cursor.fetchone()
    return row[0] if row else None


def explain(run_id: str | None = None, settings: Settings | None = None, scope: Scope | None = None) -> str:
    """Verdict of a run (default: the newest) per region, with its failed checks; ends with where to look for more.

    `scope` of the results told; by default those of the gate, and others only of a run that has none of the gate.
    """
    with closing(connect("fund_quality", settings=settings)) as connection:
        run_id = run_id or newest_run(connection)
        if run_id is None:
            return "尚无质量检查结果 / no checks have been run yet"
        told = scope or _scope_of(connection, run_id)
        with connection.cursor() as cursor:
            cursor.execute(_REGIONS, {"run": run_id, "scope": told})
            regions = cursor.fetchall()
        lines = [f"{_OCCASIONS.get(told, _OCCASIONS[GATE])} · run_id = {run_id}"]
        for region in regions:
            lines += _region_lines(connection, (run_id, told), region)
    lines.append(
        "全部问题 / all findings:  "
        + f"select * from quality.finding where run_id = '{run_id}' order by region_code, code;"
    )
    lines.append("含义与处理办法 / what to do:  docs/supervision.md")
    return "\n".join(lines)


def _scope_of(connection: Connection, run_id: str) -> Scope:
    with connection.cursor() as cursor:
        cursor.execute(_SCOPE, (run_id,))
        row = cursor.fetchone()
    return row[0] if row else GATE


def _region_lines(connection: Connection, told: tuple[str, Scope], region: Sequence[Any]) -> list[str]:
    run_id, scope = told
    code, head_seq, check_count, name_zh, name_en, decision, failed = region
    with connection.cursor() as cursor:
        cursor.execute(_RESULTS, (run_id, code, scope))
        results = cursor.fetchall()
    name = " ".join(part for part in (name_zh, name_en) if part)
    red = sum(1 for result in results if result[1] == "fail")
    accepted = sum(1 for result in results if result[4] == result[8])
    decided = "已发布 / as published" if scope == REVIEW else DECISIONS[decision]
    lines = [
        f"{code} {name}: {decided} · seq {head_seq} · 检查 / checks {check_count}, "
        f"不通过 / failed {red}, 提示 / warnings {len(results) - red - accepted}"
        + (f", 已接受 / accepted {accepted}" if accepted else "")
    ]
    others = [reason for reason in failed if reason not in {result[0] for result in results}]
    lines += [f"  ✗ {' '.join(part for part in (reason, WHAT_TO_DO.get(reason)) if part)}" for reason in others]
    for result in results:
        lines += _result_lines(result)
    return lines


def _result_lines(result: Sequence[Any]) -> list[str]:
    code, severity, title_zh, title_en, count, amount, owner, sample, accepted_count = result
    mark = "✗" if severity == "fail" else "·" if accepted_count == count else "!"
    accepted = f" · 已接受 / accepted {accepted_count}" if accepted_count else ""
    money = "" if amount is None else f", {amount:,.2f} 元 / yuan"
    rows = sample if isinstance(sample, list) else json.loads(sample)
    return [
        f"  {mark} {code} {title_zh} / {title_en}: {count} 行 / rows{money} · 责任岗位 / owner {owner}{accepted}",
        *(f"      {_place(row)}" for row in rows[:_PLACES_SHOWN]),
    ]


def _place(row: dict[str, Any]) -> str:
    """One offending row on one line: what it is, and the places that lead to it."""
    places = {
        "月份 / month": str(row.get("accounting_month", ""))[:7],
        "分录 / entry": row.get("entry_id"),
        "seq": row.get("event_seq"),
        "文件 / file": "/".join(str(row[key]) for key in ("source_system", "source_file") if row.get(key)),
        "行 / line": row.get("source_line"),
        "错误码 / codes": ", ".join(row.get("error_codes") or ()),
        "金额 / amount": "" if row.get("amount") is None else f"{Decimal(str(row['amount'])):,.2f}",
    }
    shown = " · ".join(f"{label} {value}" for label, value in places.items() if value not in (None, ""))
    return " · ".join(part for part in (str(row.get("item", "")), str(row.get("reason") or ""), shown) if part)
