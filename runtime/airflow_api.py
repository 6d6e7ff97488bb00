"""A small client of Airflow's REST API, of the standard library only."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

Json = dict[str, Any]

# Never through a proxy: the server is on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ApiError(RuntimeError):
    """The API answered with an error or not at all."""


class AirflowApi:
    """The API of the Airflow listening on `port` of this machine."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._login = {"username": user, "password": password}
        self._token: str | None = None

    def warm_up(self) -> None:
        """Have the API server build the routes that tasks use, which it puts off until they are first asked for."""
        self._call("GET", "/execution/health", retries=0)

    def health(self) -> Json:
        """State of metadata database, scheduler, triggerer and dag-processor; ApiError when nobody answers."""
        return self._call("GET", "/api/v2/monitor/health", retries=0)

    def dags(self) -> list[Json]:
        """All DAGs."""
        return list(self._get("/api/v2/dags", limit=100)["dags"])

    def import_errors(self) -> list[Json]:
        """DAG files that could not be read."""
        return list(self._get("/api/v2/importErrors")["import_errors"])

    def unpause(self, dag_id: str) -> None:
        """Let the DAG's runs start."""
        self._authorised("PATCH", f"/api/v2/dags/{dag_id}?update_mask=is_paused", {"is_paused": False})

    def trigger(self, dag_id: str) -> str:
        """Start a run; returns its run id."""
        return str(self._authorised("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None})["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> Json:
        """One DAG run."""
        return self._get(f"/api/v2/dags/{dag_id}/dagRuns/{_quote(run_id)}")

    def fail(self, dag_id: str, run_id: str) -> None:
        """End a run that is queued or running."""
        self._authorised("PATCH", f"/api/v2/dags/{dag_id}/dagRuns/{_quote(run_id)}", {"state": "failed"})

    def newest_runs(self, dag_id: str) -> list[Json]:
        """The newest DAG runs, newest first."""
        return list(self._get(f"/api/v2/dags/{dag_id}/dagRuns", order_by="-run_after", limit=20)["dag_runs"])

    def tasks(self, dag_id: str, run_id: str, **filters: str) -> list[Json]:
        """Task instances of a run, every page; `filters` as the API has them, e.g. state="failed"."""
        found: list[Json] = []
        while True:
            page = self._get(
                f"/api/v2/dags/{dag_id}/dagRuns/{_quote(run_id)}/taskInstances",
                limit=100,
                offset=len(found),
                order_by="id",
                **filters,
            )
            found += page["task_instances"]
            if len(found) >= page["total_entries"] or not page["task_instances"]:
                return found

    def log(self, task: Json) -> str:
        """Log text of a task instance's newest attempt."""
        path = (
            f"/api/v2/dags/{task['dag_id']}/dagRuns/{_quote(task['dag_run_id'])}/taskInstances/{task['task_id']}"
            f"/logs/{task['try_number']}"
        )
        lines = self._get(path, map_index=task["map_index"], full_content="true").get("content", [])
        return "\n".join(line if isinstance(line, str) else _log_line(line) for line in lines)

    def _get(self, path: str, **query: object) -> Json:
        return self._authorised("GET", f"{path}?{urllib.parse.urlencode(query)}" if query else path)

    def _authorised(self, method: str, path: str, body: Json | None = None) -> Json:
        if self._token is None:
            self._token = self._call("POST", "/auth/token", self._login)["access_token"]
        return self._call(method, path, body)

    def _call(self, method: str, path: str, body: Json | None = None, retries: int = 3) -> Json:
        """One request. A read is repeated when the server is too busy to answer, a write never is."""
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data=data, headers=headers, method=method)
        try:
            with _OPENER.open(request, timeout=30) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            detail = error.read().decode(errors="replace")[:500]
            raise ApiError(f"{method} {path}: {error.code} {detail}") from error
        except (OSError, ValueError) as error:
            if method == "GET" and retries > 0:
                time.sleep(1)
                return self._call(method, path, body, retries - 1)
            raise ApiError(f"{method} {path}: {error}") from error


def _quote(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def _log_line(line: Json) -> str:
    details = "".join(
        f"\n    {error['exc_type']}: {error['exc_value']}" for error in line.get("error_detail") or [] if error
    )
    return f"{line.get('timestamp') or ''} {line.get('level') or ''} {line.get('event') or ''}{details}".strip()
