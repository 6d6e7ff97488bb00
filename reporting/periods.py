"""Accounting months: which are closed, by whom, with which signed files; which are open, and what bars a close.

Reads only. Months are the first day of the month, times are aware.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from ingestion.database import Connection
from reporting import books
from reporting.quality import exists, rows

# Months of a region that the page lists; older ones are counted.
MONTHS_LISTED = 24
FROZEN = "quality.frozen_region"


@dataclass(frozen=True)
class SignedFile:
    """A file that was signed at a close; `path` is where it lies beside the pages."""

    name: str
    sha256: str
    size_bytes: int
    path: str


@dataclass(frozen=True)
class Closed:
    """A month that has been closed. `signed_at` is None while the close is not complete."""

    region_code: str
    month: date
    prepared_by: str
    prepared_at: datetime | None
    approved_by: str
    approved_at: datetime
    closed_at: datetime
    closed_seq: int
    report_sha256: str
    ledger_sha256: str
    reason: str | None
    signed_at: datetime | None
    files: tuple[SignedFile, ...]


@dataclass(frozen=True)
class ChecklistItem:
    """An item of a request's checklist that is not in order."""

    code: str
    outcome: str
    title_zh: str
    title_en: str
    item_count: int | None


@dataclass(frozen=True)
class Request:
    """The newest request to close the open month, how its checklist stands, and what was decided."""

    request_id: str
    attempt_no: int
    prepared_by: str
    prepared_at: datetime
    checked_seq: int
    report_sha256: str
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    outcomes: Mapping[str, int]
    items: tuple[ChecklistItem, ...]
    path: str


@dataclass(frozen=True)
class Freeze:
    """Since when a region is frozen: nothing of it is published until a named person lifts the freeze."""

    frozen_at: datetime
    frozen_by: str
    reason: str
    run_id: str | None
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Periods:
    """The months of one region, the newest first."""

    region_code: str
    closed: list[Closed]
    older_closed: int
    open: list[date]
    request: Request | None
    freeze: Freeze | None

    @property
    def due(self) -> date | None:
        """The month that can be closed next."""
        return min(self.open, default=None)


_CLOSED = """
    select event.region_code, event.accounting_month, event.prepared_by, request.prepared_at, event.approved_by,
        event.approved_at, event.recorded_at, event.seq, event.report_sha256, event.ledger_sha256, event.reason,
        signed.signed_at
    from events.event as event
    left join signoff.signed_report as signed
        on signed.region_code = event.region_code and signed.accounting_month = event.accounting_month
    left join signoff.close_request as request on request.request_id = signed.request_id
    where event.event_type = 'period.closed' and event.region_code = %(region)s
    order by event.accounting_month desc
"""

_FILES = """
    select accounting_month, file_name, sha256, length(content) from signoff.signed_file
    where region_code = %(region)s and accounting_month = any(%(months)s) order by accounting_month, file_name
"""

_REQUEST = """
    select request.request_id, request.attempt_no, request.prepared_by, request.prepared_at, request.checked_seq,
        request.report_sha256, decided.decision, decided.decided_by, decided.decided_at, decided.reason
    from signoff.close_request as request
    left join lateral (
        select * from signoff.decision as made where made.request_id = request.request_id
        order by made.decision_no desc limit 1
    ) as decided on true
    where request.region_code = %(region)s and request.accounting_month = %(month)s
    order by request.attempt_no desc limit 1
"""

_ITEMS = """
    select code, outcome, title_zh, title_en, item_count from signoff.checklist_item
    where request_id = %(request)s and kind <> 'comparison' order by item_no
"""

_FREEZES = f"select region_code, frozen_at, frozen_by, reason, run_id, codes from {FROZEN}"


def periods(connection: Connection) -> list[Periods]:
    """Every region whose books have been built, by code."""
    if not exists(connection, "ledger.built_head"):
        return []
    freezes = _freezes(connection)
    return [_periods(connection, region, freezes) for region in books.regions(connection)]


def _periods(connection: Connection, region: books.Region, freezes: Mapping[str, Freeze]) -> Periods:
    code = region.region_code
    found = rows(connection, _CLOSED, {"region": code})
    closed_months = {row[1] for row in found}
    months = {month for fund in region.funds for month in books.months(connection, code, fund)} - closed_months
    listed = found[:MONTHS_LISTED]
    files = _files(connection, code, [row[1] for row in listed])
    due = min(months, default=None)
    return Periods(
        region_code=code,
        closed=[Closed(*(*row, files.get(row[1], ()))) for row in listed],
        older_closed=len(found[MONTHS_LISTED:]),
        open=sorted(months, reverse=True),
        request=_request(connection, code, due) if due else None,
        freeze=freezes.get(code),
    )


def _files(connection: Connection, region: str, months: list[date]) -> dict[date, tuple[SignedFile, ...]]:
    found: dict[date, tuple[SignedFile, ...]] = {}
    for month, name, sha256, size in rows(connection, _FILES, {"region": region, "months": months}):
        signed = SignedFile(name, sha256, size, f"signed/{region}/{month:%Y-%m}/{name}")
        found[month] = (*found.get(month, ()), signed)
    return found


def _request(connection: Connection, region: str, month: date) -> Request | None:
    found = rows(connection, _REQUEST, {"region": region, "month": month})
    if not found:
        return None
    items = [ChecklistItem(*row) for row in rows(connection, _ITEMS, {"request": found[0][0]})]
    outcomes: dict[str, int] = {}
    for item in items:
        outcomes[item.outcome] = outcomes.get(item.outcome, 0) + 1
    unsettled = tuple(item for item in items if item.outcome not in ("ok", "info"))
    path = f"draft/{region}/{month:%Y-%m}/{found[0][1]}/close.html"
    return Request(*(*found[0], outcomes, unsettled, path))


def _freezes(connection: Connection) -> dict[str, Freeze]:
    if not exists(connection, FROZEN):
        return {}
    return {row[0]: Freeze(*(*row[1:5], tuple(row[5] or ()))) for row in rows(connection, _FREEZES)}
