"""What people read: a workbook per region, over all of them the overview page, and the Data Docs behind it."""

from __future__ import annotations

from pathlib import Path

from ingestion.settings import Settings

__all__ = ["write"]


def write(run_id: str | None = None, settings: Settings | None = None) -> list[Path]:
    """Write page, workbooks and Data Docs into the folder of reports; returns the paths of what is new.

    `run_id` defaults to the newest run; one that left no trace counts as the newest. All files show one state of the
    database. The page is written before the workbooks and again after them, with their links; the Data Docs last.
    Raises OlderRunError for an older run, and writes nothing; ReportsError when the workbook of a region or the Data
    Docs could not be written, after everything else has been.
    """
    from reporting.publish import write_reports  # noqa: PLC0415 - Airflow's plugin imports this package for its folder

    return write_reports(run_id, settings or Settings.from_env())
