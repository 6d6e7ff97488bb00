"""Writes all reports of one state of the database."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

from ingestion.database import Connection
from ingestion.settings import Settings
from reporting import overview, page
from reporting.books import one_state

_LOG = logging.getLogger(__name__)


def write_reports(run_id: str | None, settings: Settings) -> list[Path]:
    """See `reporting.write`."""
    with one_state(settings) as connection:
        # Read before the workbooks are written: whatever befalls those, the page has its content.
        content = overview.read(connection, run_id, overview.Clock(datetime.now(UTC), settings.business_date))
        workbooks, failure = _workbooks(connection, settings.reports_dir)
    names = [path.name for path in workbooks]
    html = page.render(content, names, failure=None if failure is None else type(failure).__name__)
    written = [*workbooks, page.write(html, settings.reports_dir)]
    if failure is not None:
        raise failure
    return written


def _workbooks(connection: Connection, folder: Path) -> tuple[list[Path], Exception | None]:
    try:
        from reporting.workbook import write_workbooks  # noqa: PLC0415 - a fault in there must not keep anyone from the page

        return write_workbooks(connection, folder), None
    except Exception as failure:
        _LOG.exception("the workbooks could not be written")
        return [], failure
