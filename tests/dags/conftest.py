"""DAG tests read the DAG files with an Airflow configured by environment variables alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.layout import REPOSITORY

READER = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
bag = DagBag(sys.argv[1])
dags = {dag_id: DagSerialization.to_dict(dag) for dag_id, dag in bag.dags.items()}
print("READ " + json.dumps({"errors": bag.import_errors, "dags": dags}))
"""


def read_dags(home: Path, **variables: str) -> dict[str, Any]:
    """Serialized DAGs and import errors, as a fresh process reads them. No database can be reached from there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "FUND_"))}
    environment = {
        **kept,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://nobody:nothing@127.0.0.1:9/none",
        "PYTHONPATH": str(REPOSITORY),
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READER, str(REPOSITORY / "dags")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("READ ")]
    assert lines, done.stderr
    answer: dict[str, Any] = json.loads(lines[-1].removeprefix("READ "))
    return answer


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AIRFLOW_HOME of this session."""
    return tmp_path_factory.mktemp("airflow_home")


@pytest.fixture(scope="session")
def dags(airflow_home: Path) -> dict[str, Any]:
    """All DAGs, serialized, with the default schedules."""
    answer = read_dags(airflow_home)
    assert answer["errors"] == {}
    dags: dict[str, Any] = answer["dags"]
    return dags
