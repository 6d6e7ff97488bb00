"""Figures of the published books: regions, statements, trial balance, maternity detail.

Amounts are Decimal yuan with two decimals, straight from `marts`; months are the first day of the month.
All sums are taken by the database.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg2.extras import RealDictCursor

from ingestion.database import Connection, connect
from ingestion.settings import Settings
from reporting.names import BENEFIT_ITEMS, PAYMENT_METHODS, Name, name_of

Row = dict[str, Any]


@dataclass(frozen=True)
class Head:
    """Up to where a region's books are public."""

    seq: int
    batch_hash: str
    rules_sha256: str
    published_at: datetime
    run_id: str


@dataclass(frozen=True)
class Region:
    """A pooling area whose books have been built; `head` is None until they have been published once."""

    region_code: str
    name_zh: str
    name_en: str
    merger_date: date | None
    head: Head | None
    funds: tuple[str, ...]
    last_month: date | None


@dataclass(frozen=True)
class Line:
    """A line of a statement. `terms` are the lines that make it up, each with its sign; empty when made of accounts."""

    line_code: str
    line_order: int
    name_zh: str
    name_en: str
    level: int
    of_which: bool
    terms: tuple[tuple[int, str], ...]


class Flow(NamedTuple):
    """Amount of the month and of the year so far."""

    month: Decimal
    year_to_date: Decimal


class Balance(NamedTuple):
    """Amount at the beginning and at the end of the month."""

    opening: Decimal
    closing: Decimal


@dataclass(frozen=True)
class StatementLine(Line):
    """A line of the income and expenditure statement; amounts by sub-fund: total, pooled, personal."""

    amounts: dict[str, Flow]
    year_to_date_complete: bool


@dataclass(frozen=True)
class BalanceLine(Line):
    """A line of the balance sheet; amounts by sub-fund: total, for net assets also pooled and personal."""

    amounts: dict[str, Balance]


@dataclass(frozen=True)
class TrialBalanceLine:
    """An account with its balances by side. Accounts above others, and the last line (no code), sum those below."""

    account_code: str
    name_zh: str
    name_en: str
    sub_fund: str
    level: int
    is_posting: bool
    opening_debit: Decimal
    opening_credit: Decimal
    debit_amount: Decimal
    credit_amount: Decimal
    closing_debit: Decimal
    closing_credit: Decimal


@dataclass(frozen=True)
class MaternityFigures:
    """Maternity benefits of the month, and of the year as the sum of its months.

    Counts are claims and persons with an amount above zero in a month: over a year somebody counts once a month.
    """

    claim_count: int
    person_count: int
    amount_month: Decimal
    claim_count_year_to_date: int
    person_count_year_to_date: int
    amount_year_to_date: Decimal


@dataclass(frozen=True)
class MaternityLine(MaternityFigures):
    """Those of one item and payment method."""

    benefit_item: str
    item: Name
    payment_method: str
    method: Name
    account_code: str
    account: Name


