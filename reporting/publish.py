"""Writes all reports of one state of the database: the pages, the workbooks, the pages again, Data Docs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from expectations.freeze import Frozen, frozen_regions
from ingestion.database import Connection
from ingestion.settings import Settings
from reporting import books, overview, quality
from reporting.files import replace_file
from reporting.site import Source, writing
from reporting.site.pages import workbook_name

_LOG = logging.getLogger(__name__)

# One writer at a time, so that none puts back what another has just replaced. Held to the end of the session.
_LOCK = "select pg_advisory_lock(hashtextextended('merged_fund.reports', 0))"


class ReportsError(RuntimeError):
    """Reports could not be written, or not all of them; the message says which."""


class OlderRunError(ReportsError):
    """The run asked for is not the newest: its page would hide what has been found since."""


def write_reports(run_id: str | None, settings: Settings) -> list[Path]:
    """See `reporting.write`."""
    folder = settings.reports_dir
    failures: dict[str, Exception] = {}
    with books.one_state(settings) as connection:
        _wait_for_other_writers(connection)
        _refuse_older_run(connection, run_id)
        content = overview.read(connection, run_id, overview.Clock(datetime.now(UTC), settings.business_date))
        writing.write_assets(folder)
        # Whatever ends this process from here on, readers have the new pages.
        first = Source(connection, content, _still_valid(content, folder), folder=folder)
        writing.write_pages(first, folder, failures)
        broken: dict[str, Exception] = {}
        workbooks = list(write_workbooks(connection, folder, broken))
        names = [*_still_valid(content, folder), *(path.name for path in workbooks)]
        last = Source(connection, content, names, _told(content, broken), folder)
        technical = _data_docs(connection, folder, failures)
        written = [*workbooks, *technical, *writing.write_pages(last, folder, failures)]
    failures |= broken
    if failures:
        said = "; ".join(f"{what}: {failure}" for what, failure in failures.items())
        raise ReportsError(f"报告未能全部生成 / not all reports could be written: {said}") from next(
            iter(failures.values())
        )
    return written


def _wait_for_other_writers(connection: Connection) -> None:
    """Take the lock in a transaction of its own: what is read afterwards is of after the wait."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
    connection.commit()


def _refuse_older_run(connection: Connection, run_id: str | None) -> None:
    """A run without any trace is taken for the newest: its build has broken, and nobody else reports it."""
    newest = quality.newest_run(connection)
    if run_id in (None, newest) or not quality.run(connection, str(run_id)).left_traces:
        return
    raise OlderRunError(
        f"运行 {run_id} 之后已有运行 {newest}，总览页只反映最近一次运行，未作改动 / "
        f"run {run_id} is older than {newest}; the page shows the newest run only and has been left as it was"
    )


def _still_valid(content: overview.Overview, folder: Path) -> list[str]:
    """Workbooks in the folder that were written after the books they hold had been published."""
    heads = {workbook_name(verdict.region_code): verdict.published for verdict in content.verdicts}
    return [
        name
        for name, head in heads.items()
        if head is not None
        and (folder / name).is_file()
        and (folder / name).stat().st_mtime >= head.published_at.timestamp()
    ]


def write_workbooks(connection: Connection, folder: Path, failures: dict[str, Exception]) -> Iterator[Path]:
    """Write `merged_fund_<region>.xlsx` of every region that has published books, one after the other.

    One that can't be written keeps nobody from the next: what went wrong is put into `failures` by region.
    """
    if not quality.exists(connection, "marts.published_head"):
        return
    frozen = frozen_regions(connection)
    for region in books.regions(connection):
        if region.head is None or not region.funds:
            continue
        try:
            yield _workbook(connection, region, folder, frozen.get(region.region_code))
        except Exception as failure:
            _LOG.exception("the workbook of %s could not be written", region.region_code)
            failures[region.region_code] = failure


def _workbook(connection: Connection, region: books.Region, folder: Path, frozen: Frozen | None) -> Path:
    from reporting.workbook import workbook  # noqa: PLC0415 - a fault in there must not keep anyone from the page

    with connection.cursor() as cursor:
        cursor.execute("savepoint workbook")
        try:
            content = workbook(connection, region, frozen=frozen)
            return replace_file(folder / workbook_name(region.region_code), content)
        except Exception:
            cursor.execute("rollback to savepoint workbook")  # the state that all reports are of goes on
            raise


def _data_docs(connection: Connection, folder: Path, failures: dict[str, Exception]) -> list[Path]:
    """The technical pages, when readers have the others already: to make them takes seconds."""
    from reporting import data_docs  # noqa: PLC0415 - a fault in there must not keep anyone from the page

    try:
        return data_docs.write(connection, folder)
    except Exception as failure:
        _LOG.exception("the Data Docs could not be made")
        failures["Data Docs"] = failure
        return []


def _told(content: overview.Overview, failures: dict[str, Exception]) -> list[str]:
    names = {verdict.region_code: verdict.name_zh for verdict in content.verdicts}
    return [f"{names.get(code, code)}（{type(failure).__name__}）" for code, failure in failures.items()]
