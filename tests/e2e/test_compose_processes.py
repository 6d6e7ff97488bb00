"""What docker-compose.yml describes, run without an engine: its commands, its environment, its health checks."""

from __future__ import annotations

import base64
import http.client
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg2
import pytest

from ingestion.database import libpq_url
from runtime import processes
from runtime.airflow_api import AirflowApi
from runtime.layout import Layout
from tests.e2e.compose_services import Stage
from tests.e2e.landing import CLAIM, STATEMENT, land, land_good
from tests.programs import require

pytestmark = [pytest.mark.e2e, pytest.mark.exhaustive, pytest.mark.timeout(1800)]

AIRFLOW = ("api-server", "scheduler", "dag-processor", "triggerer")
DAGS = ("ingest_events", "build_ledger")
# As the proxy of docs/deployment.md has it; a browser names the page that a form came from.
BY_TLS = {
    "Host": "fund.example.cn",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "203.0.113.9",
    "Referer": "https://fund.example.cn/auth/login/",
}
STATEMENT_QUERY = """
    SELECT line_code, amount_month FROM marts.income_expenditure_statement
    WHERE region_code = '320100' AND fund_code = 'EMI' AND sub_fund = 'total' AND accounting_month = '2020-03-01'
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="merged-fund-stage-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def ports(folder: Path) -> dict[int, int]:
    layout = Layout(folder / "ports")
    return {port: layout.port(str(port)) for port in (8080, 8081, 6379)}


@pytest.fixture(scope="module")
def installed(folder: Path, ports: dict[int, int]) -> Iterator[Stage]:
    """PostgreSQL with its first start behind it, and `migrate` run, twice as an upgrade would."""
    require("redis-server", "FUND_REQUIRE_REDIS")
    stage = Stage(folder, ports, FUND_INGEST_SCHEDULE="", FUND_BUILD_SCHEDULE="")
    try:
        stage.server.start()
        stage.make_secrets()
        stage.start_postgres()
        stage.wait_until_healthy("postgres")
        stage.run("migrate")
        stage.run("migrate")
        yield stage
    finally:
        stage.end()


def _ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(libpq_url(url))) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def _celery_results(stage: Stage) -> int:
    url = stage.secret("airflow_database_url")
    if _ask(url, "SELECT to_regclass('celery_taskmeta')") == [(None,)]:
        return 0
    return int(_ask(url, "SELECT count(*) FROM celery_taskmeta WHERE status = 'SUCCESS'")[0][0])


def _wait(api: AirflowApi, dag_id: str, run_id: str) -> None:
    deadline = time.monotonic() + 900
    while (run := api.run(dag_id, run_id))["state"] not in ("success", "failed"):
        assert time.monotonic() < deadline, run
        time.sleep(1)
    failed = [task for task in api.tasks(dag_id, run_id) if task["state"] == "failed"]
    assert run["state"] == "success", "\n".join(f"{task['task_id']}: {api.log(task)[-2500:]}" for task in failed)


def _run_both(stage: Stage) -> None:
    """Take what has landed, and the run of the books that it causes."""
    api = AirflowApi(stage.ports[8080], "admin", stage.secret("airflow_admin_password"))
    deadline = time.monotonic() + 120
    while {dag["dag_id"] for dag in api.dags()} < set(DAGS):
        assert time.monotonic() < deadline, stage.output("dag-processor")[-3000:]
        time.sleep(1)
    before = {run["dag_run_id"] for run in api.newest_runs("build_ledger")}
    for dag_id in DAGS:
        api.unpause(dag_id)
    _wait(api, "ingest_events", api.trigger("ingest_events"))
    while not (fresh := [r for r in api.newest_runs("build_ledger") if r["dag_run_id"] not in before]):
        assert time.monotonic() < deadline + 300
        time.sleep(0.5)
    _wait(api, "build_ledger", fresh[0]["dag_run_id"])


def _run_under(stage: Stage, executor: str, services: tuple[str, ...], then: Callable[[Stage], None]) -> None:
    """Start the services in the compose file's order, run both DAGs, look; end all by SIGTERM: nothing is left."""
    configured = Stage(
        stage.folder, stage.ports, FUND_INGEST_SCHEDULE="", FUND_BUILD_SCHEDULE="", AIRFLOW__CORE__EXECUTOR=executor
    )
    stage.services = configured.services
    try:
        for name in services:
            stage.start(name)
            if name in ("redis", "reports", "api-server"):  # others wait for these
                stage.wait_until_healthy(name)
        for name in services:
            stage.wait_until_healthy(name)
        _run_both(stage)
        then(stage)
        _tell_memory(stage)
    finally:
        left = {name: stage.stop(name, timeout_s=90) for name in reversed(services) if name in stage.running}
    assert {name: pids for name, pids in left.items() if pids} == {}
    for name in services:
        assert not stage.is_healthy(name), f"{name} is said to be healthy although it has ended"


