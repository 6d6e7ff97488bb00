"""Preparing a close: check a month at the published head, draw up what the approver reads, and ask."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from psycopg2.extensions import cursor as Cursor

from closing import pack, records, telling
from closing.checklist import checklist
from closing.figures import FiguresError, figures
from closing.records import PARTS, Hashes, Item, Request
from ingestion.control import closed_period
from ingestion.database import Connection, connect
from ingestion.errors import PeriodRefused
from ingestion.settings import Settings
from reporting import books
from reporting.books import Region
from reporting.workbook import workbook

REPORTS_URL = "/fund-reports"


@dataclass(frozen=True)
class Prepared:
    """A request with its checklist and the name of its region."""

    request: Request
    items: list[Item]
    region_name: str

    @property
    def form(self) -> str:
        """What the approver's form says, in Markdown."""
        month = f"{self.request.accounting_month:%Y-%m}"
        folder = f"{REPORTS_URL}/draft/{self.request.region_code}/{month}/{self.request.attempt_no}"
        book = pack.workbook_name(self.request.region_code, self.request.accounting_month)
        links = [("关账清单 checklist", f"{folder}/{pack.PAGE}"), ("工作簿 workbook", f"{folder}/{book}")]
        return telling.form(self.request, self.region_name, self.items, links)


def is_closed(region: str, month: date, settings: Settings | None = None) -> bool:
    """Whether the log has closed the month, also when its close is not complete yet."""
    with closing(connect("auditor", settings=settings)) as connection, connection.cursor() as cursor:
        return closed_period(cursor, region, month) is not None


def prepare(
    region: str, month: date, prepared_by: str, requested_by: str, settings: Settings | None = None
) -> Prepared:
    """Ask for the close of a region's month; returns the request, which an approver then decides on.

    The same question of the same people about the same state is one request. PeriodRefused: E-PERIOD-ORDER,
    E-PERIOD-BEHIND, E-PERIOD-UNKNOWN, and E-PERIOD-CHECKS for a checklist that stands against it, which is kept.
    """
    settings = settings or Settings.from_env()
    with books.one_state(settings) as connection:
        of_region = _region(connection, region, month)
        draft = _request(connection, of_region, month, prepared_by, requested_by)
        listed = checklist(connection, region, month, _head(of_region), draft.hashes, settings.business_date)
        book = workbook(connection, of_region, month)
    draft = replace(draft, checks_run_id=listed.checks_run_id)
    stored = _store(draft, of_region.name_zh, listed.items, book, settings)
    if listed.blocked:
        told = ", ".join(sorted({item.code for item in listed.blocked}))
        raise PeriodRefused("E-PERIOD-CHECKS", f"{stored.request_id}: {told}")
    return Prepared(stored, listed.items, of_region.name_zh)


def prepared(request_id: str, settings: Settings | None = None) -> Prepared:
    """A request as it was prepared."""
    with books.one_state(settings) as connection, connection.cursor() as cursor:
        found = records.request(cursor, request_id)
        name = next(each.name_zh for each in books.regions(connection) if each.region_code == found.region_code)
        return Prepared(found, records.items(cursor, request_id), name)


def _region(connection: Connection, region: str, month: date) -> Region:
    for found in books.regions(connection):
        if found.region_code == region and found.head is not None and found.last_month is not None:
            if month > found.last_month:
                raise PeriodRefused("E-PERIOD-ORDER", f"账簿止于 books end with {found.last_month:%Y-%m}")
            return found
    raise PeriodRefused("E-PERIOD-UNKNOWN", f"{region} 没有已发布的账簿 / has no published books")


def _head(region: Region) -> books.Head:
    assert region.head is not None
    return region.head


def _request(connection: Connection, region: Region, month: date, prepared_by: str, requested_by: str) -> Request:
    """The request but for its number, the run of the checks and the hash of its files."""
    head = _head(region)
    hashes = month_hashes(connection, region.region_code, month, head.seq)
    return Request(
        request_id="",
        region_code=region.region_code,
        accounting_month=month,
        attempt_no=0,
        prepared_by=prepared_by,
        requested_by=requested_by,
        prepared_at=datetime.now(UTC),
        checks_run_id="",
        checked_seq=head.seq,
        batch_hash=head.batch_hash,
        rules_sha256=head.rules_sha256,
        report_sha256="",
        **vars(hashes),
    )


def month_hashes(connection: Connection, region: str, month: date, seq: int) -> Hashes:
    """Hashes of a month's canonical figures as known at a published seq."""
    try:
        found = figures(connection, region, month, seq)
    except FiguresError as error:
        raise PeriodRefused("E-PERIOD-ORDER", str(error)) from error
    by_name = {f"{part.name}_sha256": part.sha256 for part in found.parts}
    return Hashes(**{part: by_name[part] for part in PARTS}, ledger_sha256=found.ledger_sha256)


def _store(draft: Request, region_name: str, items: list[Item], book: bytes, settings: Settings) -> Request:
    """Number the request, draw up its page, and keep it with its files; an undecided equal one is that request."""
    with closing(connect("fund_publisher", settings=settings)) as connection, connection, connection.cursor() as cursor:
        records.lock(cursor, draft.region_code)
        earlier = records.requests(cursor, draft.region_code, draft.accounting_month)
        if earlier and _is_same(cursor, earlier[0], draft, items):
            _write_draft(earlier[0], records.draft_files(cursor, earlier[0].request_id), settings)
            return earlier[0]
        attempt = earlier[0].attempt_no + 1 if earlier else 1
        number = f"{draft.region_code}-{draft.accounting_month:%Y-%m}-{attempt}"
        draft = replace(draft, request_id=number, attempt_no=attempt)
        name = pack.workbook_name(draft.region_code, draft.accounting_month)
        page = telling.page(draft, region_name, items, pack.sha256(book))
        files = pack.with_sums({name: book, pack.PAGE: page})
        draft = replace(draft, report_sha256=pack.report_sha256(files))
        records.add_request(cursor, draft, items, files)
        _write_draft(draft, files, settings)
    return draft


def _is_same(cursor: Cursor, earlier: Request, draft: Request, items: list[Item]) -> bool:
    """Whether an earlier request asks the same and is still to be decided."""
    if records.decision(cursor, earlier.request_id) is not None:
        return False
    names = ("prepared_by", "requested_by", "checks_run_id", "checked_seq", "ledger_sha256", "rules_sha256")
    same = all(getattr(earlier, name) == getattr(draft, name) for name in names)
    return same and records.items(cursor, earlier.request_id) == items


def _write_draft(request: Request, files: dict[str, bytes], settings: Settings) -> None:
    month = request.accounting_month
    folder = pack.draft_folder(settings.reports_dir, request.region_code, month, request.attempt_no)
    pack.write(folder, files)