_REGIONS = """
    WITH known AS (
        SELECT region_code FROM marts.published_head UNION SELECT region_code FROM ledger.built_head
    ),
    fund AS (
        SELECT region_code, array_agg(DISTINCT fund_code ORDER BY fund_code) AS funds,
            max(accounting_month) AS last_month
        FROM marts.trial_balance GROUP BY region_code
    )
    SELECT known.region_code, coalesce(region.name_zh, known.region_code) AS name_zh,
        coalesce(region.name_en, known.region_code) AS name_en, region.merger_date,
        head.seq, encode(head.batch_hash, 'hex') AS batch_hash, head.rules_sha256, head.published_at, head.run_id,
        coalesce(fund.funds, '{}') AS funds, fund.last_month
    FROM known
    LEFT JOIN marts.published_head AS head ON head.region_code = known.region_code
    LEFT JOIN fund ON fund.region_code = known.region_code
    LEFT JOIN LATERAL (
        SELECT * FROM policy.policy_region AS region
        WHERE region.region_code = known.region_code
            AND region.known_from <= coalesce((head.published_at AT TIME ZONE 'Asia/Shanghai')::date, 'infinity')
        ORDER BY known_from DESC LIMIT 1
    ) AS region ON true
    ORDER BY known.region_code
"""
_MONTHS = """
    SELECT DISTINCT accounting_month FROM marts.income_expenditure_statement
    WHERE region_code = %s AND fund_code = %s AND line_code = 'S30' AND sub_fund = 'total' ORDER BY 1
"""
_LINES = """
    SELECT * FROM marts.statement_line_name
    WHERE statement = %s AND %s BETWEEN coalesce(effective_from, '-infinity') AND coalesce(effective_to, 'infinity')
    ORDER BY line_order
"""
_STATEMENT = """
    SELECT line_code, sub_fund, amount_month, amount_year_to_date, year_to_date_complete
    FROM marts.income_expenditure_statement WHERE region_code = %s AND fund_code = %s AND accounting_month = %s
"""
_MONTHLY = """
    SELECT accounting_month, line_code, amount_month, amount_year_to_date FROM marts.income_expenditure_statement
    WHERE region_code = %s AND fund_code = %s AND sub_fund = %s AND accounting_month BETWEEN %s AND %s
"""
_BALANCE_SHEET = """
    SELECT line_code, sub_fund, opening_amount, closing_amount
    FROM marts.balance_sheet WHERE region_code = %s AND fund_code = %s AND accounting_month = %s
"""
_YEAR_OPENING = """
    SELECT DISTINCT ON (line_code) line_code, opening_amount FROM marts.balance_sheet
    WHERE region_code = %(region)s AND fund_code = %(fund)s AND sub_fund = 'total'
        AND accounting_month BETWEEN date_trunc('year', %(month)s::date)::date AND %(month)s
    ORDER BY line_code, accounting_month
"""
_TRIAL_BALANCE = """
    WITH RECURSIVE above (account_code, shown_code, depth) AS (
        SELECT account_code, account_code, 0 FROM marts.account
        UNION ALL
        SELECT above.account_code, coalesce(account.parent_code, ''), depth + 1
        FROM above INNER JOIN marts.account ON account.account_code = above.shown_code
    ),
    level AS (SELECT account_code, max(depth) - 1 AS level FROM above GROUP BY account_code),
    moved AS (
        SELECT * FROM marts.trial_balance WHERE region_code = %s AND fund_code = %s AND accounting_month = %s
    )
    SELECT above.shown_code AS account_code, coalesce(account.name_zh, '合计') AS name_zh,
        coalesce(account.name_en, 'Total') AS name_en, coalesce(level.level, 0) AS level, above.depth = 0 AS is_posting,
        CASE above.depth WHEN 0 THEN moved.sub_fund ELSE 'total' END AS sub_fund,
        sum(greatest(moved.opening_balance, 0)) AS opening_debit,
        sum(greatest(-moved.opening_balance, 0)) AS opening_credit,
        sum(moved.debit_amount) AS debit_amount, sum(moved.credit_amount) AS credit_amount,
        sum(greatest(moved.closing_balance, 0)) AS closing_debit,
        sum(greatest(-moved.closing_balance, 0)) AS closing_credit
    FROM moved
    INNER JOIN above ON above.account_code = moved.account_code
    LEFT JOIN marts.account ON account.account_code = above.shown_code
    LEFT JOIN level ON level.account_code = above.shown_code
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY above.shown_code = '', above.shown_code, array_position(ARRAY['total', 'shared', 'pooled', 'personal'],
        CASE above.depth WHEN 0 THEN moved.sub_fund ELSE 'total' END)
"""
_MATERNITY_YEAR = """
    SELECT {keys},
        coalesce(sum(claim_count) FILTER (WHERE accounting_month = %(month)s), 0)::bigint AS claim_count,
        coalesce(sum(person_count) FILTER (WHERE accounting_month = %(month)s), 0)::bigint AS person_count,
        coalesce(sum(amount) FILTER (WHERE accounting_month = %(month)s), 0)::numeric(18, 2) AS amount_month,
        coalesce(sum(claim_count), 0)::bigint AS claim_count_year_to_date,
        coalesce(sum(person_count), 0)::bigint AS person_count_year_to_date,
        coalesce(sum(amount), 0)::numeric(18, 2) AS amount_year_to_date
    FROM marts.maternity_expenditure AS detail
    LEFT JOIN marts.account USING (account_code)
    WHERE region_code = %(region)s AND fund_code = %(fund)s
        AND accounting_month BETWEEN date_trunc('year', %(month)s::date)::date AND %(month)s
    GROUP BY {grouping}
    ORDER BY {order}
"""
_MATERNITY = _MATERNITY_YEAR.format(
    keys="account_code, benefit_item, payment_method, account.name_zh, account.name_en",
    grouping="account_code, benefit_item, payment_method, account.name_zh, account.name_en",
    order="account_code, benefit_item, payment_method",
)
_MATERNITY_TOTALS = _MATERNITY_YEAR.format(
    keys="coalesce(account_code, '') AS account_code", grouping="ROLLUP (account_code)", order="1"
)


