"""What has to be so, what deserves a look and what compares with what, before a month is closed: all as data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from closing.records import Hashes, Item
from expectations.freeze import frozen_regions
from expectations.suites import gate_checks
from ingestion.control import check_order, money_events_after
from ingestion.database import Connection
from ingestion.errors import PeriodRefused
from reporting.books import Head, Row, rows
from reporting.names import FUNDS, Name, name_of

DECEMBER = 12
# Totals, the maternity line and its parts, balances.
_COMPARED = ("I90", "E90", "E113", "E1131", "E1132", "S10", "S30")
_RESULTS = """
    SELECT DISTINCT ON (result.code) result.*
    FROM quality.check_result AS result
    WHERE region_code = %(region)s AND scope = 'gate' AND run_id = (
        SELECT run_id FROM quality.check_result WHERE region_code = %(region)s AND scope = 'gate'
        ORDER BY started_at DESC, run_id LIMIT 1
    )
    ORDER BY result.code, result.started_at DESC
"""
_INCOME_ACCOUNT = """
    SELECT fund_code, closing_balance AS amount FROM marts.trial_balance
    WHERE region_code = %s AND accounting_month = %s AND account_code = '1002' ORDER BY fund_code
"""
# Debit positive: an asset below zero, a liability above.
_WRONG_SIDE = """
    SELECT fund_code, account_code, account_name, sub_fund, closing_balance FROM marts.trial_balance
    WHERE region_code = %s AND accounting_month = %s
        AND ((account_code LIKE '1%%' AND closing_balance < 0) OR (account_code LIKE '2%%' AND closing_balance > 0))
    ORDER BY fund_code, account_code, sub_fund
"""
_QUARANTINE = """
    SELECT sum(rows)::bigint AS rows, sum(amount)::numeric(18, 2) AS amount,
        sum(rows_without_amount)::bigint AS unreadable
    FROM quality.quarantine_open_amount WHERE region_code IN (%s, '-')
"""
_YEAR_END = """
    SELECT fund_code, sub_fund, CASE WHEN account_code LIKE '4%%' THEN 'income' ELSE 'expenditure' END AS account_class,
        sum(closing_balance)::numeric(18, 2) AS balance
    FROM marts.trial_balance
    WHERE region_code = %s AND accounting_month = %s AND (account_code LIKE '4%%' OR account_code LIKE '5%%')
    GROUP BY 1, 2, 3 HAVING sum(closing_balance) <> 0 ORDER BY 1, 2, 3 DESC
"""
_COMPARISON = """
    SELECT line.fund_code, name.line_code, name.line_order, name.name_zh, name.name_en,
        sum(line.amount_month) FILTER (WHERE line.accounting_month = %(month)s) AS amount,
        sum(line.amount_month) FILTER (WHERE line.accounting_month = %(before)s) AS amount_last_month,
        sum(line.amount_month) FILTER (WHERE line.accounting_month = %(year_ago)s) AS amount_last_year
    FROM marts.income_expenditure_statement AS line
    INNER JOIN marts.statement_line_name AS name
        ON name.statement = 'income_expenditure' AND name.line_code = line.line_code
        AND %(month)s BETWEEN coalesce(name.effective_from, '-infinity') AND coalesce(name.effective_to, 'infinity')
    WHERE line.region_code = %(region)s AND line.sub_fund = 'total' AND line.line_code = ANY(%(lines)s)
        AND line.accounting_month IN (%(month)s, %(before)s, %(year_ago)s)
    GROUP BY 1, 2, 3, 4, 5
    HAVING count(*) FILTER (WHERE line.accounting_month = %(month)s) > 0
    ORDER BY line.fund_code, name.line_order
"""


@dataclass(frozen=True)
class Checklist:
    """The items in order, and the run of the gate whose results they rest on."""

    items: list[Item]
    checks_run_id: str

    @property
    def blocked(self) -> list[Item]:
        """Items that stand against closing."""
        return [item for item in self.items if item.outcome == "blocked"]


def checklist(
    connection: Connection, region: str, month: date, head: Head, hashes: Hashes, business_date: date
) -> Checklist:
    """The checklist of a region's month at its published head; the connection sees one state of the database.

    PeriodRefused before there is anything to list: E-PERIOD-ORDER, and E-PERIOD-BEHIND when money has been recorded, or
    the gate has looked at another head, since the publication.
    """
    with connection.cursor() as cursor:
        check_order(cursor, region, month, business_date)
        behind = money_events_after(cursor, region, head.seq)
    results = rows(connection, _RESULTS, {"region": region})
    heads = {row["head_seq"] for row in results}
    if behind or heads != {head.seq}:
        checked = ", ".join(str(seq) for seq in sorted(heads)) or "–"
        raise PeriodRefused(
            "E-PERIOD-BEHIND",
            f"{region}: 已发布 published seq {head.seq}, 已检查 checked seq {checked},"
            f" 未发布资金业务 money events since {behind}",
        )
    items = [
        _ordered(month),
        _current(head),
        _gate(results),
        _not_frozen(connection, region),
        *_income_account(connection, region, month),
        *_wrong_side(connection, region, month),
        _figures(hashes),
        *_year_end(connection, region, month),
        _quarantine(connection, region),
        *_warnings(results),
        *_comparison(connection, region, month),
    ]
    return Checklist(items, str(results[0]["run_id"]))


def _ordered(month: date) -> Item:
    title = Name("以前各月均已关账，本月已结束", "all earlier months are closed, and the month is over")
    return Item("requirement", "ORDER", "ok", title, detail=f"{month:%Y-%m}")


def _current(head: Head) -> Item:
    title = Name("账簿包含日志中的全部资金业务", "the published books hold every money event of the log")
    return Item("requirement", "HEAD", "ok", title, detail=f"seq {head.seq} · {head.batch_hash}")


def _gate(results: list[Row]) -> Item:
    """Every check of severity fail has been run and is green."""
    red = [row for row in results if row["severity"] == "fail" and not row["success"]]
    missing = sorted({check.code for check in gate_checks()} - {row["code"] for row in results})
    told = [f"{row['code']} {row['title_zh']} / {row['title_en']}" for row in red]
    told += [f"{code} 未检查 / not checked" for code in missing]
    return Item(
        "requirement",
        "GATE",
        "blocked" if told else "ok",
        Name("质量闸全部检查通过", "every check of the gate is green"),
        detail="; ".join(told) or f"{results[0]['run_id']}: {len(results)} 项 / checks",
        item_count=len(told),
        amount=_sum(row["unexpected_amount"] for row in red),
    )


def _not_frozen(connection: Connection, region: str) -> Item:
    """Nothing is closed that the audit, or a person, has frozen: a closed month can't be opened again."""
    title = Name("发布未被暂停", "publication is not frozen")
    frozen = frozen_regions(connection).get(region)
    if frozen is None:
        return Item("requirement", "FREEZE", "ok", title)
    codes = f" ({', '.join(frozen.codes)})" if frozen.codes else ""
    return Item("requirement", "FREEZE", "blocked", title, detail=f"{frozen.frozen_by}{codes}: {frozen.reason}")


