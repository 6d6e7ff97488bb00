"""Everything that the overview page shows, read from one state of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from expectations.suites import all_checks
from ingestion.database import Connection
from ingestion.settings import BEIJING
from reporting import arrivals, books, quality
from reporting.alerts.undelivered import Undelivered, undelivered

# What a page of thirty bad regions can hold and still be read. Beyond, everything is counted, and stands in the
# database: offending items on the whole page and of one check, and checks that are shown with their items.
ITEMS_ON_PAGE = 1200
ITEMS_OF_CHECK_MAX = 50
ITEMS_OF_CHECK_MIN = 2
CHECKS_IN_FULL = 150
OPEN_ROWS_ON_PAGE = 200
OPEN_ROWS_OF_REGION_MAX = 50
FILES_LISTED_MAX = 100


@dataclass(frozen=True)
class Clock:
    """When the page is made (aware) and what day the funds have."""

    made_at: datetime
    business_date: date


@dataclass(frozen=True)
class FundBooks:
    """Newest published month of a fund; `ended` when the region's books go on without it."""

    fund_code: str
    month: date
    ended: bool
    statement: list[books.StatementLine]
    balances: list[books.BalanceLine]
    maternity: list[books.MaternityLine]

    @property
    def lines(self) -> list[books.StatementLine]:
        """Lines of the statement; of a fund that has ended, those that moved."""
        return [line for line in self.statement if not self.ended or any(line.amounts["total"])]

    @property
    def last_maternity_line(self) -> str | None:
        """The line below which the maternity detail stands."""
        codes = [line.line_code for line in self.lines if line.line_code.startswith("E113")]
        return codes[-1] if codes else None


@dataclass(frozen=True)
class Overview:
    """The page's content. `findings` and `open_list` are cut; results and totals are not."""

    clock: Clock
    run: quality.Run | None
    verdicts: list[quality.RegionVerdict]
    results: list[quality.CheckResult]
    findings: list[quality.Finding]
    open_rows: list[arrivals.OpenRows]
    open_codes: list[arrivals.OpenRowsOfCode]
    open_list: list[arrivals.OpenRow]
    missing_files: list[arrivals.MissingFile]
    rejected_files: int
    sources: list[arrivals.SourceFiles]
    files: list[arrivals.ListedFile]
    books: dict[str, list[FundBooks]]
    undelivered: tuple[Undelivered, ...] = ()

    def last_month(self, region_code: str) -> date | None:
        """Newest published month of a region."""
        return max((fund.month for fund in self.books.get(region_code, ())), default=None)

    def unchecked(self, region_code: str) -> list[str]:
        """Checks of the catalogue without a result on a region, in its order."""
        checked = {result.code for result in self.results_of(region_code)}
        return [check.code for check in all_checks() if check.code not in checked]

    def results_of(self, region_code: str) -> list[quality.CheckResult]:
        """Results of a region, by code."""
        return [result for result in self.results if result.region_code == region_code]

    def findings_of(self, region_code: str, code: str) -> list[quality.Finding]:
        """The listed items of one check on one region."""
        return [found for found in self.findings if (found.region_code, found.code) == (region_code, code)]


def read(connection: Connection, run_id: str | None, clock: Clock) -> Overview:
    """Read all of it; `run_id` defaults to the newest run, and may be one that left nothing behind."""
    run_id = run_id or quality.newest_run(connection)
    results = quality.results(connection, run_id) if run_id else []
    failed = min(sum(not result.success for result in results), CHECKS_IN_FULL)
    limit = _share(ITEMS_ON_PAGE, failed, ITEMS_OF_CHECK_MAX)
    open_rows = arrivals.open_rows(connection, clock.made_at.astimezone(BEIJING).date())
    open_limit = _share(OPEN_ROWS_ON_PAGE, len(open_rows), OPEN_ROWS_OF_REGION_MAX)
    return Overview(
        clock=clock,
        run=quality.run(connection, run_id) if run_id else None,
        verdicts=quality.verdicts(connection, run_id),
        results=results,
        findings=quality.findings(connection, run_id, limit=limit) if run_id else [],
        open_rows=open_rows,
        open_codes=arrivals.open_rows_by_code(connection),
        open_list=arrivals.largest_open_rows(connection, open_limit),
        missing_files=arrivals.missing_files(connection, run_id) if run_id else [],
        rejected_files=arrivals.rejected_files(connection),
        sources=arrivals.source_files(connection),
        files=arrivals.listed_files(connection, FILES_LISTED_MAX),
        books=_books(connection),
        undelivered=undelivered(connection),
    )


def total_amount(rows: Sequence[arrivals.OpenRows]) -> Decimal:
    """Open amount of all regions; each row stands in one region only."""
    return sum((row.amount for row in rows), Decimal(0))


def _share(total: int, parts: int, most: int) -> int:
    return max(ITEMS_OF_CHECK_MIN, min(most, total // max(parts, 1)))


def _books(connection: Connection) -> dict[str, list[FundBooks]]:
    """Newest statements by region; none before the models have been deployed."""
    if not quality.exists(connection, "marts.published_head"):
        return {}
    found = {}
    for region in books.regions(connection):
        months = {fund: books.months(connection, region.region_code, fund) for fund in region.funds}
        last = {fund: listed[-1] for fund, listed in months.items() if listed}
        found[region.region_code] = [
            _fund(connection, region.region_code, fund, month, ended=month < max(last.values()))
            for fund, month in sorted(last.items())
        ]
    return found


def _fund(connection: Connection, region: str, fund: str, month: date, *, ended: bool) -> FundBooks:
    return FundBooks(
        fund,
        month,
        ended,
        books.statement(connection, region, fund, month),
        books.balance_sheet(connection, region, fund, month),
        books.maternity(connection, region, fund, month),
    )
