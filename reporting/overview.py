"""What several pages of the site show, read from one state of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from expectations.suites import gate_checks
from ingestion.database import Connection
from ingestion.settings import BEIJING
from reporting import arrivals, books, quality
from reporting.alerts.undelivered import Undelivered, undelivered

# What pages of thirty bad regions can hold and still be read; beyond, everything is counted and stays in the database.
CHECKS_IN_FULL = 150
OPEN_ROWS_ON_PAGE = 200
OPEN_ROWS_OF_REGION_MIN = 2
OPEN_ROWS_OF_REGION_MAX = 50
FILES_LISTED_MAX = 100


@dataclass(frozen=True)
class Clock:
    """When the page is made (aware) and what day the funds have."""

    made_at: datetime
    business_date: date


@dataclass(frozen=True)
class Overview:
    """What was read. `open_list` and `files` are cut; results and totals are not."""

    clock: Clock
    run: quality.Run | None
    verdicts: list[quality.RegionVerdict]
    results: list[quality.CheckResult]
    open_rows: list[arrivals.OpenRows]
    open_codes: list[arrivals.OpenRowsOfCode]
    open_list: list[arrivals.OpenRow]
    rejected_files: int
    sources: list[arrivals.SourceFiles]
    files: list[arrivals.ListedFile]
    last_months: dict[str, date]
    undelivered: tuple[Undelivered, ...] = ()

    def last_month(self, region_code: str) -> date | None:
        """Newest published month of a region."""
        return self.last_months.get(region_code)

    def unchecked(self, region_code: str) -> list[str]:
        """Checks of the catalogue without a result on a region, in its order."""
        checked = {result.code for result in self.results_of(region_code)}
        return [check.code for check in gate_checks() if check.code not in checked]

    def results_of(self, region_code: str) -> list[quality.CheckResult]:
        """Results of a region, by code."""
        return [result for result in self.results if result.region_code == region_code]


def read(connection: Connection, run_id: str | None, clock: Clock) -> Overview:
    """Read all of it; `run_id` defaults to the newest run, and may be one that left nothing behind."""
    run_id = run_id or quality.newest_run(connection)
    results = quality.results(connection, run_id) if run_id else []
    open_rows = arrivals.open_rows(connection, clock.made_at.astimezone(BEIJING).date())
    open_limit = max(OPEN_ROWS_OF_REGION_MIN, min(OPEN_ROWS_OF_REGION_MAX, OPEN_ROWS_ON_PAGE // max(len(open_rows), 1)))
    return Overview(
        clock=clock,
        run=quality.run(connection, run_id) if run_id else None,
        verdicts=quality.verdicts(connection, run_id),
        results=results,
        open_rows=open_rows,
        open_codes=arrivals.open_rows_by_code(connection),
        open_list=arrivals.largest_open_rows(connection, open_limit),
        rejected_files=arrivals.rejected_files(connection),
        sources=arrivals.source_files(connection),
        files=arrivals.listed_files(connection, FILES_LISTED_MAX),
        last_months=_last_months(connection),
        undelivered=undelivered(connection),
    )


def total_amount(rows: Sequence[arrivals.OpenRows]) -> Decimal:
    """Open amount of all regions; each row stands in one region only."""
    return sum((row.amount for row in rows), Decimal(0))


def _last_months(connection: Connection) -> dict[str, date]:
    """Newest month of every region; none before the models have been deployed."""
    if not quality.exists(connection, "marts.published_head"):
        return {}
    regions = books.regions(connection)
    return {region.region_code: region.last_month for region in regions if region.last_month is not None}
