"""The DAG of a close by `dag.test()` on a real warehouse, answered as Airflow's own API and scheduler answer."""

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
from tests.conftest import WarehouseFactory
from tests.integration.closing_books import REGION, TODAY, made

pytestmark = [pytest.mark.exhaustive, pytest.mark.timeout(1500)]

# Runs the DAG; a second thread gives the answer: a person through the function behind the REST route, or the
# scheduler's sweep of what has waited for too long.
RUN = """
import json, sys, threading, time
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
folder, conf, answer = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
DagBundlesManager().sync_bundles_to_db()
bag = DagBag(folder, bundle_name="dags-folder")
sync_bag_to_db(bag, "dags-folder", None)

def waiting(session):
    wanted = {"dag_id": "close_period", "task_id": "approve", "state": "awaiting_input"}
    return session.query(TaskInstance).filter_by(**wanted).first()

def respond():
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
    from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    while True:
        time.sleep(0.3)
        with create_session() as session:
            instance = waiting(session)
            if instance is None:
                continue
            if answer["user"] is None:
                SchedulerJobRunner(job=Job()).check_awaiting_input_timeouts(session=session)
                session.commit()
                if waiting(session) is None:
                    return
                continue
            given = {"chosen_options": [answer["option"]], "params_input": {"reason": answer["reason"]}}
            payload = UpdateHITLDetailPayload(**given)
            user = SimpleAuthManagerUser(username=answer["user"], role="op")
            update_hitl_detail("close_period", instance.run_id, "approve", payload, user, session, -1)
            print("BODY " + json.dumps(instance.hitl_detail.body))
            return

threading.Thread(target=respond, daemon=True).start()
run = bag.get_dag("close_period").test(run_conf=conf)
states = {instance.task_id: str(instance.state) for instance in run.get_task_instances()}
print("RAN " + json.dumps({"run": str(run.state), "tasks": states}))
"""
TASKS = ("prepare_close", "approve", "close_month", "publish_and_sign", "conclude")
Run = Callable[..., tuple[str, list[str], str]]


@pytest.fixture(scope="module")
def books(
    warehouse_factory: WarehouseFactory, deployed_template: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """Published books of which no month is closed, shared by these tests in their order."""
    local = tmp_path_factory.mktemp("close_dag") / "local"
    return made(warehouse_factory, deployed_template, local), local


@pytest.fixture
def run(books: tuple[str, Path], embedded_postgres: EmbeddedPostgres, tmp_path: Path) -> Run:
    """`run(month, user, option, reason)` -> state of the run, of its tasks in order, and what the run printed."""
    url, local = books
    given = {"FUND_DATABASE_URL": url, "FUND_BUSINESS_DATE": TODAY, "FUND_REPORTS_DIR": str(local / "reports")}
    given["FUND_HEADS_DIR"] = str(local / "heads")
    given["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = embedded_postgres.ensure_database("close_runs", owned=True)
    environment = Environment(given, Layout(local), embedded_postgres).complete()

    def call(*arguments: str, **variables: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *arguments], env=environment | variables, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-10_000:]
        return done.stdout

    call("-m", "airflow", "db", "migrate")

    def ran(month: str, user: str | None, option: str = "Approve", reason: str = "", **variables: str) -> object:
        conf = json.dumps({"region": REGION, "month": month, "prepared_by": "基金会计"})
        answer = json.dumps({"user": user, "option": option, "reason": reason})
        output = call("-c", RUN, environment["AIRFLOW__CORE__DAGS_FOLDER"], conf, answer, **variables)
        (line,) = [line for line in output.splitlines() if line.startswith("RAN ")]
        told = json.loads(line.removeprefix("RAN "))
        return told["run"], [told["tasks"][task] for task in TASKS], output

    return ran  # type: ignore[return-value]


def asked(books: tuple[str, Path], query: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(books[0])) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


DECISIONS = "SELECT decision, decided_by, reason, account FROM signoff.decision ORDER BY request_id, decision_no"
CLOSED = "SELECT to_char(accounting_month, 'YYYY-MM') FROM marts.closed_period WHERE signed_at IS NOT NULL"


def test_who_rejects_or_says_nothing_leaves_the_month_open_and_the_run_red(books: tuple[str, Path], run: Run) -> None:
    state, tasks, output = run("2020-11", "approver", "Reject", "请核对生育津贴")
    assert (state, tasks) == ("failed", ["success", "success", "failed", "upstream_failed", "failed"])
    (body,) = [json.loads(line[5:]) for line in output.splitlines() if line.startswith("BODY ")]
    assert "生育待遇支出" in body
    assert "3,640.50" in body
    assert "prepared by: 基金会计" in body
    state, tasks, _ = run("2020-11", None, FUND_CLOSE_APPROVAL_HOURS="0.0005")
    assert (state, tasks) == ("failed", ["success", "success", "failed", "upstream_failed", "failed"])
    state, tasks, output = run("2020-11", "dag_test")
    assert (state, tasks[2:]) == ("failed", ["failed", "upstream_failed", "failed"])
    assert "E-PERIOD-APPROVER" in output
    told = asked(books, DECISIONS)
    assert [row[:2] for row in told] == [("rejected", "approver"), ("timed_out", None), ("void", "dag_test")]
    assert told[0][2:] == ("请核对生育津贴", "airflow:approver")
    assert asked(books, CLOSED) == []


def test_an_approval_closes_publishes_and_signs_and_a_second_run_asks_nobody(books: tuple[str, Path], run: Run) -> None:
    state, tasks, _ = run("2020-11", "approver", "Approve", "同意")
    assert (state, tasks) == ("success", ["success"] * 5)
    assert asked(books, CLOSED) == [("2020-11",)]
    assert asked(books, DECISIONS)[-1] == ("approved", "approver", "同意", "airflow:approver")
    (event,) = asked(books, "SELECT approved_by, prepared_by, reason FROM events.event WHERE family = 'control'")
    assert event == ("approver", "基金会计", "同意")
    state, tasks, _ = run("2020-11", "approver")
    assert (state, tasks) == ("success", ["success", "skipped", "skipped", "skipped", "success"])
    assert asked(books, "SELECT count(*) FROM events.event WHERE family = 'control'") == [(1,)]
