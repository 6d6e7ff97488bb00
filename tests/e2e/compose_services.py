"""Services of docker-compose.yml as processes of this machine: their own commands and environment, places mapped.

Volumes, secrets and tmpfs are folders of one stage, host names are 127.0.0.1, ports are free ones, PostgreSQL is the
embedded server with the settings of the compose file and its first-start script. No container engine is needed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from runtime import processes
from runtime.layout import REPOSITORY, Layout
from runtime.postgres import EmbeddedPostgres
from runtime.secret_files import write

COMPOSE = REPOSITORY / "docker-compose.yml"
DOCKERFILE = REPOSITORY / "deploy" / "Dockerfile"
Service = dict[str, Any]


def compose(**variables: str) -> dict[str, Any]:
    """The compose file with `${…}` replaced as the specification says; KeyError for a required one that is missing."""
    return dict(_interpolated(yaml.safe_load(COMPOSE.read_text("utf-8")), variables))


def _interpolated(node: object, variables: Mapping[str, str]) -> Any:  # noqa: ANN401 - as YAML has it
    """In values only, after parsing: an empty one stays a string."""
    if isinstance(node, dict):
        return {key: _interpolated(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_interpolated(value, variables) for value in node]
    return interpolate(node, variables) if isinstance(node, str) else node


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """`${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`."""

    def value(match: re.Match[str]) -> str:
        name, colon, kind, rest = match["name"], match["colon"], match["kind"], match["rest"]
        given = variables.get(name)
        if given is None or (colon and not given):
            if kind == "?":
                raise KeyError(f"{name}: {rest}")
            return rest
        return given

    return re.sub(r"\$\{(?P<name>\w+)(?P<colon>:?)(?P<kind>[-?])(?P<rest>[^}]*)\}", value, text)


def image_variables() -> dict[str, str]:
    """ENV of the image's last stage."""
    last = DOCKERFILE.read_text("utf-8").rpartition("\nFROM ")[2].replace("\\\n", " ")
    lines = [line.removeprefix("ENV ") for line in last.splitlines() if line.startswith("ENV ")]
    return dict(part.split("=", 1) for line in lines for part in line.split())


