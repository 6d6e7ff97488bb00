"""The exact graph, schedule and policy of every DAG, and that reading them costs nothing."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from runtime.layout import REPOSITORY
from tests.dags.conftest import read_dags

DAG_FILES = sorted((REPOSITORY / "dags").glob("*.py"))

GRAPHS = {
    "ingest_events": {
        "discover_files": ["ingest_file"],
        "ingest_file": ["report_failure", "retry_waiting"],
        "retry_waiting": ["record_heads", "report_failure"],
        "record_heads": ["report_failure"],
        "report_failure": [],
    },
    "build_ledger": {
        "deploy_models": ["build_models", "report_failure"],
        "build_models": ["check_candidate", "report_failure"],
        "check_candidate": ["publish", "report_failure"],
        "publish": ["report_failure", "write_reports"],
        "write_reports": ["report_failure"],
        "report_failure": [],
    },
    "close_period": {
        "prepare_close": ["approve"],
        "approve": ["close_month"],
        "close_month": ["publish_and_sign"],
        "publish_and_sign": ["conclude"],
        "conclude": [],
    },
    "replay_ledger": {"replay_books": []},
    "audit_log": {
        "verify_log": ["rebuild_books", "report_failure"],
        "rebuild_books": ["check_history", "report_failure"],
        "check_history": ["conclude", "report_failure"],
        "conclude": ["report_failure", "write_reports"],
        "write_reports": ["report_failure"],
        "report_failure": [],
    },
    "watch_freshness": {
        "look_at_freshness": ["report_failure", "write_reports"],
        "write_reports": ["report_failure"],
        "report_failure": [],
    },
    "review_policy": {
        "forecast": ["report_failure", "review"],
        "review": ["report_failure", "write_reports"],
        "write_reports": ["report_failure"],
        "report_failure": [],
    },
}
# A verdict and a report of failure are not mishaps that another try could mend; who does not answer is not asked again.
NEVER_RETRIED = {"publish", "replay_books", "report_failure", "approve", "conclude", "look_at_freshness", "review"}
# A region may wait for its approver while others close; everything else runs once at a time.
RUNS_AT_ONCE = {dag_id: 16 if dag_id == "close_period" else 1 for dag_id in GRAPHS}


def tasks_of(dags: dict[str, Any], dag_id: str) -> dict[str, dict[str, Any]]:
    return {task["__var"]["task_id"]: task["__var"] for task in dags[dag_id]["dag"]["tasks"]}


def options_of(task: dict[str, Any]) -> dict[str, Any]:
    """Options of a task; those of a mapped one lie one level deeper."""
    return {**task, **task.get("partial_kwargs", {})}


def test_these_dags_and_no_others(dags: dict[str, Any]) -> None:
    assert set(dags) == set(GRAPHS)


@pytest.mark.parametrize("dag_id", GRAPHS)
def test_the_graph_is_exactly_this(dags: dict[str, Any], dag_id: str) -> None:
    graph = {task_id: sorted(task.get("downstream_task_ids", [])) for task_id, task in tasks_of(dags, dag_id).items()}
    assert graph == GRAPHS[dag_id]


def test_one_mapped_task_a_file_named_by_its_file_and_one_at_a_time(dags: dict[str, Any]) -> None:
    mapped = {name: task for name, task in tasks_of(dags, "ingest_events").items() if task.get("_is_mapped")}
    assert set(mapped) == {"ingest_file"}
    options = options_of(mapped["ingest_file"])
    assert options["max_active_tis_per_dagrun"] == 1
    assert options["map_index_template"] == "{{ file }}"


def test_a_failed_file_neither_stops_the_rest_nor_stays_unseen(dags: dict[str, Any]) -> None:
    rules = {name: task.get("trigger_rule", "all_success") for name, task in tasks_of(dags, "ingest_events").items()}
    assert rules["retry_waiting"] == "all_done"
    assert rules["report_failure"] == "one_failed"
    assert {rules[name] for name in ("discover_files", "ingest_file", "record_heads")} == {"all_success"}


def test_reports_are_written_whatever_the_end_and_a_refusal_still_makes_the_run_red(dags: dict[str, Any]) -> None:
    rules = {name: task.get("trigger_rule", "all_success") for name, task in tasks_of(dags, "build_ledger").items()}
    assert rules.pop("write_reports") == "all_done"
    assert rules.pop("report_failure") == "one_failed"
    assert set(rules.values()) == {"all_success"}


def test_a_close_waits_for_an_approver_and_no_answer_is_no_approval(dags: dict[str, Any]) -> None:
    tasks = tasks_of(dags, "close_period")
    assert tasks["approve"]["task_type"] == "HITLOperator"
    assert tasks["conclude"]["trigger_rule"] == "all_done"
    assert dags["close_period"]["dag"]["timetable"]["__type"].endswith("NullTimetable")
    assert {param[0] for param in dags["close_period"]["dag"]["params"]} == {"region", "month", "prepared_by"}


def test_the_log_triggers_the_ledger_and_the_clock_is_the_safety_net(dags: dict[str, Any]) -> None:
    ingest = dags["ingest_events"]["dag"]["timetable"]["__var"]
    assert (ingest["expression"], ingest["timezone"], ingest["run_immediately"]) == (
        "*/15 * * * *",
        "Asia/Shanghai",
        False,
    )
    build = dags["build_ledger"]["dag"]["timetable"]["__var"]
    assert [item["name"] for item in build["asset_condition"]["objects"]] == ["events_log"]
    nightly = build["timetable"]["__var"]
    assert (nightly["expression"], nightly["timezone"], nightly["run_immediately"]) == (
        "0 2 * * *",
        "Asia/Shanghai",
        False,
    )
    outlets = [outlet for task in tasks_of(dags, "ingest_events").values() for outlet in task.get("outlets", [])]
    assert [outlet["__var"]["name"] for outlet in outlets] == ["events_log"]


def test_the_audit_comes_by_night_after_the_build_and_the_look_by_day(dags: dict[str, Any]) -> None:
    for dag_id, expression in (
        ("audit_log", "0 4 * * *"),
        ("review_policy", "0 6 * * *"),
        ("watch_freshness", "30 8,14 * * *"),
    ):
        timetable = dags[dag_id]["dag"]["timetable"]["__var"]
        told = (timetable["expression"], timetable["timezone"], timetable["run_immediately"])
        assert told == (expression, "Asia/Shanghai", False)


def test_an_audit_is_concluded_however_its_parts_end(dags: dict[str, Any]) -> None:
    rules = {name: task.get("trigger_rule", "all_success") for name, task in tasks_of(dags, "audit_log").items()}
    assert {rules.pop(name) for name in ("rebuild_books", "check_history", "conclude", "write_reports")} == {"all_done"}
    assert rules.pop("report_failure") == "one_failed"
    assert set(rules.values()) == {"all_success"}


def test_a_look_that_failed_is_written_and_still_makes_the_run_red(dags: dict[str, Any]) -> None:
    rules = {name: task.get("trigger_rule", "all_success") for name, task in tasks_of(dags, "watch_freshness").items()}
    expected = {"look_at_freshness": "all_success", "write_reports": "all_done", "report_failure": "one_failed"}
    assert rules == expected


def test_a_review_is_written_however_it_ends(dags: dict[str, Any]) -> None:
    rules = {name: task.get("trigger_rule", "all_success") for name, task in tasks_of(dags, "review_policy").items()}
    assert rules == {
        **{"forecast": "all_success", "review": "all_done"},
        **{"write_reports": "all_done", "report_failure": "one_failed"},
    }


def test_an_empty_schedule_leaves_the_asset_only(airflow_home: Path) -> None:
    dags = read_dags(
        airflow_home,
        **{f"FUND_{what}_SCHEDULE": "" for what in ("INGEST", "BUILD", "AUDIT", "WATCH", "REVIEW")},
    )["dags"]
    assert dags["ingest_events"]["dag"]["timetable"]["__type"].endswith("NullTimetable")
    assert dags["build_ledger"]["dag"]["timetable"]["__type"].endswith("AssetTriggeredTimetable")
    for dag_id in ("audit_log", "watch_freshness", "review_policy"):
        assert dags[dag_id]["dag"]["timetable"]["__type"].endswith("NullTimetable")


def test_a_replay_is_started_by_hand_and_swaps_nothing_unless_told_to(dags: dict[str, Any]) -> None:
    dag = dags["replay_ledger"]["dag"]
    assert dag["timetable"]["__type"].endswith("NullTimetable")
    parameters = {name: parameter["default"] for name, parameter in dag["params"]}
    assert parameters == {"swap": False, "reason": ""}


@pytest.mark.parametrize("dag_id", GRAPHS)
def test_policy_of_every_dag(dags: dict[str, Any], dag_id: str) -> None:
    dag = dags[dag_id]["dag"]
    assert dag["max_active_runs"] == RUNS_AT_ONCE[dag_id]
    assert dag["catchup"] is False
    assert len(dag["doc_md"]) > 200
    assert [tag for tag in dag["tags"] if tag.startswith("impact/tier_")] == ["impact/tier_1"]


@pytest.mark.parametrize("dag_id", GRAPHS)
def test_policy_of_every_task(dags: dict[str, Any], dag_id: str) -> None:
    for task_id, task in tasks_of(dags, dag_id).items():
        options = options_of(task)
        assert options["owner"] in {"data-platform", "fund-finance"}, task_id
        assert options.get("execution_timeout"), task_id
        if task_id not in NEVER_RETRIED:
            assert options["retries"] == 2, task_id
            assert options["retry_delay"], task_id


def test_two_readings_are_equal_whatever_the_hash_seed(airflow_home: Path) -> None:
    first = read_dags(airflow_home, PYTHONHASHSEED="1")
    second = read_dags(airflow_home, PYTHONHASHSEED="2")
    assert json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.name)
def test_reading_a_file_imports_nothing_but_the_sdk_and_calls_nothing_else(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else alias.name.split(".")[0]
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {"airflow"} <= imported <= {"os", "datetime", "airflow"}


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.name)
def test_a_file_is_schedule_tasks_and_arrows_only(path: Path) -> None:
    code = path.read_text(encoding="utf-8").split('"""', 2)[2]
    assert len([line for line in code.splitlines() if line.strip()]) <= 55
