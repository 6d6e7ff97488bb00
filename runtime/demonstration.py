"""`make run`: sample files of two cities, the pipeline on them, and a summary."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from ingestion.database import connect
from ingestion.settings import REPOSITORY, Settings
from ingestion.source_calendar import activate
from runtime.environment import Environment
from runtime.pipeline import PipelineResult, prepare, run_pipeline
from runtime.samples import DEMO_CALENDAR, write_samples
from runtime.terminal import say, step


def demonstrate(environment: Environment) -> PipelineResult:
    """Write the samples into the local landing root (never into one that was set) and take them to publication."""
    own_landing = {"FUND_LANDING_DIR": str(environment.layout.landing)}
    environment = dataclasses.replace(environment, given=environment.given | own_landing)
    prepare(environment)
    expect_samples()
    with ThreadPoolExecutor(max_workers=1) as beside:  # while Airflow starts
        written = beside.submit(_write, environment.layout.landing)
        return run_pipeline(environment, before_files=lambda: _tell(written.result()))


def _write(landing: Path) -> list[Path]:
    with step("Samples: writing source files of Nanjing and Huainan"):
        return list(write_samples(landing))


def _tell(files: list[Path]) -> None:
    say(f"Samples: {len(files)} files in {files[0].parent.parent}")


def expect_samples() -> None:
    """Activate the demo sources in the calendar of files that are due."""
    settings = dataclasses.replace(Settings.from_env(), sources_dir=REPOSITORY / "ingestion" / "sources")
    with closing(connect()) as connection, connection, connection.cursor() as cursor:
        for wanted in DEMO_CALENDAR:
            activate(cursor, settings, wanted)
