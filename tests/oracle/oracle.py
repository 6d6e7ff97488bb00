"""The whole way at once: runs of files in, everything the contract lets a reader ask for out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from .closing import with_year_ends
from .log import FileRecord, Log, Quarantined
from .merger import with_merger
from .policy import Policy
from .positions import Arrears, PersonalAccounts, Settlements, arrears, personal_accounts, settlements
from .posting import Line, Posting
from .references import Event
from .rows import LandedFile
from .statements import (
    Maternity,
    Statement,
    TrialBalance,
    balance_sheet,
    calendars,
    income_expenditure_statement,
    maternity_expenditure,
    trial_balance,
)

Run = Sequence[LandedFile]


@dataclass(frozen=True)
class Expected:
    """What the system must show after the last run."""

    files: list[FileRecord]
    quarantine: list[Quarantined]
    lines: list[Line]
    trial_balance: TrialBalance
    income_expenditure_statement: Statement
    balance_sheet: Statement
    maternity_expenditure: Maternity
    personal_account_balance: PersonalAccounts
    contribution_arrears: Arrears
    institution_settlement: Settlements


def expect(runs: Iterable[Run], policy: Policy, today: date) -> Expected:
    """Take the runs through acceptance, posting, merger and statements."""
    log = Log(policy, today)
    for run in runs:
        log.run(run)
    return of_log(log)


def of_log(log: Log) -> Expected:
    """Books of all regions from what the log holds now."""
    lines = [line for region, events in log.by_region.items() for line in _region_lines(log.policy, region, events)]
    calendar = calendars(lines, log.policy.merger_dates)
    latest: dict[str, date] = {}
    for line in lines:
        latest[line.region] = max(latest.get(line.region, line.month), line.month)
    return Expected(
        sorted(log.files.values(), key=lambda file: file.file_id),
        log.quarantine,
        lines,
        trial_balance(lines, calendar),
        income_expenditure_statement(lines, calendar),
        balance_sheet(lines, calendar),
        maternity_expenditure(lines),
        personal_accounts(lines),
        arrears(log.by_region, latest),
        settlements(log.by_region, lines, latest),
    )


def _region_lines(policy: Policy, region: str, events: list[Event]) -> list[Line]:
    posting = Posting(policy, region)
    posting.assign_months(events)
    lines = [line for event in events for line in posting.lines(event)]
    merged = next((event for event in events if event.event_type == "fund.merged"), None)
    years = [event for event in events if event.event_type == "year.closed"]
    lines = with_year_ends(lines, years, merged)
    return with_merger(lines, merged, policy.merger_date(region)) if merged else lines
