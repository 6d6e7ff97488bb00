"""What the page of a month says in words: names, and a sentence below each chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace

from reporting.names import Name
from reporting.statements.month import MonthBooks
from reporting.statements.reading import Point
from reporting.verdict import money

NAMES = SimpleNamespace(
    closed=Name("已关账", "Closed"),
    open=Name("未关账", "Not closed"),
    incomplete=Name("本年累计不完整", "Year to date incomplete"),
    month=Name("本月数", "month"),
    year_to_date=Name("本年累计数", "year to date"),
    opening=Name("月初数", "beginning of the month"),
    closing=Name("月末数", "end of the month"),
    opening_balance=Name("期初余额", "opening"),
    turnover=Name("本期发生额", "turnover"),
    closing_balance=Name("期末余额", "closing"),
    flow=Name("收入与支出", "Income and expenditure"),
    balance=Name("滚存结余", "Accumulated balance"),
    share=Name("生育待遇支出", "Maternity benefits"),
    percent=Name("生育待遇支出占统筹基金待遇支出的比例", "Maternity benefits as a share of pooled benefits"),
)
ENTRY_KINDS = {
    "normal": Name("日常", "normal"),
    "opening": Name("期初建账", "opening"),
    "merger": Name("基金合并", "merger"),
    "closing": Name("年末结转", "year-end closing"),
}
SIGNATURES = (
    Name("单位负责人（签章）：", "Head of the unit"),
    Name("主管会计工作负责人（签章）：", "Officer in charge of accounting"),
    Name("会计机构负责人（签章）：", "Head of the accounting office"),
    Name("制表人（签章）：", "Prepared by"),
)


@dataclass(frozen=True)
class View:
    """Keys of a page as its queries write them, accounts that have vouchers on it, and summaries of its charts."""

    region: str
    fund: str
    month: str
    moved: frozenset[str]
    flow_summary: Name
    balance_summary: Name
    share_summary: Name
    percent_summary: Name


def view_of(books: MonthBooks) -> View:
    """The words and keys of a month's page."""
    last = books.points[-1]
    return View(
        region=books.region.region_code,
        fund=books.fund_code,
        month=f"{books.month:%Y-%m-%d}",
        moved=frozenset(f"{account.line.account_code}-{account.line.sub_fund}" for account in books.accounts),
        flow_summary=Name(
            f"本月收入 {money(last.income)} 元，支出 {money(last.expenditure)} 元，收支结余 {money(last.surplus)} 元。",
            f"Income {money(last.income)}, expenditure {money(last.expenditure)},"
            f" surplus {money(last.surplus)} yuan in the month.",
        ),
        balance_summary=_change(books.points),
        share_summary=Name(
            f"本月生育待遇支出 {money(last.maternity)} 元，统筹基金待遇支出 {money(last.pooled_benefits)} 元。",
            f"Maternity benefits {money(last.maternity)}, all benefits of the pooled fund"
            f" {money(last.pooled_benefits)} yuan in the month.",
        ),
        percent_summary=_share(last.maternity_share),
    )


def _change(points: Sequence[Point]) -> Name:
    first, last = points[0], points[-1]
    change = money(last.balance - first.balance)
    return Name(
        f"期末滚存结余 {money(last.balance)} 元，较 {first.month:%Y-%m} 增减 {change} 元。",
        f"Balance {money(last.balance)} yuan, a change of {change} since {first.month:%Y-%m}.",
    )


def _share(share: Decimal | None) -> Name:
    if share is None:
        return Name("本月没有统筹基金待遇支出。", "No benefits of the pooled fund in the month.")
    return Name(f"本月占 {share:.2f}%。", f"{share:.2f}% in the month.")