class Stage:
    """A folder in which services run."""

    def __init__(self, folder: Path, ports: Mapping[int, int], **variables: str) -> None:
        """`ports`: free ports of this machine for those of the containers."""
        self.folder, self.ports = folder, ports
        folders = {
            "LANDING_FOLDER": str(folder / "landing"),
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{ports[8080]}",
        }
        self.services: dict[str, Service] = compose(**{**folders, **variables})["services"]
        for name in ("landing", "heads", "reports", "logs", "dbt", "etc", "out"):
            (folder / name).mkdir(exist_ok=True)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.server = EmbeddedPostgres(Layout(folder / "postgres"), self._server_settings())

    def make_secrets(self) -> None:
        """The files of `python -m runtime secrets`, with this machine's addresses."""
        write(self.folder / "secrets")
        for name in ("fund_database_url", "airflow_database_url", "celery_broker_url"):
            path = self.folder / "secrets" / name
            path.chmod(0o600)
            path.write_text(self.place(path.read_text()))
            path.chmod(0o444)

    def secret(self, name: str) -> str:
        """What is in a file of secrets."""
        return (self.folder / "secrets" / name).read_text().strip()

    def warehouse_url(self) -> str:
        """URL of the warehouse."""
        return self.secret("fund_database_url")

    def place(self, text: str, service: str = "") -> str:
        """Replace the containers' paths, hosts and ports by this machine's."""
        own = self.folder / "own" / service
        places = {
            "/usr/local/etc/redis": self.folder / "etc",
            "/etc/nginx": self.folder / "etc",
            "/var/lib/fund": own,
            "/srv/fund": self.folder,
            "/run/secrets": self.folder / "secrets",
            "/tmp": own,
        }
        text = re.sub(rf"(?<![\w/])({'|'.join(places)})(?![\w-])", lambda match: str(places[match[1]]), text)
        text = re.sub(r"\b(api-server|postgres|redis)(?=:\d)", "127.0.0.1", text)
        return re.sub(r"(?<=:)\d{4}\b|(?<=listen )\d{4}|(?<=^port )\d{4}", self._port, text, flags=re.MULTILINE)

    def start_postgres(self) -> None:
        """The server with the compose file's settings, then the script that its image runs on the first start."""
        self.server.start()
        admin = urlsplit(self.server.superuser_url())
        variables = {
            "PATH": f"{self.server.program('psql').parent}:{os.defpath}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(admin.port),
            "PGPASSWORD": str(admin.password),
            "SECRETS_FOLDER": str(self.folder / "secrets"),
        }
        subprocess.run(["bash", REPOSITORY / "deploy/postgres/databases.sh"], env=variables, check=True)

    def run(self, name: str) -> None:
        """A one-shot service to its end."""
        with self._output(name) as output:
            done = subprocess.run(
                self._command(name), env=self._environment(name), stdout=output, stderr=output, check=False, cwd="/"
            )
        assert done.returncode == 0, self.output(name)[-3000:]

    def execute(self, name: str, *words: str) -> str:
        """What `docker compose exec NAME python …` prints: the service's environment, a process of its own."""
        line, environment = [sys.executable, *words], self._environment(name)
        done = subprocess.run(
            line, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def start(self, name: str) -> None:
        """A service that stays, in a session of its own."""
        for source in ("nginx/reports.conf", "redis/redis.conf", "redis/redis.sh"):
            text = (REPOSITORY / "deploy" / source).read_text("utf-8")
            (self.folder / "etc" / Path(source).name).write_text(self.place(text, "reports"), "utf-8")
        (self.folder / "own" / "reports").mkdir(parents=True, exist_ok=True)
        with self._output(name) as output:
            self.running[name] = subprocess.Popen(
                self._command(name),
                env=self._environment(name),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait_until_healthy(self, name: str, timeout_s: float = 300) -> None:
        """Run the service's own health check until it succeeds; AssertionError with the end of its output otherwise."""
        deadline = time.monotonic() + timeout_s
        while not self.is_healthy(name):
            alive = name not in self.running or self.running[name].poll() is None
            if not alive or time.monotonic() > deadline:
                raise AssertionError(f"{name} is not healthy:\n{self.output(name)[-3000:]}")
            time.sleep(1)

    def is_healthy(self, name: str) -> bool:
        """Outcome of the service's health check."""
        test = self.services[name]["healthcheck"]["test"]
        assert test[0] == "CMD"
        line = [sys.executable if word == "python" else self.place(word, name) for word in test[1:]]
        if name == "postgres":
            line[0] = str(self.server.program(line[0]))
            line.append(f"--port={self.server.running_port()}")
        done = subprocess.run(line, env=self._environment(name), capture_output=True, check=False, cwd="/")
        return done.returncode == 0

    def stop(self, name: str, timeout_s: float) -> list[int]:
        """SIGTERM to the service's first process alone, as an engine does it; what is left of it when it has ended."""
        process = self.running.pop(name)
        process.terminate()
        process.wait(timeout_s)
        deadline = time.monotonic() + 5
        while (left := processes.session_members(process.pid)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left

    def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        for process in self.running.values():
            processes.stop_session(process.pid, 0)
        self.server.remove()

    def output(self, name: str) -> str:
        """What a service has said."""
        path = self.folder / "out" / f"{name}.log"
        return path.read_text("utf-8", errors="replace") if path.exists() else ""

    @contextmanager
    def _output(self, name: str) -> Iterator[Any]:
        with (self.folder / "out" / f"{name}.log").open("ab") as output:
            yield output

    def _port(self, match: re.Match[str]) -> str:
        postgres = {5432: self.server.running_port() or 0} if match[0] == "5432" else {}
        return str({**self.ports, **postgres}.get(int(match[0]), match[0]))

    def _command(self, name: str) -> list[str]:
        service = self.services[name]
        own = service["image"].startswith("merged-fund:")
        entrypoint = [sys.executable, "-m", "runtime"] if own else service["entrypoint"]
        line = [self.place(word, name) for word in [*entrypoint, *service.get("command", [])]]
        if name == "reports" and os.geteuid() == 0:
            line[-1] += " user root;"  # its own user may not look into this test's folder
        return line

    def _environment(self, name: str) -> dict[str, str]:
        own = self.folder / "own" / name
        own.mkdir(parents=True, exist_ok=True)
        if "dbt:/var/lib/fund/dbt" in self.services[name].get("volumes", []) and not (own / "dbt").exists():
            (own / "dbt").symlink_to(self.folder / "dbt")
        given = {**image_variables(), **self.services[name].get("environment", {})}
        mapped = {key: self.place(value, name) for key, value in given.items()}
        mapped["AIRFLOW__API__PORT"] = str(self.ports[8080])
        mapped["AIRFLOW__API__HOST"] = "127.0.0.1"
        mapped["TMPDIR"] = str(own)
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath), "/usr/sbin"])
        return {**mapped, "PATH": path, "PYTHONPATH": str(REPOSITORY), "HOME": str(own)}

    def _server_settings(self) -> dict[str, str]:
        words = self.services["postgres"]["command"]
        return dict(word.removeprefix("-c").split("=", 1) for word in words if word.startswith("-c"))
