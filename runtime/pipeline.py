"""Takes everything under the landing root through the DAGs until nothing is left, and says how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ingestion.database import connect
from ingestion.runs import check_landing, discover
from ingestion.schema import migrate
from ingestion.settings import Settings
from runtime import processes
from runtime.airflow import LocalAirflow
from runtime.airflow_api import AirflowApi, Json
from runtime.environment import TASK_VARIABLES, Environment
from runtime.terminal import complain, say, step

POLL_S = 1.0
REPEAT_S = 15  # without news the state is said again this often
ASSET_RUN_WITHIN_S = 10
_DONE = ("success", "failed")
_TASK_DONE = (*_DONE, "skipped", "upstream_failed", "removed")


class Outcome(Enum):
    """How a pipeline ended; the value is the exit code."""

    PUBLISHED = 0
    ERROR = 1
    REFUSED = 3


@dataclass(frozen=True)
class PipelineResult:
    """Outcome, and the run id under which quality.* keeps its checks and decisions."""

    outcome: Outcome
    run_id: str


def prepare(environment: Environment) -> None:
    """Databases, roles and migrations; a started embedded server where one is needed."""
    if environment.needs_server:
        if environment.server.running_port() is None:
            with step("PostgreSQL: starting the embedded server"):
                environment.server.start()
        environment.metadata_url()
    environment.adopt()
    if applied := migrate(Settings.from_env()):
        say(f"Warehouse: applied {len(applied)} migration(s), up to {applied[-1]}")


def one_at_a_time(environment: Environment) -> AbstractContextManager[None]:
    """Hold the local directory's pipeline lock."""
    return processes.exclusive(environment.layout.run / "pipeline.lock", "running the pipeline", timeout_s=4 * 3600)


def run_pipeline(environment: Environment, before_files: Callable[[], None] = lambda: None) -> PipelineResult:
    """Files -> log -> ledger -> gate -> publication, through Airflow; one pipeline of a local directory at a time.

    `before_files` is called when Airflow is ready and before the landing root is looked at.
    """
    with one_at_a_time(environment):
        prepare(environment)
        check_landing(Settings.from_env())
        with _airflow(environment) as api:
            before_files()
            failed = _ingest_everything(api)
            run = _build_after_ingest(api)
            outcome = _outcome(run, failed)
            # Findings refuse nothing; a check that could not be run is an error, told once the books are published.
            reviewed = _follow(api, "review_policy", api.trigger("review_policy"))["state"] == "success"
        if outcome is Outcome.PUBLISHED and not reviewed:
            outcome = Outcome.ERROR
        return PipelineResult(outcome, run["dag_run_id"])


@contextmanager
def _airflow(environment: Environment) -> Iterator[AirflowApi]:
    """The Airflow that is up already, or one of our own for the time being."""
    airflow = LocalAirflow(environment.layout)
    wanted = environment.complete()
    interrupted: Environment | None = None
    if airflow.is_running():
        running = airflow.task_settings()
        different = sorted(n for n in running | wanted if _matters(n) and running.get(n) != wanted.get(n))
        if not different:
            say(f"Airflow: using the one that is running, {airflow.url()}")
            yield airflow.api()
            return
        say(f"Airflow is running with other settings ({', '.join(different)}); it is restarted as it was afterwards")
        given = {k: v for k, v in environment.given.items() if not k.startswith((*TASK_VARIABLES, "AIRFLOW__"))}
        interrupted = Environment(given | airflow.caller_variables(), environment.layout, environment.server)
    try:
        yield airflow.start(environment.without_schedules(), bound_to_us=True)
    finally:
        airflow.stop()
        if interrupted:
            airflow.start(interrupted, bound_to_us=False)


def _matters(name: str) -> bool:
    return name.startswith(TASK_VARIABLES) and not name.endswith("_SCHEDULE")


def _ingest_everything(api: AirflowApi) -> bool:
    """Run `ingest_events` until discovery finds nothing new; True when a file could not be taken in the end."""
    before = None
    while True:
        run_id = api.trigger("ingest_events")
        failed = _follow(api, "ingest_events", run_id)["state"] == "failed"
        left = [(item["source_system"], item["file_name"]) for item in discover()]
        if not left or left == before:
            return failed or bool(left)
        say(f"ingest_events: {len(left)} more files to take")
        before = left


