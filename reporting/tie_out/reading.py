"""Reads `marts.tie_out` and `marts.tie_out_item` for a region and month; yuan, differences are ours minus theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ingestion.database import Connection
from reporting.books import Row, rows
from reporting.names import FUNDS, Name, name_of

KINDS = {
    "bank_balance": Name("银行余额", "bank balance"),
    "tax_collected": Name("税务征收", "tax collections"),
    "fiscal_expenditure": Name("财政拨付", "fiscal payments"),
    "institution_settled": Name("机构结算", "settlement with institution"),
}
OUTCOMES = {
    "agreed": Name("相符", "agreed"),
    "offsetting": Name("差错相抵", "offsetting errors"),
    "explained": Name("差额已说明", "explained"),
    "carried": Name("仅有前期差额", "carried from before"),
    "unexplained": Name("有未说明差额", "unexplained"),
}
STATUSES = {
    "matched": Name("相符", "matched"),
    "missing_here": Name("我方缺", "missing here"),
    "missing_there": Name("对方缺", "missing there"),
    "amount_differs": Name("金额不同", "amount differs"),
    "in_transit": Name("在途", "in transit"),
}
MATCHED_BY = {
    "number": Name("号码与金额", "number and amount"),
    "number_sum": Name("同号合计", "sum of a number"),
    "entry": Name("金额相同的分录", "an entry of that amount"),
    "day_sum": Name("当日合计", "sum of a day"),
    "period_sum": Name("期间合计", "sum of the period"),
    "booked_later": Name("跨月补记", "booked in a later month"),
    "taken_back": Name("下期冲回", "taken back by the next statement"),
    "none": Name("未找到对应项", "nothing found"),
}

_NEWEST = "SELECT max(accounting_month) FROM marts.outside_statement WHERE region_code = %s"
_FIGURES = """
    SELECT t.fund_code, t.statement_kind, t.account_code, account.name_zh, account.name_en, t.institution_code,
        t.period_from, t.stated_on, t.ours_amount, t.stated_amount, t.difference, t.carried_difference,
        t.explained_amount, t.in_transit_amount, t.unexplained_amount, t.status, t.source_file, t.source_line,
        t.scope, t.item_count
    FROM marts.tie_out AS t
    LEFT JOIN marts.account AS account ON account.account_code = t.account_code
    WHERE t.region_code = %s AND t.accounting_month = %s
    ORDER BY t.fund_code, t.statement_kind, t.account_code, t.institution_code, t.scope, t.stated_on
"""
# Numbers of payments and receipts stay in the database: entry, event, or file and line lead to an item.
_ITEMS = """
    SELECT fund_code, statement_kind, account_code, institution_code, stated_on, status, item_date, amount, difference,
        entry_id, entry_count, candidate_count, voucher_no, event_seq, source_file, source_line,
        stated_source_file, stated_source_line, matched_by, scope
    FROM marts.tie_out_item
    WHERE region_code = %s AND accounting_month = %s AND status <> 'matched'
    ORDER BY fund_code, statement_kind, account_code, institution_code, scope, stated_on, item_date, event_seq,
        stated_seq
"""


@dataclass(frozen=True)
class Figure:
    """One stated figure beside ours."""

    fund_code: str
    statement_kind: str
    account_code: str | None
    institution_code: str | None
    account: Name
    period_from: date
    stated_on: date
    ours_amount: Decimal
    stated_amount: Decimal
    difference: Decimal
    carried_difference: Decimal
    explained_amount: Decimal
    in_transit_amount: Decimal
    unexplained_amount: Decimal
    status: str
    source_file: str | None
    source_line: int | None
    scope: str = ""
    item_count: int = 0

    @property
    def what(self) -> Name:
        """Fund, kind and account or institution, as people read them."""
        return _what(self.fund_code, self.statement_kind, self.account, self.institution_code)


@dataclass(frozen=True)
class Item:
    """One item that differs. `candidate_count` above 1: so many entries have that very amount."""

    fund_code: str
    statement_kind: str
    account_code: str | None
    institution_code: str | None
    stated_on: date
    status: str
    item_date: date
    amount: Decimal
    difference: Decimal
    entry_id: str | None
    entry_count: int
    candidate_count: int
    voucher_no: int | None
    event_seq: int | None
    source_file: str | None
    source_line: int | None
    stated_source_file: str | None
    stated_source_line: int | None
    matched_by: str
    scope: str = ""

    @property
    def place(self) -> str:
        """Account or institution."""
        return self.account_code or self.institution_code or ""

    @property
    def ours(self) -> str:
        """Entry, voucher, and where it came from; empty when we have none."""
        if self.entry_id is None:
            return ""
        more = f" (+{self.entry_count - 1})" if self.entry_count > 1 else ""
        doubt = f" [{self.candidate_count} 笔同额 / alike]" if self.candidate_count > 1 else ""
        return f"{self.entry_id}{more} 凭证 {self.voucher_no} {self.source_file}:{self.source_line}{doubt}"

    @property
    def theirs(self) -> str:
        """The statement's row."""
        return f"{self.stated_source_file}:{self.stated_source_line}" if self.stated_source_file else ""


def newest_month(connection: Connection, region_code: str) -> date | None:
    """The newest month for which an outside party has stated anything."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, (region_code,))
        row = cursor.fetchone()
    return row[0] if row else None


def figures(connection: Connection, region_code: str, month: date) -> list[Figure]:
    """All figures stated for a month, in a fixed order."""
    return [_figure(row) for row in rows(connection, _FIGURES, (region_code, month))]


def items(connection: Connection, region_code: str, month: date) -> list[Item]:
    """All items of a month that differ, in a fixed order."""
    return [Item(**row) for row in rows(connection, _ITEMS, (region_code, month))]


def _figure(row: Row) -> Figure:
    code = row["account_code"] or ""
    account = Name(row.pop("name_zh") or code, row.pop("name_en") or code)
    return Figure(**row, account=account)


def _what(fund_code: str, kind: str, account: Name, institution_code: str | None) -> Name:
    fund, named = name_of(FUNDS, fund_code), name_of(KINDS, kind)
    place = Name(institution_code, institution_code) if institution_code else account
    if not place.zh:  # collections stated without an account
        place = Name("全部收款账户", "all accounts that collect")
    return Name(f"{fund.zh} {named.zh} {place.zh}", f"{fund.en}: {named.en}, {place.en}")
