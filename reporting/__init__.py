"""What people read: a workbook per region and, over all of them, the overview page."""

from __future__ import annotations

from pathlib import Path

from ingestion.settings import Settings

__all__ = ["write"]


def write(run_id: str | None = None, settings: Settings | None = None) -> list[Path]:
    """Write the workbooks and then the page into the folder of reports; returns their paths.

    `run_id` defaults to the newest run. All files show one state of the database. A workbook that can't be written
    keeps nobody from the page: it is written, says so, and the error is raised afterwards.
    """
    from reporting.publish import write_reports  # noqa: PLC0415 - Airflow's plugin imports this package for its folder

    return write_reports(run_id, settings or Settings.from_env())
