"""Everything that the page of one month of a fund shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from ingestion.database import Connection
from reporting.books import (
    BalanceLine,
    Line,
    MaternityLine,
    Region,
    StatementLine,
    TrialBalanceLine,
    maternity,
    trial_balance,
)
from reporting.names import Name
from reporting.statements.behind import AccountVoucher, InstitutionShare, Part, institutions, parts, vouchers
from reporting.statements.reading import (
    Balances,
    Closed,
    Flows,
    Layouts,
    Point,
    State,
    balance_sheets,
    points,
    statements,
)

# Months of a chart, the page's own being the last.
MONTHS_OF_CHART = 24


@dataclass(frozen=True)
class Compared:
    """A line of the statement beside the month before and the same month a year ago; None where there was none."""

    line: StatementLine
    before: Decimal | None
    year_ago: Decimal | None
    parts: Sequence[Part]

    @property
    def month(self) -> Decimal:
        """Amount of the month, in total."""
        return self.line.amounts["total"].month

    @property
    def year_to_date(self) -> Decimal:
        """Amount of the year so far, in total."""
        return self.line.amounts["total"].year_to_date

    @property
    def adds_up(self) -> bool:
        """Whether the accounts sum to both figures."""
        return _sums(self.parts) == (self.month, self.year_to_date)


@dataclass(frozen=True)
class Balanced:
    """A line of the balance sheet and the accounts behind it."""

    line: BalanceLine
    parts: Sequence[Part]

    @property
    def adds_up(self) -> bool:
        """Whether the accounts sum to the amounts at the end and at the beginning of the month."""
        total = self.line.amounts["total"]
        return _sums(self.parts) == (total.closing, total.opening)


@dataclass(frozen=True)
class Account:
    """An account and sub-fund that moved in the month, with its vouchers."""

    line: TrialBalanceLine
    vouchers: Sequence[AccountVoucher]

    @property
    def debit(self) -> Decimal:
        """What its vouchers sum to, debit."""
        return sum((voucher.debit_amount for voucher in self.vouchers), Decimal(0))

    @property
    def credit(self) -> Decimal:
        """What its vouchers sum to, credit."""
        return sum((voucher.credit_amount for voucher in self.vouchers), Decimal(0))

    @property
    def adds_up(self) -> bool:
        """Whether its vouchers sum to its turnover in the trial balance."""
        return (self.debit, self.credit) == (self.line.debit_amount, self.line.credit_amount)


@dataclass(frozen=True)
class MaternityItem:
    """Maternity benefits of one account and item: by payment method, and by institution."""

    account_code: str
    account: Name
    item: Name
    methods: Sequence[MaternityLine]
    institutions: Sequence[InstitutionShare]

    @property
    def month(self) -> Decimal:
        """Amount of the month."""
        return sum((line.amount_month for line in self.methods), Decimal(0))

    @property
    def year_to_date(self) -> Decimal:
        """Amount of the year so far."""
        return sum((line.amount_year_to_date for line in self.methods), Decimal(0))

    @property
    def claim_count(self) -> int:
        """Claims of the month."""
        return sum(line.claim_count for line in self.methods)

    @property
    def adds_up(self) -> bool:
        """Whether what institutions got sums to the item's amount of the month."""
        return sum((share.amount for share in self.institutions), Decimal(0)) == self.month


@dataclass(frozen=True)
class MonthBooks:
    """A month of a fund; `state`: what the figures are of."""

    region: Region
    fund_code: str
    month: date
    state: State
    closed: Closed | None
    lines: Sequence[Compared]
    balances: Sequence[Balanced]
    trial: Sequence[TrialBalanceLine]
    accounts: Sequence[Account]
    maternity: Sequence[MaternityItem]
    points: Sequence[Point]

    @property
    def complete(self) -> bool:
        """Whether the year to date has all its months."""
        return all(shown.line.year_to_date_complete for shown in self.lines)

    @property
    def only_pooled(self) -> bool:
        """Whether the fund has no personal accounts: all its amounts are pooled."""
        return self.fund_code == "MAT"

    @property
    def maternity_month(self) -> Decimal:
        """What the items sum to, for the month."""
        return sum((item.month for item in self.maternity), Decimal(0))

    @property
    def maternity_year_to_date(self) -> Decimal:
        """What the items sum to, for the year so far."""
        return sum((item.year_to_date for item in self.maternity), Decimal(0))


