"""`make run`: sample files of two cities, the pipeline on them, and a summary."""

from __future__ import annotations

import dataclasses
from contextlib import closing

from ingestion.database import connect
from runtime.environment import Environment
from runtime.pipeline import PipelineResult, prepare, run_pipeline
from runtime.samples import DEMO_CALENDAR, write_samples
from runtime.terminal import say, step


def demonstrate(environment: Environment) -> PipelineResult:
    """Write the samples into the local landing root (never into one that was set) and take them to publication."""
    own_landing = {"FUND_LANDING_DIR": str(environment.layout.landing)}
    environment = dataclasses.replace(environment, given=environment.given | own_landing)
    prepare(environment)
    with step("Samples: writing source files of Nanjing and Huainan"):
        files = write_samples(environment.layout.landing)
    say(f"Samples: {len(files)} files in {environment.layout.landing}")
    _expect_samples()
    return run_pipeline(environment)


def _expect_samples() -> None:
    """Activate the demo sources in the calendar of files that are due."""
    with closing(connect()) as connection, connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO events.source_calendar (source_system, family, due_rule, active_from, region_code)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [tuple(row) for row in DEMO_CALENDAR],
        )
