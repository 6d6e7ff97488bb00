"""One offending item as people read it: where it stands, what is wrong, how much, since when."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from expectations.impersonal import impersonal
from ingestion.errors import CODES
from ingestion.reasons import names
from ingestion.settings import BEIJING
from reporting.arrivals import ListedFile
from reporting.names import BENEFIT_ITEMS, FUNDS, PERSONAL_COLUMNS, SUB_FUNDS, Name, name_of
from reporting.quality import Finding
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
    "fund_code": Name("基金", "fund"),
    "sub_fund": Name("子基金", "sub-fund"),
    "account_code": Name("科目", "account"),
    "line_code": Name("报表项目", "statement line"),
    "benefit_item": Name("待遇项目", "benefit item"),
    "family": Name("类别", "family"),
    "debit_amount": Name("借方", "debit"),
    "credit_amount": Name("贷方", "credit"),
    "balance": Name("余额", "balance"),
    "log_amount": Name("日志金额", "amount in the log"),
    "ledger_amount": Name("账上金额", "amount in the ledger"),
    "statement_amount": Name("报表金额", "amount in the statement"),
    "journal_amount": Name("分录金额", "amount in the journal"),
    "expected_amount": Name("应为", "should be"),
    "compared_amount": Name("对照金额", "compared with"),
    "sheet_amount": Name("报表金额", "amount in the statement"),
    "opening": Name("期初", "opening"),
    "closing": Name("期末", "closing"),
    "pooled_amount": Name("统筹", "pooled"),
    "personal_amount": Name("个人账户", "personal account"),
    "total_amount": Name("合计", "total"),
    "rows": Name("行数", "rows"),
    "declared_rows": Name("清单行数", "declared rows"),
    "loaded": Name("入账", "loaded"),
    "duplicate": Name("重复", "duplicate"),
    "quarantined": Name("隔离", "quarantined"),
    "in_log": Name("日志行数", "rows in the log"),
    "set_aside": Name("隔离区行数", "rows set aside"),
    "loaded_later": Name("后续入账", "loaded later"),
    "due_on": Name("应到日", "due on"),
    "due_rule": Name("报送规则", "due rule"),
    "seen": Name("已见文件", "files seen"),
    "occurred_on": Name("业务日期", "occurred on"),
    "quarantined_at": Name("隔离时间", "set aside at"),
    "row_share": Name("行数占比", "share of rows"),
    "row_share_max": Name("行数阈值", "limit for rows"),
    "amount_share": Name("金额占比", "share of the amount"),
    "amount_share_max": Name("金额阈值", "limit for the amount"),
    "posted_amount": Name("入账金额", "amount posted"),
    "batch_id": Name("批次", "batch"),
    "stored_hash": Name("所存哈希", "stored hash"),
    "expected_hash": Name("重算哈希", "recomputed hash"),
    "posted_type": Name("事件类型", "event type"),
    "rows_examined": Name("检查行数", "rows examined"),
    "population": Name("应检查行数", "rows to be examined"),
    "voucher_no": Name("凭证号", "voucher"),
    "opening_difference": Name("期初差额", "difference of opening"),
    "turnover_difference": Name("发生额差额", "difference of turnover"),
    "closing_difference": Name("期末差额", "difference of closing"),
    "column_name": Name("栏次", "column"),
    "sheet_change": Name("报表变动", "change of the statement"),
    "statement_change": Name("报表变动", "change of the statement"),
    "sum_of_months": Name("各月之和", "sum of the months"),
    "closing_before": Name("上期期末", "closing before"),
    "net_assets": Name("净资产", "net assets"),
    "journal_lines": Name("分录行数", "lines of the journal"),
    "turnover_lines": Name("发生额行数", "lines of the turnover"),
    "first_missing_seq": Name("缺号自", "missing from seq"),
    "last_missing_seq": Name("缺号至", "missing to seq"),
    "recorded_at": Name("记录时间", "recorded at"),
    "recorded_before": Name("前一记录时间", "recorded before"),
    "posting_date": Name("记账日期", "posting date"),
    "employer_no": Name("单位编号", "employer"),
    "account_name": Name("科目名称", "name of the account"),
    "found": Name("查出", "found"),
    "listed": Name("列出", "listed"),
    "from_account": Name("转出账户", "from"),
    "to_account": Name("转入账户", "to"),
    "statement_kind": Name("报表类别", "kind of statement"),
    "scope": Name("口径", "scope"),
    "institution_code": Name("机构", "institution"),
    "counterparty": Name("对方", "counterparty"),
    "period_from": Name("期间首日", "period from"),
    "stated_on": Name("报表日期", "stated on"),
    "ours_amount": Name("账面数", "in the books"),
    "stated_amount": Name("对方数", "stated"),
    "difference": Name("差额", "difference"),
    "figure_status": Name("报表数结论", "status of the figure"),
    "item_status": Name("项目状态", "status of the item"),
    "matched_by": Name("核对依据", "matched by"),
    "item_date": Name("项目日期", "date of the item"),
    "candidate_count": Name("同额分录数", "entries of the same amount"),
    "stated_seq": Name("报表事件", "event of the statement"),
    "agency_expenditure": Name("经办侧支出", "expenditure of the agency side"),
    "account_change": Name("支出户与现金变动", "change of expenditure account and cash"),
    "temporary_payment_change": Name("暂付款变动", "change of temporary payments"),
    "temporary_receipt_change": Name("暂收款变动", "change of temporary receipts"),
    "income_kept": Name("留存收入", "income kept"),
    "recovered_to_special": Name("当年收回入专户", "recovered to the special account, same year"),
    "other_change": Name("其他变动", "other changes"),
    "opened_on": Name("发生日", "opened on"),
    "opened_amount": Name("原金额", "original amount"),
    "age_days": Name("已挂天数", "days open"),
    "limit_days": Name("期限天数", "limit in days"),
    "stated_as": Name("控制总额", "control total"),
    "in_log_amount": Name("日志合计", "total in the log"),
    "person_count": Name("人数", "persons"),
    "month": Name("月份", "month"),
    "since": Name("起始日", "since"),
    "rule_date": Name("适用规则日", "date of the rule"),
    "paid_on": Name("支付日", "paid on"),
    "care_item": Name("对应医疗项目", "care it is for"),
    "rules": Name("规则行", "rows of rules"),
    "days": Name("应计天数", "days due"),
    "stated_days": Name("申报天数", "days stated"),
    "daily_base": Name("日基数", "daily base"),
    "stated_base": Name("申报日基数", "daily base stated"),
    "demanded_base": Name("应有日基数", "daily base due"),
    "months_lacking": Name("欠缺月数", "months lacking"),
    "payee_type": Name("发放对象", "payee"),
    "payee_demanded": Name("应发对象", "payee due"),
    "computed_amount": Name("应付", "due"),
    "paid_amount": Name("实付", "paid"),
    "awaited_amount": Name("待付", "awaited"),
    "overpaid_amount": Name("多付", "overpaid"),
    "underpaid_amount": Name("少付", "underpaid"),
    "payment_method": Name("付费方式", "payment method"),
    "method_demanded": Name("应用付费方式", "payment method due"),
    "merged_rate": Name("合并后费率", "rate after the merger"),
    "expected_rate": Name("两险之和", "sum of the two rates"),
    "migrated_on": Name("并入日", "migrated on"),
    "gap_kind": Name("缺口", "gap"),
    "kind": Name("情形", "kind"),
    "insured_from": Name("参保首日", "insured from"),
    "insured_until": Name("参保结束日", "insured until"),
    "other_region_code": Name("另一统筹区", "other region"),
    "other_employer_no": Name("另一单位", "other employer"),
    "other_insured_from": Name("另一参保首日", "other insured from"),
    "other_insured_until": Name("另一参保结束日", "other insured until"),
    "overlap_from": Name("重叠首日", "overlap from"),
    "overlap_until": Name("重叠结束日", "overlap until"),
    "overlap_days": Name("重叠天数", "days of overlap"),
    "days_tolerated": Name("允许天数", "days tolerated"),
    "late_kind": Name("情形", "kind"),
    "employer_name": Name("单位名称", "name of the employer"),
    "first_assessed_month": Name("首个核定月", "first month assessed"),
    "told_before": Name("此前已报至", "told up to before"),
    "late_days": Name("逾期天数", "days late"),
    "days_allowed": Name("期限天数", "days allowed"),
    "first_on": Name("最早业务日", "first day"),
    "last_on": Name("最晚业务日", "last day"),
    "recovered_amount": Name("已追回", "recovered"),
    "level": Name("等级", "level"),
    "value": Name("数值", "value"),
    "numerator": Name("分子", "numerator"),
    "denominator": Name("分母", "denominator"),
    "threshold": Name("预警线", "line"),
    "formula": Name("公式", "formula"),
    "line_name": Name("项目名称", "name of the line"),
    "adjusted_amount": Name("调整后预算", "budget as adjusted"),
    "amount_year_to_date": Name("本年累计", "year to date"),
    "execution_rate": Name("执行率", "rate of execution"),
    "expected_share": Name("时间进度", "share of time"),
    "lacking": Name("缺少", "lacking"),
    "open_rows": Name("待更正行数", "rows waiting"),
    "open_share": Name("待更正占比", "share waiting"),
    "oldest_days": Name("最久天数", "days of the oldest"),
    "days_late": Name("逾期天数", "days late"),
    "evidence": Name("事实指纹", "fingerprint of the facts"),
}
_LEVELS = {
    "red": Name("红色预警", "red"),
    "yellow": Name("黄色预警", "yellow"),
    "yellow_high": Name("偏高", "high"),
    "excessive": Name("过高", "excessive"),
}
_NAMES = {
    "level": _LEVELS,
    "fund_code": FUNDS,
    "sub_fund": SUB_FUNDS,
    "benefit_item": BENEFIT_ITEMS,
    "family": FAMILIES,
}
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
    others: tuple[tuple[Name, Name | Decimal], ...]


def item_of(finding: Finding) -> Item:
    """The item of a finding, without what leads to a person, wherever in it that stands."""
    row: dict[str, Any] = impersonal({**finding.item, "item": finding.key})
    return Item(
        key=_text(row["item"]),
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
            (_LABELS.get(name, Name(name, name)), _value(name, value))
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
        *((label.zh, money(value) if isinstance(value, Decimal) else value.zh) for label, value in item.others),
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


def _value(name: str, value: object) -> Name | Decimal:
    if isinstance(value, Decimal) and name not in _SHARES:
        return value
    if name in _NAMES:
        return name_of(_NAMES[name], str(value))
    text = _text(value)
    if name in _SHARES:
        text = f"{Decimal(str(value)):.2%}"
    elif name.endswith("_at"):
        text = _beijing(str(value))
    return Name(text, text)


def _beijing(moment: str) -> str:
    """An instant, which databases write in UTC, to the minute in Beijing; what is none stays as it is."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone(BEIJING):%Y-%m-%d %H:%M}"
    except ValueError:
        return moment


def _text(value: object) -> str:
    return "" if value is None else str(value)
