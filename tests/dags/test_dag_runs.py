"""The DAGs run by `dag.test()`, task by task in one process, on a real warehouse: what state every task ends in."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from runtime.environment import Environment
from runtime.layout import Layout
from runtime.postgres import EmbeddedPostgres
from tests.e2e.landing import land_bad, land_good
from tests.integration.ingestion_support import select
from tests.integration.object_store import ROOT, Store, s3_server
from tests.integration.planted_numbers import Numbers, contents, dump, land_canonical, land_refused_files, leaks
from tests.integration.replay_support import as_owner
from tests.integration.sinks import hook_sink

pytestmark = [pytest.mark.exhaustive, pytest.mark.timeout(900)]

RUN = """
import json, sys
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
DagBundlesManager().sync_bundles_to_db()
bag = DagBag(sys.argv[1], bundle_name="dags-folder")
sync_bag_to_db(bag, "dags-folder", None)
run = bag.get_dag(sys.argv[2]).test()
states = {}
for instance in run.get_task_instances():
    states.setdefault(instance.task_id, []).append(instance.state)
tasks = {task: sorted(map(str, ended)) for task, ended in states.items()}
print("RAN " + json.dumps({"run": run.state, "tasks": tasks}))
"""

Run = Callable[..., tuple[str, dict[str, list[str]]]]
TAKEN = {
    "discover_files": ["success"],
    "ingest_file": ["success"] * 3,
    "retry_waiting": ["success"],
    "record_heads": ["success"],
    "report_failure": ["skipped"],
}


@pytest.fixture
def run(deployed_warehouse: str, fund_environment: Path, embedded_postgres: EmbeddedPostgres) -> Run:
    """`run(dag_id, **variables)` -> state of the run and of its tasks; what they print lies in `<dag_id>.out`.

    Airflow's metadata lie in a database of their own, `dag_runs`.
    """
    given = {"FUND_DATABASE_URL": deployed_warehouse, "FUND_LANDING_DIR": str(fund_environment / "landing")}
    given["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = embedded_postgres.ensure_database("dag_runs", owned=True)
    environment = Environment(given, Layout(fund_environment), embedded_postgres).complete()

    def call(*arguments: str, **variables: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *arguments],
            env=environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-10_000:]
        return done.stdout

    call("-m", "airflow", "db", "migrate")

    def ran(dag_id: str, **variables: str) -> tuple[str, dict[str, list[str]]]:
        output = call("-c", RUN, environment["AIRFLOW__CORE__DAGS_FOLDER"], dag_id, **variables)
        (fund_environment / f"{dag_id}.out").write_text(output, encoding="utf-8")
        (line,) = [line for line in output.splitlines() if line.startswith("RAN ")]
        answer = json.loads(line.removeprefix("RAN "))
        return answer["run"], answer["tasks"]

    return ran


def test_good_files_end_green_and_a_refusal_ends_red_with_a_new_page(
    run: Run, deployed_warehouse: str, fund_environment: Path
) -> None:
    page = fund_environment / "reports" / "index.html"
    land_good(fund_environment / "landing")
    assert run("ingest_events") == ("success", TAKEN)
    steps = ("deploy_models", "build_models", "check_candidate", "publish", "write_reports")
    assert run("build_ledger") == ("success", {**{step: ["success"] for step in steps}, "report_failure": ["skipped"]})
    assert _published(deployed_warehouse) == [("320100", 5)]
    assert "E-VALUE-LIST" not in page.read_text(encoding="utf-8")

    land_bad(fund_environment / "landing")
    assert run("ingest_events")[0] == "success"
    with hook_sink() as sink:
        given = {"conn_type": "http", "host": f"http://127.0.0.1:{sink.port}"}
        state, tasks = run("build_ledger", AIRFLOW_CONN_FUND_ALERTS_WEBHOOK=json.dumps(given))
    assert state == "failed"
    (told,) = [body for _, body in sink.requests]
    (region,) = told["regions"]
    failed = [check["code"] for check in region["checks"] if check["severity"] == "fail"]
    assert (region["light"], failed) == ("red", ["C05"])
    assert select("SELECT run_id, outcome FROM quality.notification") == [(told["run_id"], "sent")]
    assert tasks == {
        **{step: ["success"] for step in steps},
        "publish": ["failed"],
        "report_failure": ["failed"],
    }
    assert _published(deployed_warehouse) == [("320100", 5)]
    assert "E-VALUE-LIST" in page.read_text(encoding="utf-8")


@pytest.mark.timeout(1800)
def test_a_replay_is_green_when_the_books_agree_and_red_when_they_do_not(run: Run, fund_environment: Path) -> None:
    land_good(fund_environment / "landing")
    assert run("ingest_events")[0] == "success"
    assert run("build_ledger")[0] == "success"
    assert run("replay_ledger") == ("success", {"replay_books": ["success"]})

    as_owner("DELETE FROM ledger.journal_line WHERE line_no = 1")
    assert run("replay_ledger") == ("failed", {"replay_books": ["failed"]})
    assert "仅重放 / replayed only" in (fund_environment / "replay_ledger.out").read_text(encoding="utf-8")


@pytest.mark.timeout(1800)
def test_an_audit_is_green_until_old_books_are_touched_and_then_freezes(run: Run, fund_environment: Path) -> None:
    parts = ("verify_log", "rebuild_books", "check_history", "conclude", "write_reports")
    land_good(fund_environment / "landing")
    assert run("ingest_events")[0] == "success"
    assert run("build_ledger")[0] == "success"
    assert run("audit_log") == ("success", {**{part: ["success"] for part in parts}, "report_failure": ["skipped"]})
    looked = {"look_at_freshness": ["success"], "write_reports": ["success"], "report_failure": ["skipped"]}
    assert run("watch_freshness") == ("success", looked)

    as_owner("DELETE FROM ledger.journal_line WHERE line_no = 1")
    state, tasks = run("audit_log")
    assert state == "failed"
    assert {task for task, ended in tasks.items() if ended == ["failed"]} == {"conclude", "report_failure"}
    page = (fund_environment / "reports" / "index.html").read_text(encoding="utf-8")
    assert "nightly audit" in page
    assert "暂停发布" in page


def test_files_in_object_storage_are_taken_like_local_ones(
    run: Run, deployed_warehouse: str, fund_environment: Path, tmp_path: Path
) -> None:
    land_good(tmp_path / "landing")
    with s3_server() as server:
        store = Store(server)
        store.put_tree(tmp_path / "landing")
        variables = {
            "FUND_LANDING_DIR": ROOT,
            "AWS_ENDPOINT_URL": store.line.url,
            "AWS_ACCESS_KEY_ID": "bureau",
            "AWS_SECRET_ACCESS_KEY": "not-known-to-anybody",
        }
        assert run("ingest_events", **variables) == ("success", TAKEN)
        assert store.fetched()
        store.forget_all()
    with closing(psycopg2.connect(deployed_warehouse)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT state FROM events.file")
        assert cursor.fetchall() == [("loaded",)]
    assert list((fund_environment / "spool").iterdir()) == []


def test_no_identity_number_is_left_with_airflow(
    run: Run, deployed_warehouse: str, fund_environment: Path, embedded_postgres: EmbeddedPostgres
) -> None:
    numbers = Numbers()
    land_canonical(numbers)
    land_refused_files(numbers)
    state, tasks = run("ingest_events")
    assert state == "success"
    assert len(tasks["ingest_file"]) > 10

    landing = str(fund_environment / "landing")
    kept = {name: content for name, content in contents(fund_environment).items() if not name.startswith(landing)}
    assert b"E-VALUE-PERSONAL" in dump(embedded_postgres, deployed_warehouse)
    metadata = dump(embedded_postgres, embedded_postgres.superuser_url("dag_runs"))
    assert b"d.registration.340***********" in metadata, "names of files are in the results of tasks"
    assert b"E-FILE-NAME" in kept[str(fund_environment / "ingest_events.out")]
    assert list(leaks(numbers, {"metadata": metadata, **kept})) == []


def _published(url: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT region_code, seq FROM marts.published_head ORDER BY 1")
        return cursor.fetchall()