def _income_account(connection: Connection, region: str, month: date) -> list[Item]:
    """B09: the income account is empty at month end, or the approver says why not."""
    title = Name("收入户月末余额为零", "the income account is empty at month end")
    found = [row for row in rows(connection, _INCOME_ACCOUNT, (region, month)) if row["amount"]]
    if not found:
        return [Item("requirement", "B09", "ok", title, amount=Decimal("0.00"))]
    detail = "财社〔2017〕144号 第四十条；放行须写明原因 / to waive it the approver gives a reason"
    return [Item("requirement", "B09", "waivable", title, row["fund_code"], detail, 1, row["amount"]) for row in found]


def _wrong_side(connection: Connection, region: str, month: date) -> list[Item]:
    """B10: no asset or liability on its wrong side."""
    title = Name("资产、负债科目无反向余额", "no balance on the wrong side of an asset or liability account")
    found = rows(connection, _WRONG_SIDE, (region, month))
    if not found:
        return [Item("requirement", "B10", "ok", title)]
    return [
        Item(
            "requirement",
            "B10",
            "blocked",
            title,
            row["fund_code"],
            f"{row['account_code']} {row['account_name']}",
            1,
            row["closing_balance"],
        )
        for row in found
    ]


def _figures(hashes: Hashes) -> Item:
    title = Name("本月分录与报表的摘要", "hash of the month's journal and statements")
    return Item("requirement", "FIGURES", "ok", title, detail=hashes.ledger_sha256)


def _year_end(connection: Connection, region: str, month: date) -> list[Item]:
    """What the year end will move to the net assets when December is approved."""
    if month.month != DECEMBER:
        return []
    return [
        Item(
            "attention",
            "YEAR",
            "info",
            Name(
                f"年结将结转{name_of(FUNDS, row['fund_code']).zh}"
                f"{'收入' if row['account_class'] == 'income' else '支出'}",
                f"the year end will close {row['account_class']}",
            ),
            row["fund_code"],
            f"{row['sub_fund']} → {'3002' if row['sub_fund'] == 'personal' else '3001'}",
            None,
            abs(row["balance"]) if row["balance"] * _normal(row["account_class"]) >= 0 else -abs(row["balance"]),
        )
        for row in rows(connection, _YEAR_END, (region, month))
    ]


def _normal(account_class: str) -> int:
    return -1 if account_class == "income" else 1


def _quarantine(connection: Connection, region: str) -> Item:
    (found,) = rows(connection, _QUARANTINE, (region,))
    return Item(
        "attention",
        "QUARANTINE",
        "attention" if found["rows"] else "ok",
        Name("尚未解决的隔离行", "rows still in quarantine"),
        detail=f"其中金额不明 {found['unreadable']} 行 / of these without a readable amount"
        if found["unreadable"]
        else None,
        item_count=found["rows"] or 0,
        amount=found["amount"] or Decimal("0.00"),
    )


def _warnings(results: list[Row]) -> list[Item]:
    """Findings of the gate that publish, and that the approver has to see."""
    return [
        Item(
            "attention",
            row["code"],
            "attention",
            Name(row["title_zh"], row["title_en"]),
            None,
            f"{row['owner']}",
            row["unexpected_count"],
            row["unexpected_amount"],
        )
        for row in results
        if row["severity"] == "warn" and not row["success"]
    ]


def _comparison(connection: Connection, region: str, month: date) -> list[Item]:
    parameters = {
        "region": region,
        "month": month,
        "before": date(month.year - (month.month == 1), (month.month + 10) % 12 + 1, 1),
        "year_ago": month.replace(year=month.year - 1),
        "lines": list(_COMPARED),
    }
    return [
        Item(
            "comparison",
            row["line_code"],
            "info",
            Name(row["name_zh"], row["name_en"]),
            row["fund_code"],
            None,
            None,
            row["amount"],
            row["amount_last_month"],
            row["amount_last_year"],
        )
        for row in rows(connection, _COMPARISON, parameters)
    ]


def _sum(amounts: object) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]  # type: ignore[attr-defined]
    return sum(known, Decimal(0)) if known else None