def month_before(month: date, months: int = 1) -> date:
    """The first day of the month so many months before."""
    years, left = divmod(month.year * 12 + month.month - 1 - months, 12)
    return date(years, left + 1, 1)


def read_months(
    connection: Connection,
    region: Region,
    fund_code: str,
    months: Mapping[date, State],
    closed: Mapping[date, Closed],
    layouts: Layouts,
) -> Iterator[MonthBooks]:
    """The books of each of the months, oldest first: what they share is read at once, the rest month by month."""
    wanted = sorted(months)
    code = region.region_code
    first = month_before(wanted[0], MONTHS_OF_CHART - 1)
    flows, incomplete = statements(connection, code, fund_code, first, wanted[-1])
    sheets = balance_sheets(connection, code, fund_code, wanted)
    behind = parts(connection, code, fund_code, wanted)
    charted = points(flows)
    for month in wanted:
        trial = trial_balance(connection, code, fund_code, month)
        yield MonthBooks(
            region=region,
            fund_code=fund_code,
            month=month,
            state=months[month],
            closed=closed.get(month),
            lines=_compared(
                layouts.lines("income_expenditure", month),
                flows,
                month,
                behind[month],
                complete=month not in incomplete,
            ),
            balances=_balanced(layouts.lines("balance_sheet", month), sheets.get(month, {}), behind[month]),
            trial=trial,
            accounts=_accounts(trial, vouchers(connection, code, fund_code, month)),
            maternity=_maternity(connection, code, fund_code, month),
            points=[point for point in charted if month_before(month, MONTHS_OF_CHART - 1) <= point.month <= month],
        )


def _compared(
    named: Sequence[Line],
    flows: Mapping[date, Flows],
    month: date,
    behind: Mapping[str, Sequence[Part]],
    *,
    complete: bool,
) -> list[Compared]:
    own = flows.get(month, {})
    before, year_ago = flows.get(month_before(month), {}), flows.get(month_before(month, 12), {})
    return [
        Compared(
            StatementLine(**vars(line), amounts=dict(own[line.line_code]), year_to_date_complete=complete),
            _total(before, line.line_code),
            _total(year_ago, line.line_code),
            behind.get(line.line_code, ()),
        )
        for line in named
        if line.line_code in own
    ]


def _total(flows: Flows, line_code: str) -> Decimal | None:
    flow = flows.get(line_code, {}).get("total")
    return flow.month if flow else None


def _balanced(named: Sequence[Line], sheet: Balances, behind: Mapping[str, Sequence[Part]]) -> list[Balanced]:
    return [
        Balanced(BalanceLine(**vars(line), amounts=dict(sheet[line.line_code])), behind.get(line.line_code, ()))
        for line in named
        if line.line_code in sheet
    ]


def _accounts(
    trial: Sequence[TrialBalanceLine], booked: Mapping[tuple[str, str], Sequence[AccountVoucher]]
) -> list[Account]:
    found = [Account(line, booked.get((line.account_code, line.sub_fund), ())) for line in trial if line.is_posting]
    return [account for account in found if account.vouchers or account.line.debit_amount or account.line.credit_amount]


def _maternity(connection: Connection, region_code: str, fund_code: str, month: date) -> list[MaternityItem]:
    lines = maternity(connection, region_code, fund_code, month)
    shares = institutions(connection, region_code, fund_code, month)
    found = []
    for (account_code, item), listed in groupby(lines, key=lambda line: (line.account_code, line.benefit_item)):
        methods = list(listed)
        found.append(
            MaternityItem(
                account_code, methods[0].account, methods[0].item, methods, shares.get((account_code, item), ())
            )
        )
    return found


def _sums(behind: Sequence[Part]) -> tuple[Decimal, Decimal]:
    return sum((part.amount for part in behind), Decimal(0)), sum((part.other for part in behind), Decimal(0))
