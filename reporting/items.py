"""One offending item as people read it: where it stands, what is wrong, how much, since when."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ingestion.errors import CODES
from ingestion.reasons import names
from ingestion.settings import BEIJING
from reporting.arrivals import ListedFile
from reporting.names import BENEFIT_ITEMS, FUNDS, PERSONAL_COLUMNS, SUB_FUNDS, Name, name_of
from reporting.quality import CUT_OFF, Finding
from reporting.verdict import money

FAMILIES = {
    "registration": Name("参保登记", "registration"),
    "contribution": Name("征缴", "contribution"),
    "claim": Name("待遇结算", "claim"),
    "treasury": Name("资金", "treasury"),
    "control": Name("控制", "control"),
}

# Columns of an item that stand in columns of their own on the page, or say nothing to its reader.
_SHOWN_ELSEWHERE = {
    *("item", "reason", "amount", "severity", "region_code", "head_seq", "accounting_month", "period", "entry_id"),
    *("event_seq", "event_type", "source_system", "source_file", "source_line", "error_codes"),
}
_LABELS = {
    "fund_code": "基金",
    "sub_fund": "子基金",
    "account_code": "科目",
    "line_code": "报表项目",
    "benefit_item": "待遇项目",
    "family": "类别",
    "debit_amount": "借方",
    "credit_amount": "贷方",
    "balance": "余额",
    "log_amount": "日志金额",
    "ledger_amount": "账上金额",
    "statement_amount": "报表金额",
    "journal_amount": "分录金额",
    "expected_amount": "应为",
    "compared_amount": "对照金额",
    "sheet_amount": "报表金额",
    "opening": "期初",
    "closing": "期末",
    "pooled_amount": "统筹",
    "personal_amount": "个人账户",
    "total_amount": "合计",
    "rows": "行数",
    "declared_rows": "清单行数",
    "loaded": "入账",
    "duplicate": "重复",
    "quarantined": "隔离",
    "in_log": "日志行数",
    "set_aside": "隔离区行数",
    "loaded_later": "后续入账",
    "due_on": "应到日",
    "due_rule": "报送规则",
    "seen": "已见文件",
    "occurred_on": "业务日期",
    "quarantined_at": "隔离时间",
    "row_share": "行数占比",
    "row_share_max": "行数阈值",
    "amount_share": "金额占比",
    "amount_share_max": "金额阈值",
    "posted_amount": "入账金额",
    "batch_id": "批次",
    "stored_hash": "所存哈希",
    "expected_hash": "重算哈希",
    "posted_type": "事件类型",
    "rows_examined": "检查行数",
    "population": "应检查行数",
    "voucher_no": "凭证号",
    "opening_difference": "期初差额",
    "turnover_difference": "发生额差额",
    "closing_difference": "期末差额",
    "column_name": "栏次",
    "sheet_change": "报表变动",
    "statement_change": "报表变动",
    "sum_of_months": "各月之和",
    "closing_before": "上期期末",
    "net_assets": "净资产",
    "journal_lines": "分录行数",
    "turnover_lines": "发生额行数",
    "first_missing_seq": "缺号自",
    "last_missing_seq": "缺号至",
    "recorded_at": "记录时间",
    "recorded_before": "前一记录时间",
    "posting_date": "记账日期",
    "employer_no": "单位编号",
    "account_name": "科目名称",
    "found": "查出",
    "listed": "列出",
    "person_count": "人数",
    "month": "月份",
    "since": "起始日",
    "rule_date": "适用规则日",
    "paid_on": "支付日",
    "care_item": "对应医疗项目",
    "rules": "规则行",
    "days": "应计天数",
    "stated_days": "申报天数",
    "daily_base": "日基数",
    "stated_base": "申报日基数",
    "demanded_base": "应有日基数",
    "months_lacking": "欠缺月数",
    "payee_type": "发放对象",
    "payee_demanded": "应发对象",
    "computed_amount": "应付",
    "paid_amount": "实付",
    "awaited_amount": "待付",
    "overpaid_amount": "多付",
    "underpaid_amount": "少付",
    "stated_amount": "平台所报",
    "payment_method": "付费方式",
    "method_demanded": "应用付费方式",
    "merged_rate": "合并后费率",
    "expected_rate": "两险之和",
    "migrated_on": "并入日",
}
_NAMES = {"fund_code": FUNDS, "sub_fund": SUB_FUNDS, "benefit_item": BENEFIT_ITEMS, "family": FAMILIES}
_SHARES = ("row_share", "row_share_max", "amount_share", "amount_share_max")


# The detail of a row's message quotes its values: a conflict both rows, a reference the key of the original, any other
# the columns it names with what they held.
_QUOTES = "E-CONFLICT"
_QUOTES_ONE_VALUE = "E-REF-"
_QUOTING = re.compile(
    r"(?P<said>(?:.* )?(?P<code>E-[A-Z]+(?:-[A-Z]+)*) [^\[]*?) \[(?P<detail>.*)\] / (?P<english>[^\]]*)", re.DOTALL
)
_QUOTING_FIRST_LINE = ("E-FILE-HEADER", "E-FILE-COLUMNS", "E-FILE-DUPLICATE-COLUMN")
_TWO_ROWS = re.compile(r"已有/stored (?P<stored>\{.*\})；新到/new (?P<new>\{.*\})", re.DOTALL)


@dataclass(frozen=True)
class Item:
    """A row of the list below a check. `others` are label and value of everything without a column."""

    key: str
    reason: str
    codes: tuple[str, ...]
    month: str
    entry: str
    event: str
    event_type: str
    file: str
    line: str
    amount: Decimal | None
    first_seen_at: datetime
    age_days: int
    others: tuple[tuple[str, str], ...]


def is_note(finding: Finding) -> bool:
    """Whether this is not an item but the note that more were found than recorded."""
    return finding.key == CUT_OFF


def item_of(finding: Finding) -> Item:
    """The item of a finding."""
    row = finding.item
    return Item(
        key=finding.key,
        reason=_text(row.get("reason")),
        codes=tuple(row.get("error_codes") or ()),
        month=_text(row.get("accounting_month"))[:7] or _text(row.get("period")),
        entry=_text(row.get("entry_id")),
        event=_text(row.get("event_seq")),
        event_type=_text(row.get("event_type")),
        file="/".join(_text(row[name]) for name in ("source_system", "source_file") if row.get(name)),
        line=_text(row.get("source_line")),
        amount=finding.amount,
        first_seen_at=finding.first_seen_at,
        age_days=finding.age_days,
        others=tuple(
            (_LABELS.get(name, name), _value(name, value))
            for name, value in sorted(row.items(), key=_place)
            if name not in _SHOWN_ELSEWHERE | PERSONAL_COLUMNS and value not in (None, "", [])
        ),
    )


def in_words(item: Item) -> str:
    """The item on one line: what is wrong, and every place that leads to it, with Chinese labels."""
    errors = [f"{code} {CODES[code].zh}" if code in CODES else code for code in item.codes]
    event = " ".join(part for part in (item.event, item.event_type) if part)
    places = (
        *(("月份", item.month), ("分录", item.entry), ("事件", event), ("文件", item.file), ("行", item.line)),
        *item.others,
    )
    labelled = [f"{label}：{value}" for label, value in places if value]
    return "；".join(part for part in (item.key, item.reason, *errors, *labelled) if part)


def row_message(message: str) -> str:
    """The message of a row that was held back, without what it quotes from the rows: the columns remain."""
    parts = _QUOTING.fullmatch(message)
    if parts is None:
        return message if _QUOTES not in message else ""
    if parts["code"] == _QUOTES:
        columns = _differing(parts["detail"])
        named = f" [不同的列/columns that differ: {', '.join(columns)}]" if columns else ""
    else:
        columns = [] if parts["code"].startswith(_QUOTES_ONE_VALUE) else names(parts["detail"])
        named = f" [{', '.join(columns)}]" if columns else ""
    return f"{parts['said']}{named} / {parts['english']}"


def file_message(file: ListedFile) -> str:
    """Why a file was rejected. What the message quotes from the first line is left out: it may be a row of data."""
    if file.error_code in _QUOTING_FIRST_LINE:
        said = CODES[file.error_code]
        return f"{said.code} {said.zh} / {said.en}"
    return file.message or file.error_code or ""


def _differing(detail: str) -> list[str]:
    """Columns in which the two rows of a conflict differ; none of anything else, or of what can't be read."""
    rows = _TWO_ROWS.fullmatch(detail)
    if rows is None:
        return []
    try:
        stored, new = json.loads(rows["stored"]), json.loads(rows["new"])
    except ValueError:
        return []
    if not isinstance(stored, dict) or not isinstance(new, dict):
        return []
    return sorted(name for name in stored.keys() | new.keys() if stored.get(name) != new.get(name))


def _place(entry: tuple[str, Any]) -> tuple[int, str]:
    """Known columns first, in the order of the labels."""
    known = list(_LABELS)
    return (known.index(entry[0]) if entry[0] in known else len(known), entry[0])


def _value(name: str, value: object) -> str:
    if name in _NAMES:
        return name_of(_NAMES[name], str(value)).zh
    if name in _SHARES:
        return f"{Decimal(str(value)):.2%}"
    if name.endswith("_at"):
        return _beijing(str(value))
    return money(value) if isinstance(value, Decimal) else _text(value)


def _beijing(moment: str) -> str:
    """An instant, which databases write in UTC, to the minute in Beijing; what is none stays as it is."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone(BEIJING):%Y-%m-%d %H:%M}"
    except ValueError:
        return moment


def _text(value: object) -> str:
    return "" if value is None else str(value)