def _build_after_ingest(api: AirflowApi) -> Json:
    """The run of `build_ledger` that began after the last ingest: the asset's own, or else one that we start."""
    ingested = _ingested_at(api)
    deadline = time.monotonic() + ASSET_RUN_WITHIN_S
    while True:
        runs = api.newest_runs("build_ledger")
        fresh = [run for run in runs if run["state"] not in _DONE or _began_since(run, ingested)]
        if fresh:
            finished = _follow(api, "build_ledger", fresh[-1]["dag_run_id"])
            if _began_since(finished, ingested):
                return finished
            deadline = time.monotonic() + ASSET_RUN_WITHIN_S
        elif time.monotonic() > deadline:
            return _follow(api, "build_ledger", api.trigger("build_ledger"))
        else:
            time.sleep(0.3)


def _began_since(run: Json, since: datetime) -> bool:
    """Whether a run began at or after a time; one that was ended in the queue never began."""
    return run["start_date"] is not None and _time(run["start_date"]) >= since


def _ingested_at(api: AirflowApi) -> datetime:
    """Since when everything that the newest ingest brought is in the log."""
    run = api.newest_runs("ingest_events")[0]
    heads = api.tasks("ingest_events", run["dag_run_id"], task_id="record_heads")
    return _time(heads[0]["start_date"] or run["end_date"])


def _follow(api: AirflowApi, dag_id: str, run_id: str) -> Json:
    """Wait for a DAG run, telling every change; returns the run."""
    said: dict[tuple[str, int], str] = {}
    spoke = time.monotonic()
    while True:
        run = api.run(dag_id, run_id)
        tasks = api.tasks(dag_id, run_id)
        running = [task for task in tasks if task["state"] not in (None, *_TASK_DONE)]
        if _tell_news(dag_id, tasks, said):
            spoke = time.monotonic()
        elif running and time.monotonic() - spoke > REPEAT_S:
            spoke = time.monotonic()
            say(f"{dag_id}: {_name(running[0])} is {running[0]['state'].replace('_', ' ')}")
        if run["state"] in _DONE:
            _tell_failures(api, tasks)
            return run
        time.sleep(POLL_S)


def _tell_news(dag_id: str, tasks: Sequence[Json], said: dict[tuple[str, int], str]) -> bool:
    """Say what has ended or failed since the last look."""
    news = False
    files = [task for task in tasks if task["map_index"] >= 0]
    done = sum(1 for task in files if task["state"] in _TASK_DONE)
    for task in sorted(tasks, key=lambda task: (task["end_date"] or "~", task["map_index"])):
        key, state = (task["task_id"], task["map_index"]), task["state"]
        if said.get(key) == state or state not in (*_DONE, "up_for_retry", "upstream_failed"):
            continue
        said[key], news = state, True
        count = f" ({done}/{len(files)} files)" if task["map_index"] >= 0 else ""
        duration = f" in {task['duration']:.1f} s" if task["duration"] else ""
        say(f"{dag_id}: {_name(task)} {state.replace('_', ' ')}{duration}{count}")
    return news


def _tell_failures(api: AirflowApi, tasks: Sequence[Json]) -> None:
    for task in tasks:
        if task["state"] == "failed" and task["task_id"] not in ("publish", "report_failure"):
            complain(f"--- {task['dag_id']}.{_name(task)} failed; the end of its log:")
            complain("\n".join(api.log(task).splitlines()[-25:]))


def _name(task: Json) -> str:
    return f"{task['task_id']} {task['rendered_map_index'] or ''}".strip()


def _outcome(run: Json, ingest_failed: bool) -> Outcome:
    if "refused" in _decisions(run["dag_run_id"]):
        return Outcome.REFUSED
    return Outcome.ERROR if ingest_failed or run["state"] != "success" else Outcome.PUBLISHED


def _decisions(run_id: str) -> list[str]:
    query = (
        "SELECT DISTINCT ON (region_code) decision FROM quality.publication_decision"
        " WHERE run_id = %s ORDER BY region_code, decided_at DESC"
    )
    with closing(connect(role="auditor")) as connection, connection.cursor() as cursor:
        cursor.execute(query, (run_id,))
        return [str(row[0]) for row in cursor.fetchall()]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