def _tell_memory(stage: Stage) -> None:
    """Memory of every service, for docs/deployment.md: shared pages counted once over all (PSS)."""
    for name, process in stage.running.items():
        kilobytes = 0
        for pid in processes.session_members(process.pid):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            kilobytes += int(text.split("Pss:", 1)[1].split()[0])
        print(f"{name:15s} {kilobytes / 1024:7.0f} MB PSS, {len(processes.session_members(process.pid))} processes")


def test_both_roles_reach_their_own_database_only_with_no_power_beyond_it(installed: Stage) -> None:
    roles = "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
    assert _ask(installed.warehouse_url(), roles) == [("merged_fund", False, False, True)]
    metadata = installed.secret("airflow_database_url")
    assert _ask(metadata, roles) == [("airflow", False, False, False)]
    foreign = installed.warehouse_url().rpartition("/")[0] + "/airflow"
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        _ask(foreign, "SELECT 1")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        _ask(metadata.rpartition("/")[0] + "/merged_fund", "SELECT * FROM events.event")


def test_a_changed_password_of_the_first_administrator_is_not_put_back(installed: Stage) -> None:
    users = _ask(installed.secret("airflow_database_url"), "SELECT username FROM ab_user")
    assert users == [("admin",)]
    assert "added admin" in installed.output("migrate")
    assert "there are users already" in installed.output("migrate")


def test_readers_of_the_books_get_their_accounts_by_a_command_within_the_scheduler(installed: Stage) -> None:
    said = installed.execute("scheduler", "-m", "runtime", "reader", "add", "nj_zhang", "--regions", "320100")
    password = said.rpartition("shown this once: ")[2].strip()
    url = urlsplit(installed.warehouse_url())
    login = url._replace(netloc=f"nj_zhang:{password}@{url.hostname}:{url.port}").geturl()
    assert _ask(login, "SELECT region_code FROM access.my_region") == [("320100",)]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        _ask(login, "SELECT * FROM events.event")
    assert "nj_zhang" in installed.execute("scheduler", "-m", "runtime", "reader", "list")
    installed.execute("scheduler", "-m", "runtime", "reader", "remove", "nj_zhang")
    with pytest.raises(psycopg2.OperationalError):
        _ask(login, "SELECT 1")


def test_cookies_of_who_comes_by_tls_go_back_by_tls_only(installed: Stage) -> None:
    base = {"AIRFLOW__API__BASE_URL": "https://fund.example.cn"}
    installed.services = Stage(installed.folder, installed.ports, **base).services
    installed.start("api-server")
    try:
        installed.wait_until_healthy("api-server")
        by_tls = _cookies_of_signing_in(installed, BY_TLS)
        assert by_tls.keys() == {"session", "_token"}
        assert all("; secure" in cookie.lower() and "; httponly" in cookie.lower() for cookie in by_tls.values())
        plain = _cookies_of_signing_in(installed, {})
        assert "; secure" in plain["session"].lower()
        assert "; secure" not in plain["_token"].lower(), "the header has made no difference"
    finally:
        assert installed.stop("api-server", timeout_s=60) == []


def _cookies_of_signing_in(stage: Stage, headers: dict[str, str]) -> dict[str, str]:
    """The last Set-Cookie of each name, from the form's page and from its answer."""
    client = http.client.HTTPConnection("127.0.0.1", stage.ports[8080], timeout=60)
    cookies: dict[str, str] = {}

    def ask(method: str, body: str, **more: str) -> str:
        client.request(method, "/auth/login/", body, {**headers, **more})
        answer = client.getresponse()
        cookies.update((line.partition("=")[0], line) for line in answer.headers.get_all("Set-Cookie") or [])
        return answer.read().decode()

    with closing(client):
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page := ask("GET", ""))
        assert token, page[:2000]
        form = {"csrf_token": token[1], "username": "admin", "password": stage.secret("airflow_admin_password")}
        sent = "; ".join(line.partition(";")[0] for line in cookies.values())
        ask("POST", urlencode(form), **{"Content-Type": "application/x-www-form-urlencoded", "Cookie": sent})
    return cookies