# For the rest of the session: ages and ends of what was accepted go by it.
_BUSINESS_DATE = "select set_config('merged_fund.business_date', %s, false)"


@contextmanager
def one_state(settings: Settings | None = None) -> Iterator[Connection]:
    """A connection as `auditor` whose queries see one state, on the funds' business date, and which can't write."""
    settings = settings or Settings.from_env()
    connection = connect("auditor", settings=settings)
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute(_BUSINESS_DATE, (settings.business_date.isoformat(),))
        connection.commit()  # the state that is read begins with the first query
        yield connection
    finally:
        connection.close()


def regions(connection: Connection) -> list[Region]:
    """Every region whose books have been built or published, by code."""
    return [_region(row) for row in rows(connection, _REGIONS)]


def months(connection: Connection, region_code: str, fund_code: str) -> list[date]:
    """The accounting months of a fund, oldest first."""
    return [row["accounting_month"] for row in rows(connection, _MONTHS, (region_code, fund_code))]


def lines(connection: Connection, statement_code: str, month: date) -> list[Line]:
    """The lines of `income_expenditure` or `balance_sheet` in official order, as laid out in an accounting month."""
    found: dict[str, Line] = {}
    parents: dict[str, Line] = {}
    before: Line | None = None
    for row in rows(connection, _LINES, (statement_code, month)):
        line = before = _line(row, parents.get(row["line_code"]), before)
        found[line.line_code] = line
        # Only a line that stands before its parts is their heading; a total below them is not.
        parents.update({code: line for _, code in line.terms if code not in found})
    return list(found.values())


def statement(connection: Connection, region_code: str, fund_code: str, month: date) -> list[StatementLine]:
    """The income and expenditure statement of a month; empty when the fund has no such month."""
    amounts: dict[str, dict[str, Flow]] = {}
    complete = True
    for row in rows(connection, _STATEMENT, (region_code, fund_code, month)):
        flow = Flow(row["amount_month"], row["amount_year_to_date"])
        amounts.setdefault(row["line_code"], {})[row["sub_fund"]] = flow
        complete = complete and row["year_to_date_complete"]
    named = lines(connection, "income_expenditure", month)
    listed = [line for line in named if line.line_code in amounts]
    return [
        StatementLine(**vars(line), amounts=amounts[line.line_code], year_to_date_complete=complete) for line in listed
    ]


def monthly(
    connection: Connection, region_code: str, fund_code: str, sub_fund: str, first: date, last: date
) -> dict[str, dict[date, Flow]]:
    """Amounts of each month by line code and month."""
    amounts: dict[str, dict[date, Flow]] = {}
    for row in rows(connection, _MONTHLY, (region_code, fund_code, sub_fund, first, last)):
        flow = Flow(row["amount_month"], row["amount_year_to_date"])
        amounts.setdefault(row["line_code"], {})[row["accounting_month"]] = flow
    return amounts


