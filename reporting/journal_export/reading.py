"""Reads what is exported: the head, the accounts in use and, entry by entry, the general ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from ingestion.database import Connection

_ROWS_AT_A_TIME = 20_000
_ROOTS = {
    "asset": "Assets",
    "liability": "Liabilities",
    "net_assets": "Equity",
    "income": "Income",
    "expenditure": "Expenses",
}

_HEAD = "SELECT seq, encode(batch_hash, 'hex'), published_at FROM marts.published_head WHERE region_code = %s"
# A month with movement is the first one in which the account has to be open.
_ACCOUNTS = """
    SELECT moved.fund_code, moved.account_code, moved.sub_fund, account.account_class,
        account.name_zh, account.name_en, min(moved.accounting_month)
    FROM marts.account_turnover AS moved
    INNER JOIN marts.account AS account ON account.account_code = moved.account_code
    WHERE moved.region_code = %s
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3
"""
# What names a person or a settlement stays behind: entry, event, file and line lead to it.
_LINES = """
    SELECT entry_id, fund_code, accounting_month, voucher_no, posting_date, entry_kind,
        split_part(summary, ' · ', 1), event_type, benefit_item, source_system, source_file, source_line,
        account_code, sub_fund, debit_amount, credit_amount
    FROM marts.general_ledger
    WHERE region_code = %s
    ORDER BY event_seq, entry_id, line_no
"""


class Head(NamedTuple):
    """Up to where the journal is public."""

    seq: int
    batch_hash: str
    published_at: datetime


class Line(NamedTuple):
    """A line of the general ledger with what its entry carries; amounts in yuan, red ones negative on their side."""

    entry_id: str
    fund_code: str
    accounting_month: date
    voucher_no: int
    posting_date: date
    entry_kind: str
    summary: str
    event_type: str
    benefit_item: str | None
    source_system: str
    source_file: str | None
    source_line: int
    account_code: str
    sub_fund: str
    debit_amount: Decimal
    credit_amount: Decimal

    @property
    def amount(self) -> Decimal:
        """Debit positive."""
        return self.debit_amount - self.credit_amount

    @property
    def red_side(self) -> str:
        """The side on which the amount stands as a negative one; empty for an ordinary line."""
        return "debit" if self.debit_amount < 0 else "credit" if self.credit_amount < 0 else ""


@dataclass(frozen=True)
class Account:
    """An account of a fund and sub-fund as other programs name it: `Assets:EMI:Shared:1004`."""

    fund_code: str
    account_code: str
    sub_fund: str
    account_class: str
    name_zh: str
    name_en: str
    first_month: date

    @property
    def path(self) -> str:
        """By class, fund, sub-fund and code: the parts every one of the programs takes."""
        return ":".join((_ROOTS[self.account_class], self.fund_code, self.sub_fund.capitalize(), self.account_code))

    @property
    def key(self) -> tuple[str, str, str]:
        """What a line knows of its account."""
        return self.fund_code, self.account_code, self.sub_fund


def head_of(connection: Connection, region_code: str) -> Head | None:
    """The published head of a region; None when nothing of it is public."""
    with connection.cursor() as cursor:
        cursor.execute(_HEAD, (region_code,))
        row = cursor.fetchone()
    return Head(*row) if row else None


def accounts_of(connection: Connection, region_code: str) -> list[Account]:
    """All accounts that ever moved, by fund, code and sub-fund."""
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS, (region_code,))
        return [Account(*row) for row in cursor.fetchall()]


def entries_of(connection: Connection, region_code: str) -> Iterator[list[Line]]:
    """The lines of one entry after the other, in the order of events; never more than some thousand in memory."""
    with connection.cursor(name="journal_export") as cursor:
        cursor.itersize = _ROWS_AT_A_TIME
        cursor.execute(_LINES, (region_code,))
        for _, lines in groupby(map(Line._make, cursor), key=attrgetter("entry_id")):
            yield list(lines)
