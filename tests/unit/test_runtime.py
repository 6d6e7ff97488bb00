"""Small parts of the runtime: widths, URLs, secrets, environment, decisions about restarts."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import psycopg2
import pytest

from ingestion.settings import Settings, SettingsError, landing_root
from runtime import __main__ as commands
from runtime import pipeline
from runtime.airflow_api import AirflowApi
from runtime.dbt import connection_variables
from runtime.environment import METADATA_VARIABLE, Environment
from runtime.layout import REPOSITORY, Layout
from runtime.postgres import EmbeddedPostgres
from runtime.terminal import table, width


def environment(local: Path, **given: str) -> Environment:
    """With both databases elsewhere, so that nothing needs to be started."""
    layout = Layout(local)
    base = {"FUND_DATABASE_URL": "postgresql://u:p@h/w", METADATA_VARIABLE: "postgresql://u:p@h/m", "HOME": "/home/x"}
    return Environment({**base, **given}, layout, EmbeddedPostgres(layout))


def test_chinese_takes_two_columns_and_tables_stay_aligned() -> None:
    assert (width("收支表"), width("E113"), width("合计 a")) == (6, 4, 6)
    lines = table([["收入", "1.00"], ["a", "12,345.00"]], right=(1,), indent=0)
    assert lines == ["收入       1.00", "a     12,345.00"]
    assert table([]) == []


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_a_database_url_is_split_for_dbt_with_its_quoting_undone(scheme: str) -> None:
    variables = connection_variables(f"{scheme}://user:p%40ss%2Fw@db.example:6543/books?sslmode=require")
    assert variables == {
        "FUND_DB_HOST": "db.example",
        "FUND_DB_PORT": "6543",
        "FUND_DB_USER": "user",
        "FUND_DB_PASSWORD": "p@ss/w",
        "FUND_DB_NAME": "books",
        "PGSSLMODE": "require",
    }


def test_a_secret_is_made_once_whoever_asks_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "local")
    with ThreadPoolExecutor(max_workers=8) as pool:
        seen = set(pool.map(layout.secret, ["key"] * 32))
    assert len(seen) == 1
    assert (tmp_path / "local/secrets/key").stat().st_mode & 0o777 == 0o600


def test_ports_are_remembered_and_distinct(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    first, second = layout.port("postgres"), layout.port("airflow_api")
    assert first != second
    assert (layout.port("postgres"), layout.port("airflow_api")) == (first, second)


def test_foreign_databases_need_no_server_of_ours(tmp_path: Path) -> None:
    foreign = environment(tmp_path)
    assert not foreign.needs_server
    variables = foreign.complete()
    assert variables["FUND_DATABASE_URL"] == "postgresql://u:p@h/w"
    assert variables[METADATA_VARIABLE] == "postgresql+psycopg2://u:p@h/m"
    assert not (tmp_path / "postgres").exists()


def test_children_get_a_complete_quiet_environment_with_loopback_past_any_proxy(tmp_path: Path) -> None:
    variables = environment(
        tmp_path, NO_PROXY="intranet", PYTHONDONTWRITEBYTECODE="1", AIRFLOW_HOME="/other", AIRFLOW__API__PORT="18080"
    ).complete()
    assert "PYTHONDONTWRITEBYTECODE" not in variables
    assert variables["NO_PROXY"] == "intranet,127.0.0.1,localhost"
    assert variables["AIRFLOW_HOME"] == str(tmp_path / "airflow")
    assert variables["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:18080/execution/"
    assert variables["DO_NOT_TRACK"] == "1"
    assert len(variables["FUND_PSEUDONYM_KEY"]) == 64


def test_an_airflow_for_one_pipeline_has_no_schedules(tmp_path: Path) -> None:
    variables = environment(tmp_path, FUND_INGEST_SCHEDULE="@hourly").without_schedules().complete()
    schedules = {name: value for name, value in variables.items() if name.endswith("_SCHEDULE")}
    assert schedules == {f"FUND_{what}_SCHEDULE": "" for what in ("INGEST", "BUILD", "AUDIT", "WATCH", "REVIEW")}


def test_relative_directories_are_those_of_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FUND_LOCAL_DIR", "local")
    monkeypatch.setenv("FUND_LANDING_DIR", "landed files")
    monkeypatch.setenv("FUND_DATABASE_URL", "postgresql://u:p@h/w")
    assert Environment.current().fund()["FUND_LANDING_DIR"] == str(tmp_path / "landed files")


def test_a_landing_root_in_object_storage_reaches_tasks_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"FUND_LANDING_DIR": "s3://bucket/pre fix", "AWS_ENDPOINT_URL": "http://store", "FSSPEC_S3_ANON": "false"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FUND_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv("FUND_DATABASE_URL", "postgresql://u:p@h/w")
    variables = Environment.current().without_airflow()
    assert {name: variables[name] for name in given} == given
    assert Settings.from_env().landing_dir == given["FUND_LANDING_DIR"]
    assert Settings.from_env().spool_dir == tmp_path / "spool"


def test_connections_for_alerts_reach_tasks_and_no_others(tmp_path: Path) -> None:
    given = {"AIRFLOW_CONN_FUND_ALERTS_EMAIL": "smtp://127.0.0.1:25", "AIRFLOW_CONN_OTHER": "http://127.0.0.1"}
    variables = environment(tmp_path, **given).airflow()
    assert variables["AIRFLOW_CONN_FUND_ALERTS_EMAIL"] == "smtp://127.0.0.1:25"
    assert "AIRFLOW_CONN_OTHER" not in variables


@pytest.mark.parametrize("given", ["landed files", "file://landed files", "local://landed files"])
def test_a_file_url_is_a_path(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert landing_root(given) == tmp_path / "landed files"
    assert landing_root(f"file://{tmp_path}") == tmp_path


def test_psql_gets_the_password_where_other_users_cannot_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[list[str], dict[str, str]]] = []

    def note(command: list[str], *, env: dict[str, str], check: bool) -> subprocess.CompletedProcess[str]:
        assert not check
        calls.append((command, env))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(EmbeddedPostgres, "program", lambda _, name: Path("/bin") / name)
    monkeypatch.setattr(subprocess, "run", note)
    foreign = environment(tmp_path, FUND_DATABASE_URL="postgresql+psycopg2://u:p%40ss@h:6543/w?sslmode=require")
    assert commands.psql(foreign, Namespace(arguments=["--", "-c", "select 1"])) == 0
    ((command, variables),) = calls
    assert command == ["/bin/psql", "-d", "user=u dbname=w host=h port=6543 sslmode=require", "-c", "select 1"]
    assert variables["PGPASSWORD"] == "p@ss"


def test_a_run_that_was_ended_in_the_queue_is_not_taken_for_the_one_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = {"dag_run_id": "old", "state": "failed", "start_date": None}
    began = {"dag_run_id": "new", "state": "success", "start_date": "2020-01-01T00:00:01+00:00"}

    class Api:
        def newest_runs(self, dag_id: str) -> list[dict[str, Any]]:
            return [{"dag_run_id": "files", "end_date": None}] if dag_id == "ingest_events" else [began, ended]

        def tasks(self, *_: str, **__: str) -> list[dict[str, Any]]:
            return [{"start_date": "2020-01-01T00:00:00+00:00"}]

    monkeypatch.setattr(pipeline, "_follow", lambda _api, _dag, run_id: {"new": began, "old": ended}[run_id])
    assert pipeline._build_after_ingest(cast(AirflowApi, Api())) == began


def test_a_server_that_can_not_be_reached_is_told_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    commands._complain_about(psycopg2.OperationalError("connection refused\n"))
    assert capsys.readouterr().err == "error: connection refused\n"


def test_a_faulty_database_url_is_refused_without_repeating_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUND_DATABASE_URL", "mysql://user:hidden@host/books")
    with pytest.raises(SettingsError, match="FUND_DATABASE_URL is not the URL of a PostgreSQL database") as refused:
        Settings.from_env()
    assert "hidden" not in str(refused.value)


def test_documented_commands_find_their_settings(tmp_path: Path) -> None:
    given = {"PATH": os.environ["PATH"], "FUND_LOCAL_DIR": str(tmp_path), "FUND_DATABASE_URL": "postgresql://u@h/d"}
    command = [sys.executable, "-m", "runtime", "env", "--", "python", "-c"]
    script = "import ingestion, os; print(os.environ['FUND_DATABASE_URL'], os.environ['FUND_LANDING_DIR'])"
    done = subprocess.run([*command, script], env=given, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["postgresql://u@h/d", str(tmp_path / "landing")]
    told = subprocess.run(command[:4], env=given, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert "FUND_LANDING_DIR=" in told
    assert "KEY" not in told
    assert "URL" not in told