def test_files_become_published_books_through_workers_with_a_queue(installed: Stage) -> None:
    land_good(installed.folder / "landing")
    services = ("redis", *AIRFLOW, "celery-worker")
    _run_under(installed, "CeleryExecutor", services, then=_no_secret_stands_among_arguments)
    statement = dict(_ask(installed.warehouse_url(), STATEMENT_QUERY))
    assert {line: statement[line] for line in STATEMENT} == {line: Decimal(text) for line, text in STATEMENT.items()}
    assert _celery_results(installed) >= len(STATEMENT)


def test_the_same_books_go_on_beside_the_scheduler_and_reports_are_served_to_who_may_read_them(
    installed: Stage,
) -> None:
    require("nginx", "FUND_REQUIRE_NGINX")
    before = _celery_results(installed)
    land_good(installed.folder / "landing")
    land(installed.folder / "landing", d_claim=CLAIM.replace("K1", "K8").replace("K2", "K9"))
    _run_under(installed, "LocalExecutor", ("reports", *AIRFLOW), then=_commands_and_reports_are_at_hand)
    assert _celery_results(installed) == before
    statement = dict(_ask(installed.warehouse_url(), STATEMENT_QUERY))
    assert statement["E113"] > Decimal(STATEMENT["E113"])


def _no_secret_stands_among_arguments(stage: Stage) -> None:
    lines = _command_lines()
    for name in ("postgres_password", "fund_pseudonym_key", "airflow_fernet_key", "airflow_admin_password"):
        assert stage.secret(name) not in lines, name
    for name in ("fund_database_url", "airflow_database_url", "celery_broker_url"):
        assert str(urlsplit(stage.secret(name)).password) not in lines, name


def _commands_and_reports_are_at_hand(stage: Stage) -> None:
    _reports_are_served_to_who_may_read_them(stage)
    written = stage.execute("scheduler", "-m", "runtime", "report").split()
    assert {Path(path).name for path in written} >= {"index.html", "merged_fund_320100.xlsx"}
    assert stage.execute("scheduler", "-m", "ingestion", "verify-heads")
    airflow = ("scheduler", "-m", "runtime", "airflow", "--")
    stage.execute(*airflow, "dags", "trigger", "--run-id", "by_hand", "build_ledger")
    _wait(AirflowApi(stage.ports[8080], "admin", stage.secret("airflow_admin_password")), "build_ledger", "by_hand")
    assert "by_hand" in stage.execute(*airflow, "dags", "list-runs", "build_ledger")


def _reports_are_served_to_who_may_read_them(stage: Stage) -> None:
    assert _get(stage, "/index.html")[0] == 401
    _add_reader(stage, "zhang", password := "a reader's password")
    assert _get(stage, "/index.html", "zhang:guessed")[0] == 401
    login = f"zhang:{password}"
    code, headers, page = _get(stage, "/index.html", login)
    assert (code, headers["X-Content-Type-Options"]) == (200, "nosniff")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "320100" in page
    for path in ("/merged_fund_320100.xlsx", "/findings.html", "/assets/site.js"):
        assert _get(stage, path, login)[0] == 200, path
    for path in ("/merged_fund_999999.xlsx", "/../secrets/fund_pseudonym_key", "/.index.html.draft", "/index.html~"):
        assert _get(stage, path, login)[0] in (400, 404), path


def _add_reader(stage: Stage, name: str, password: str) -> None:
    """As docs/deployment.md has it."""
    line = ["openssl", "passwd", "-6", "-stdin"]
    hashed = subprocess.run(line, input=password, capture_output=True, text=True, check=True).stdout
    with (stage.folder / "secrets" / "reports_users").open("a") as users:
        users.write(f"{name}:{hashed}")


def _get(stage: Stage, path: str, login: str = "") -> tuple[int, Any, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{stage.ports[8081]}{path}")
    if login:
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode("utf-8", errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.headers, ""


def _command_lines() -> str:
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(entry.read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(lines)
