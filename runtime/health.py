"""Whether a component of Airflow is well, asked as cheaply as a check that runs twice a minute should be.

Airflow's own `airflow jobs check` costs three to four seconds of CPU time each time.
"""

from __future__ import annotations

import json
import socket
import urllib.request
from typing import Any

from runtime.component import Deployment

TIMEOUT_S = 8
# As in the answer of the API server, which knows them by their heartbeats in the metadata database.
_PARTS = {
    "api-server": "metadatabase",
    "scheduler": "scheduler",
    "dag-processor": "dag_processor",
    "triggerer": "triggerer",
}


def complaint(component: str, deployment: Deployment) -> str | None:
    """What is wrong with a component, None when it is well. OSError when nobody answers."""
    if component == "celery-worker":
        return _worker_complaint(deployment)
    part = _PARTS[component]
    status = (_monitored(_api(component, deployment)).get(part) or {}).get("status")
    return None if status == "healthy" else f"{part} is {status or 'unknown'}"


def _api(component: str, deployment: Deployment) -> str:
    """Base address of the API: the server asks itself, the others the one that they work with."""
    given = deployment.given
    own = f"http://127.0.0.1:{given['AIRFLOW__API__PORT']}"
    execution = given.get("AIRFLOW__CORE__EXECUTION_API_SERVER_URL")
    return own if component == "api-server" or not execution else execution.rstrip("/").removesuffix("/execution")


def _monitored(api: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{api}/api/v2/monitor/health", timeout=TIMEOUT_S) as answer:
        return dict(json.load(answer))


def _worker_complaint(deployment: Deployment) -> str | None:
    from celery import Celery

    deployment.require("AIRFLOW__CELERY__BROKER_URL")
    name = f"celery@{socket.gethostname()}"
    with Celery(broker=deployment.given["AIRFLOW__CELERY__BROKER_URL"]) as application:
        answers = application.control.inspect(destination=[name], timeout=TIMEOUT_S).ping()
    return None if answers and name in answers else f"{name} does not answer"
