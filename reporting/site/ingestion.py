"""The page of what arrives: files due, late, rejected, and rows that are held back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ingestion.settings import BEIJING
from reporting import arrivals, history
from reporting.names import Name
from reporting.overview import FILES_LISTED_MAX, total_amount
from reporting.site.frame import Frame
from reporting.site.pages import Source

KEY = "ingestion"
FILE = "ingestion.html"

DUE_STATES = {"missing": Name("逾期未到", "overdue"), "late": Name("迟到", "late")}


@dataclass(frozen=True)
class Content:
    """What has been read for the page."""

    due_sources: list[arrivals.SourceDue]
    due_files: list[arrivals.DueFile]
    manifests: list[arrivals.Manifests]
    quarantine_days: list[history.QuarantineDay]
    files_days: list[history.FilesDay]


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    return {FILE: render(source, frame, read(source))}


def read(source: Source) -> Content:
    """The calendar as of the business date, and the last days as of the time of writing."""
    clock, connection = source.overview.clock, source.connection
    today = clock.made_at.astimezone(BEIJING).date()
    return Content(
        due_sources=arrivals.due_sources(connection, clock.business_date),
        due_files=arrivals.due_files(connection, clock.business_date, FILES_LISTED_MAX),
        manifests=arrivals.manifests(connection),
        quarantine_days=history.quarantine_days(connection, today),
        files_days=history.files_days(connection, today),
    )


def render(source: Source, frame: Frame, content: Content) -> str:
    """The HTML."""
    overview = source.overview
    return frame.html(
        "ingestion.html.j2",
        KEY,
        overview=overview,
        content=content,
        names=source.names,
        open_total=total_amount(overview.open_rows),
        open_count=sum(row.rows for row in overview.open_rows),
        quarantine_said=_quarantine_said(content.quarantine_days),
        files_said=_files_said(content.files_days),
        DUE_STATES=DUE_STATES,
        due_counts={
            state: sum(getattr(source_due, state) for source_due in content.due_sources)
            for state in ("on_time", "early", "late", "missing", "awaited")
        },
    )


def _quarantine_said(days: list[history.QuarantineDay]) -> Name:
    """The chart of quarantine in words."""
    came, settled = sum(day.came for day in days), sum(day.settled for day in days)
    first, last = days[0].open - days[0].came + days[0].settled, days[-1].open
    return Name(
        f"{len(days)} 天内隔离 {came:,} 行，解决 {settled:,} 行；未解决由 {first:,} 行变为 {last:,} 行。",
        f"In {len(days)} days {came:,} rows were set aside, {settled:,} settled; open went from {first:,} to {last:,}.",
    )


def _files_said(days: list[history.FilesDay]) -> Name:
    """The chart of files in words."""
    loaded, rejected = sum(day.loaded for day in days), sum(day.rejected for day in days)
    duplicates, busy = sum(day.duplicates for day in days), sum(1 for day in days if day.loaded or day.rejected)
    return Name(
        f"{len(days)} 天内有 {busy} 天收到文件：入账 {loaded:,} 份，内容重复 {duplicates:,} 份，拒收 {rejected:,} 份。",
        f"Files came on {busy} of {len(days)} days: {loaded:,} loaded, {duplicates:,} of the same content,"
        f" {rejected:,} rejected.",
    )