def balance_sheet(connection: Connection, region_code: str, fund_code: str, month: date) -> list[BalanceLine]:
    """The balance sheet of a month; empty when the fund has no such month."""
    amounts: dict[str, dict[str, Balance]] = {}
    for row in rows(connection, _BALANCE_SHEET, (region_code, fund_code, month)):
        balance = Balance(row["opening_amount"], row["closing_amount"])
        amounts.setdefault(row["line_code"], {})[row["sub_fund"]] = balance
    named = lines(connection, "balance_sheet", month)
    listed = [line for line in named if line.line_code in amounts]
    return [BalanceLine(**vars(line), amounts=amounts[line.line_code]) for line in listed]


def year_opening(connection: Connection, region_code: str, fund_code: str, month: date) -> dict[str, Decimal]:
    """Balances by line code at the beginning of the month's year: of its first month in the books, in total."""
    parameters = {"region": region_code, "fund": fund_code, "month": month}
    return {row["line_code"]: row["opening_amount"] for row in rows(connection, _YEAR_OPENING, parameters)}


def trial_balance(connection: Connection, region_code: str, fund_code: str, month: date) -> list[TrialBalanceLine]:
    """The trial balance of a month by account code, each account above its parts; the last line is the total."""
    return [TrialBalanceLine(**row) for row in rows(connection, _TRIAL_BALANCE, (region_code, fund_code, month))]


def maternity(connection: Connection, region_code: str, fund_code: str, month: date) -> list[MaternityLine]:
    """Maternity benefits of the year so far by account, item and payment method; items of earlier months show zero."""
    parameters = {"region": region_code, "fund": fund_code, "month": month}
    return [_maternity_line(row) for row in rows(connection, _MATERNITY, parameters)]


def maternity_totals(
    connection: Connection, region_code: str, fund_code: str, month: date
) -> dict[str, MaternityFigures]:
    """The same summed by account code, and under the empty code all of them."""
    parameters = {"region": region_code, "fund": fund_code, "month": month}
    return {row.pop("account_code"): MaternityFigures(**row) for row in rows(connection, _MATERNITY_TOTALS, parameters)}


def rows(connection: Connection, query: str, parameters: object = None) -> list[Row]:
    """The rows of a query, each by column name."""
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(query, parameters)
        return [dict(row) for row in cursor.fetchall()]


def _region(row: Row) -> Region:
    head = None
    if row["seq"] is not None:
        head = Head(row["seq"], row["batch_hash"], row["rules_sha256"], row["published_at"], row["run_id"])
    return Region(
        row["region_code"],
        row["name_zh"],
        row["name_en"],
        row["merger_date"],
        head,
        tuple(row["funds"]),
        row["last_month"],
    )


def _line(row: Row, parent: Line | None, before: Line | None) -> Line:
    of_which = row["name_zh"].startswith("其中")
    above = before if of_which else parent
    level = above.level + 1 if above else 0
    return Line(
        row["line_code"], row["line_order"], row["name_zh"], row["name_en"], level, of_which, _terms(row["formula"])
    )


def _terms(formula: str) -> tuple[tuple[int, str], ...]:
    """`I10 + I20 - E90` as signs and line codes; nothing when the formula speaks of accounts or of other months."""
    if not re.fullmatch(r"[A-Z]\d+( [+-] [A-Z]\d+)*", formula):
        return ()
    return tuple((-1 if sign == "-" else 1, code) for sign, code in re.findall(r"([+-]?) ?([A-Z]\d+)", formula))


def _maternity_line(row: Row) -> MaternityLine:
    account = Name(row.pop("name_zh") or row["account_code"], row.pop("name_en") or row["account_code"])
    item, method = row["benefit_item"] or "", row["payment_method"] or ""
    return MaternityLine(
        **{**row, "benefit_item": item, "payment_method": method},
        item=name_of(BENEFIT_ITEMS, item),
        method=name_of(PAYMENT_METHODS, method),
        account=account,
    )
