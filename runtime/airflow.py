"""A local Airflow: scheduler, dag-processor, triggerer and API server, each a session of its own with its own log.

`airflow standalone` is not used: ended by SIGTERM it leaves its components behind.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg2

from ingestion.database import libpq_url
from runtime import processes
from runtime.airflow_api import AirflowApi, ApiError
from runtime.environment import DAG_IDS, METADATA_VARIABLE, TAKEN_UP_AGAIN, TASK_VARIABLES, Environment
from runtime.layout import REPOSITORY, Layout, port_is_free
from runtime.terminal import say, step

START_TIMEOUT_S = 180
USER, APPROVER = "admin", "approver"  # a month is closed by two people
# Logs are read from disk by the API server; the log servers would listen on every interface.
COMPONENTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
# Order and patience of stopping: running tasks may end and report to the API server; triggers and parsers hold nothing.
PATIENCE_S = {"triggerer": 0, "dag-processor": 1, "scheduler": 15, "api-server": 3}


class AirflowError(RuntimeError):
    """Airflow could not be brought up; the message names the log."""


class LocalAirflow:
    """The one Airflow of a layout."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self, environment: Environment, *, bound_to_us: bool) -> AirflowApi:
        """Start all components and wait until both DAGs can be run.

        `bound_to_us`: they end with this process, however it ends.
        """
        with processes.exclusive(self._layout.run / "airflow.lock", "starting or stopping Airflow"):
            self._stop()
            variables = self._free_api_port(environment)
            self._write_passwords()
            self._migrate(variables)
            since = datetime.now(UTC)
            owner = secrets.token_hex(8)
            if bound_to_us:
                self._guard = _start_guard(self._layout, owner)
            with step("Airflow: starting API server, scheduler, dag-processor and triggerer"):
                try:
                    self._launch(variables, environment, owner)
                    api = self.api()
                    self._wait_until_ready(api, since)
                    _end_interrupted_runs(api)
                except BaseException:
                    self._stop()
                    raise
        return api

    def stop(self, owner: str | None = None) -> bool:
        """Stop every component and what they started; False when nothing ran, or not what `owner` started."""
        with processes.exclusive(self._layout.run / "airflow.lock", "starting or stopping Airflow"):
            return (owner is None or self._noted().get("owner") == owner) and self._stop()

    def is_running(self) -> bool:
        """Whether all components live."""
        pids = self._noted().get("components", {})
        return bool(pids) and all(processes.same(noted) for noted in pids.values())

    def task_settings(self) -> dict[str, str]:
        """The variables that decide what tasks do, as the running Airflow was started."""
        return dict(self._noted().get("tasks", {}))

    def caller_variables(self) -> dict[str, str]:
        """What the caller had set when the running Airflow was started, to start it again just so."""
        return dict(self._noted().get("caller", {}))

    def api(self) -> AirflowApi:
        """Client of the running Airflow."""
        return AirflowApi(int(self._noted()["port"]), USER, self.password())

    def url(self) -> str:
        """Address of the user interface."""
        return f"http://127.0.0.1:{self._noted()['port']}"

    def password(self, user: str = USER) -> str:
        """Password of `admin` or of `approver`."""
        users: dict[str, str] = json.loads(self._password_file.read_text())
        return users[user]

    @property
    def _password_file(self) -> Path:
        return self._layout.local / "secrets/airflow_users.json"

    @property
    def _note(self) -> Path:
        return self._layout.run / "airflow.json"

    def _noted(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            return dict(json.loads(self._note.read_text()))
        return {}

    def _stop(self) -> bool:
        noted = self._noted().get("components", {})
        # A leader that is gone may have left children in its session; a pid given to a stranger is let alone.
        leaders = {
            name: item["pid"]
            for name, item in noted.items()
            if processes.started_at(item["pid"]) in (None, item["started_at"])
        }
        alive = any(processes.session_members(leader) for leader in leaders.values())
        for name, patience_s in PATIENCE_S.items():
            if name in leaders:
                processes.stop_session(leaders[name], patience_s)
        self._note.unlink(missing_ok=True)
        if self._guard:
            self._guard.kill()
            self._guard.communicate()
            self._guard = None
        return alive

    def _free_api_port(self, environment: Environment) -> dict[str, str]:
        variables = environment.complete()
        if not port_is_free(int(variables["AIRFLOW__API__PORT"])):
            if "AIRFLOW__API__PORT" in environment.given:
                raise AirflowError(f"port {variables['AIRFLOW__API__PORT']} (AIRFLOW__API__PORT) is taken")
            self._layout.new_port("airflow_api")
            variables = environment.complete()
        return variables

    def _write_passwords(self) -> None:
        """Make up the password of every user that has none yet."""
        users: dict[str, str] = {}
        if self._password_file.exists():
            users = json.loads(self._password_file.read_text())
        missing = [user for user in (USER, APPROVER) if user not in users]
        if missing:
            text = json.dumps(users | {user: self._layout.secret(f"airflow_{user}", 12) for user in missing})
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with os.fdopen(os.open(self._password_file, flags, 0o600), "w") as handle:
                handle.write(text)

    def _migrate(self, variables: dict[str, str]) -> None:
        """`airflow db migrate`, left out (7 s) when the database is at the revision of an earlier success."""
        done = self._layout.airflow_home / "migrated.json"
        with suppress(OSError, ValueError):
            if json.loads(done.read_text()) == _revision(variables[METADATA_VARIABLE]):
                return
        with step("Airflow: preparing the metadata database"):
            log = self._layout.logs / "airflow-db-migrate.log"
            with log.open("wb") as output:
                result = subprocess.run(
                    command("db", "migrate"), env=variables, stdout=output, stderr=output, cwd="/", check=False
                )
            if result.returncode != 0:
                raise AirflowError(f"`airflow db migrate` failed; see {log}\n{_tail(log)}")
        done.write_text(json.dumps(_revision(variables[METADATA_VARIABLE])))

    def _launch(self, variables: dict[str, str], environment: Environment, owner: str) -> None:
        noted: dict[str, Any] = {
            "owner": owner,
            "port": int(variables["AIRFLOW__API__PORT"]),
            "tasks": {name: value for name, value in variables.items() if name.startswith(TASK_VARIABLES)},
            "caller": {k: v for k, v in environment.given.items() if k.startswith((*TASK_VARIABLES, "AIRFLOW__"))},
            "components": {},
        }
        for name, arguments in COMPONENTS.items():
            with self._log(name).open("wb") as log:
                process = subprocess.Popen(
                    command(*arguments),
                    env=variables,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._layout.airflow_home,
                    start_new_session=True,
                )
            noted["components"][name] = processes.identity(process.pid)
            self._write_note(noted)  # after each: a crash between two must not orphan the first

    def _write_note(self, noted: dict[str, Any]) -> None:
        draft = self._note.with_suffix(".draft")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
            json.dump(noted, handle)
        draft.replace(self._note)

    def _log(self, component: str) -> Path:
        return self._layout.logs / f"airflow-{component}.log"

    def _wait_until_ready(self, api: AirflowApi, since: datetime) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        waiting, told = "the API server", time.monotonic()
        while waiting:
            self._check_alive()
            if time.monotonic() > deadline:
                raise AirflowError(f"Airflow is not ready after {START_TIMEOUT_S} s: waiting for {waiting}")
            if time.monotonic() - told > 5:
                told = time.monotonic()
                say(f"  waiting for {waiting}")
            time.sleep(0.3)
            waiting = _missing(api, since)

    def _check_alive(self) -> None:
        for name, noted in self._noted()["components"].items():
            if not processes.same(noted):
                raise AirflowError(f"Airflow's {name} ended; the end of {self._log(name)}:\n{_tail(self._log(name))}")


def _start_guard(layout: Layout, owner: str) -> subprocess.Popen[bytes]:
    """A process that outlives us, be it after kill -9, just long enough to stop the components that we started."""
    return subprocess.Popen(
        [sys.executable, "-m", "runtime.guard", str(layout.local), owner],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=REPOSITORY,
        start_new_session=True,
    )


def _missing(api: AirflowApi, since: datetime) -> str:
    """What is not ready yet, empty when all is."""
    try:
        api.warm_up()
        health = api.health()
        for component in ("metadatabase", "scheduler", "dag_processor", "triggerer"):
            if (health.get(component) or {}).get("status") != "healthy":
                return component.replace("_", "-")
        if errors := api.import_errors():
            raise AirflowError(f"a DAG file has errors: {errors[0]['filename']}\n{errors[0]['stack_trace']}")
        fresh = {dag["dag_id"] for dag in api.dags() if _parsed_after(dag, since)}
        if lacking := set(DAG_IDS) - fresh:
            return "the DAG " + ", ".join(sorted(lacking))
        for dag in api.dags():
            if dag["is_paused"] and dag["dag_id"] in DAG_IDS:
                api.unpause(dag["dag_id"])
    except ApiError:
        return "the API server"
    return ""


def _end_interrupted_runs(api: AirflowApi) -> None:
    """Fail the runs of an Airflow that was killed: their tasks count as running for minutes and block new runs."""
    for dag_id in TAKEN_UP_AGAIN:
        for run in api.newest_runs(dag_id):
            if run["state"] in ("queued", "running"):
                say(f"  ending the interrupted run {run['dag_run_id']} of {dag_id}; its work is taken up again")
                api.fail(dag_id, run["dag_run_id"])


def _parsed_after(dag: dict[str, Any], since: datetime) -> bool:
    parsed = dag.get("last_parsed_time")
    return parsed is not None and datetime.fromisoformat(parsed) >= since - timedelta(seconds=1)


def _revision(url: str) -> list[str] | None:
    """Release of Airflow and revision of its database; None when that cannot be told."""
    if not url.startswith("postgresql"):
        return None
    with suppress(psycopg2.Error), closing(psycopg2.connect(libpq_url(url))) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT version_num FROM alembic_version ORDER BY 1")
        return [version("apache-airflow-core"), *(row[0] for row in cursor.fetchall())]
    return None


def command(*arguments: str) -> list[str]:
    """Airflow's command line in this interpreter, made to start fast."""
    # Starting up makes some million objects that stay; collecting among them costs a fifth of the start.
    code = "import gc; gc.set_threshold(50_000, 20, 50)\n"
    if arguments[0] in ("scheduler", "celery"):
        # Every task is a fork of scheduler or worker: what is imported here need not be imported by each of them again.
        code += "import jsonschema, psycopg2, yaml, yoyo\n"
    code += "from airflow.__main__ import main; main()"
    return [sys.executable, "-c", code, *arguments]


def _tail(path: Path, lines: int = 20) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
