"""Figures of a fund by month, all months at once: statements, balance sheets, closings, and the state they are of.

Amounts are Decimal yuan with two decimals; months are the first day of the month. All sums are taken by the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256

from ingestion.database import Connection
from reporting.books import Balance, Flow, Line, Row, lines, rows

# Amounts of a month by line code and sub-fund.
Flows = Mapping[str, Mapping[str, Flow]]
Balances = Mapping[str, Mapping[str, Balance]]


@dataclass(frozen=True)
class Closed:
    """Who closed a month, when, and the hashes of what was signed; `signed_at` is None until the close is complete."""

    prepared_by: str
    approved_by: str
    approved_at: datetime
    reason: str | None
    closed_seq: int
    report_sha256: str
    ledger_sha256: str
    signed_at: datetime | None


@dataclass(frozen=True)
class Point:
    """Key figures of one month, in total."""

    month: date
    income: Decimal
    expenditure: Decimal
    surplus: Decimal
    balance: Decimal
    pooled_benefits: Decimal
    maternity: Decimal

    @property
    def maternity_share(self) -> Decimal | None:
        """Maternity benefits in percent of the benefits that the pooled fund bears; None where it bears none."""
        return self.maternity * 100 / self.pooled_benefits if self.pooled_benefits > 0 else None


@dataclass(frozen=True)
class State:
    """What a month's figures are of: the last event that moved the fund up to it, and a hash over all its movements."""

    last_seq: int
    digest: str


_STATEMENTS = """
    SELECT accounting_month, line_code, sub_fund, amount_month, amount_year_to_date, year_to_date_complete
    FROM marts.income_expenditure_statement
    WHERE region_code = %s AND fund_code = %s AND accounting_month BETWEEN %s AND %s
"""
_BALANCE_SHEETS = """
    SELECT accounting_month, line_code, sub_fund, opening_amount, closing_amount
    FROM marts.balance_sheet WHERE region_code = %s AND fund_code = %s AND accounting_month = ANY(%s)
"""
_CLOSED = """
    SELECT accounting_month, prepared_by, approved_by, approved_at, reason, closed_seq, report_sha256, ledger_sha256,
        signed_at
    FROM marts.closed_period WHERE region_code = %s
"""
# What a month's movements are, without what reviews and signatures add: a digest a month, chained by the reader.
_MOVED = """
    SELECT accounting_month, max(last_seq) AS last_seq,
        md5(string_agg(concat_ws('|', account_code, sub_fund, entry_kind, line_count, debit_amount, credit_amount),
            E'\n' ORDER BY account_code, sub_fund, entry_kind)) AS digest
    FROM (
        SELECT accounting_month, account_code, sub_fund, entry_kind, max(last_seq) AS last_seq,
            sum(line_count) AS line_count, sum(debit_amount) AS debit_amount, sum(credit_amount) AS credit_amount
        FROM marts.account_turnover WHERE region_code = %s AND fund_code = %s GROUP BY 1, 2, 3, 4
    ) AS moved
    GROUP BY accounting_month ORDER BY accounting_month
"""
# Names and layout of lines and accounts, which are no part of the log.
_NAMES = """
    SELECT md5(concat(
        (SELECT string_agg(row::text, E'\n' ORDER BY row::text) FROM marts.statement_line_name AS row),
        (SELECT string_agg(row::text, E'\n' ORDER BY row::text) FROM marts.statement_account AS row),
        (SELECT string_agg(row::text, E'\n' ORDER BY row::text) FROM marts.account AS row)
    )) AS digest
"""


def statements(
    connection: Connection, region_code: str, fund_code: str, first: date, last: date
) -> tuple[dict[date, Flows], set[date]]:
    """The income and expenditure statements of a span of months, and those whose year to date is incomplete."""
    found: dict[date, dict[str, dict[str, Flow]]] = {}
    incomplete = set()
    for row in rows(connection, _STATEMENTS, (region_code, fund_code, first, last)):
        flow = Flow(row["amount_month"], row["amount_year_to_date"])
        found.setdefault(row["accounting_month"], {}).setdefault(row["line_code"], {})[row["sub_fund"]] = flow
        if not row["year_to_date_complete"]:
            incomplete.add(row["accounting_month"])
    return {month: found[month] for month in sorted(found)}, incomplete


def balance_sheets(
    connection: Connection, region_code: str, fund_code: str, months: Sequence[date]
) -> dict[date, Balances]:
    """The balance sheets of some months."""
    found: dict[date, dict[str, dict[str, Balance]]] = {}
    for row in rows(connection, _BALANCE_SHEETS, (region_code, fund_code, list(months))):
        balance = Balance(row["opening_amount"], row["closing_amount"])
        found.setdefault(row["accounting_month"], {}).setdefault(row["line_code"], {})[row["sub_fund"]] = balance
    return {month: found[month] for month in sorted(found)}


def points(statements_of: Mapping[date, Flows]) -> list[Point]:
    """Key figures of every month, oldest first."""
    return [_point(month, flows) for month, flows in sorted(statements_of.items())]


def closed_months(connection: Connection, region_code: str) -> dict[date, Closed]:
    """The closed months of a region whose closing is published."""
    return {row.pop("accounting_month"): Closed(**row) for row in rows(connection, _CLOSED, (region_code,))}


def states(connection: Connection, region_code: str, fund_code: str, months: Iterable[date]) -> dict[date, State]:
    """The state of each month, which is what has moved the fund up to it."""
    moved = rows(connection, _MOVED, (region_code, fund_code))
    return _chained(moved, sorted(months))


def names_digest(connection: Connection) -> str:
    """A hash over the names and the layout of lines and accounts."""
    return str(rows(connection, _NAMES)[0]["digest"])


class Layouts:
    """Lines of the statements by month; read once a month, whatever the number of regions."""

    def __init__(self, connection: Connection) -> None:
        """Read over this connection, which sees one state."""
        self._connection = connection
        self._known: dict[tuple[str, date], list[Line]] = {}

    def lines(self, statement_code: str, month: date) -> list[Line]:
        """The lines of `income_expenditure` or `balance_sheet` in official order, as laid out in a month."""
        key = (statement_code, month)
        if key not in self._known:
            self._known[key] = lines(self._connection, *key)
        return self._known[key]


def _point(month: date, flows: Flows) -> Point:
    def total(line_code: str) -> Decimal:
        amounts = flows.get(line_code, {})
        return amounts["total"].month if "total" in amounts else Decimal(0)

    return Point(month, *(total(code) for code in ("I90", "E90", "S10", "S30", "E11", "E113")))


def _chained(moved: list[Row], months: Sequence[date]) -> dict[date, State]:
    found, waiting = {}, list(reversed(moved))
    last_seq, chain = 0, sha256()
    for month in months:
        while waiting and waiting[-1]["accounting_month"] <= month:
            row = waiting.pop()
            last_seq = max(last_seq, row["last_seq"])
            chain.update(f"{row['accounting_month']}|{row['digest']}\n".encode())
        found[month] = State(last_seq, chain.hexdigest())
    return found
