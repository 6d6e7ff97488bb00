"""Where the two databases are, and the environment variables of every process that the runtime starts."""

from __future__ import annotations

import base64
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ingestion.settings import landing_root, secret
from runtime.layout import REPOSITORY, Layout
from runtime.postgres import EmbeddedPostgres

WAREHOUSE = "merged_fund"
METADATA = "airflow"
METADATA_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
# Names of variables that decide what tasks do begin with one of these: ours, those of stores of source files.
TASK_VARIABLES = ("FUND_", "AWS_", "FSSPEC_")
DAG_IDS = ("ingest_events", "build_ledger", "close_period", "audit_log", "watch_freshness", "review_policy")
# Runs that an Airflow that was killed leaves behind are ended; one that waits for its approver goes on waiting.
TAKEN_UP_AGAIN = ("ingest_events", "build_ledger", "audit_log")
# What may also be given as the name of a file: the same variable with `_FILE`.
SECRETS = (
    "FUND_DATABASE_URL",
    "FUND_PSEUDONYM_KEY",
    "FUND_PSEUDONYM_KEYS_RETIRED",
    METADATA_VARIABLE,
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW__CELERY__BROKER_URL",
    "AIRFLOW__CELERY__RESULT_BACKEND",
)


@dataclass(frozen=True)
class Environment:
    """The runtime's surroundings: the caller's environment variables, the local directory, the embedded server."""

    given: dict[str, str]
    layout: Layout
    server: EmbeddedPostgres

    @classmethod
    def current(cls) -> Environment:
        """From this process's own environment variables.

        Directories are made absolute, for Airflow works in another one; secrets are read from the files that hold them.
        """
        layout = Layout.from_env()
        folders = {
            name: str(Path(value).expanduser().absolute())
            for name, value in os.environ.items()
            if name.startswith("FUND_") and name.endswith("_DIR") and value
        }
        if landing := os.environ.get("FUND_LANDING_DIR"):
            folders["FUND_LANDING_DIR"] = str(landing_root(landing))
        others = {name: value for name, value in os.environ.items() if name not in _SECRET_FILES}
        secrets = {name: value for name in SECRETS if (value := secret(name, os.environ))}
        return cls({**others, **folders, **secrets}, layout, EmbeddedPostgres(layout))

    @property
    def needs_server(self) -> bool:
        """Whether one of the two databases lies in the embedded server."""
        return not (self.given.get("FUND_DATABASE_URL") and self.given.get(METADATA_VARIABLE))

    def warehouse_url(self) -> str:
        """FUND_DATABASE_URL, or the embedded server's warehouse, started and created when needed."""
        if given := self.given.get("FUND_DATABASE_URL"):
            return given
        self.server.start()
        return self.server.ensure_database(WAREHOUSE, may_create_roles=True)

    def metadata_url(self) -> str:
        """Airflow's own database as a SQLAlchemy URL."""
        given = self.given.get(METADATA_VARIABLE)
        if not given:
            self.server.start()
            given = self.server.ensure_database(METADATA, owned=True)
        parts = urlsplit(given)
        # A bare postgresql:// means psycopg 3 to SQLAlchemy 2.1; the drivers locked here are psycopg2 and asyncpg.
        known = parts.scheme in ("postgres", "postgresql")
        return urlunsplit(parts._replace(scheme="postgresql+psycopg2")) if known else given

    def fund(self) -> dict[str, str]:
        """The FUND_* variables, complete."""
        local = self.layout.local
        defaults = {
            "FUND_LANDING_DIR": str(self.layout.landing),
            "FUND_HEADS_DIR": str(local / "heads"),
            "FUND_REPORTS_DIR": str(local / "reports"),
        }
        given = {name: value for name, value in self.given.items() if name.startswith("FUND_")}
        key = given.get("FUND_PSEUDONYM_KEY") or self.layout.secret("pseudonym_key", 32)
        return {
            **defaults,
            **{name: value for name, value in given.items() if value or name.endswith("_SCHEDULE")},
            "FUND_LOCAL_DIR": str(local),
            "FUND_PSEUDONYM_KEY": key,
            "FUND_DATABASE_URL": self.warehouse_url(),
        }

    def airflow(self) -> dict[str, str]:
        """The AIRFLOW* variables: what the caller set wins over our defaults, not over what holds it together."""
        given = {name: value for name, value in self.given.items() if name.startswith(_AIRFLOW_GIVEN)}
        port = given.get("AIRFLOW__API__PORT") or str(self.layout.port("airflow_api"))
        return {
            **_AIRFLOW_DEFAULTS,
            **self._airflow_secrets(),
            **given,
            "AIRFLOW_HOME": str(self.layout.airflow_home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "reporting" / "airflow_plugins"),
            METADATA_VARIABLE: self.metadata_url(),
            "AIRFLOW__API__PORT": port,
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.layout.local / "secrets/airflow_users.json"),
        }

    def complete(self) -> dict[str, str]:
        """Everything for a child process."""
        return {**self.without_airflow(), **self.airflow()}

    def without_airflow(self) -> dict[str, str]:
        """Everything for a child process that has nothing to do with Airflow."""
        kept = {
            name: value
            for name, value in self.given.items()
            if not name.startswith(("AIRFLOW", "FUND_")) and name != "PYTHONDONTWRITEBYTECODE"
        }
        path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
        loopback = ",".join(filter(None, [kept.get("NO_PROXY") or kept.get("no_proxy"), "127.0.0.1,localhost"]))
        return {
            **kept,
            **_QUIET,
            "PATH": path,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(REPOSITORY), kept.get("PYTHONPATH")])),
            "PYTHONUTF8": "1",
            "NO_PROXY": loopback,
            "no_proxy": loopback,
            **self.fund(),
        }

    def adopt(self) -> None:
        """Give this very process the complete FUND_* variables, for the modules it imports."""
        for name in _SECRET_FILES:
            os.environ.pop(name, None)
        os.environ.update(self.fund())

    def without_schedules(self) -> Environment:
        """The same for an Airflow that lives for one pipeline: nothing starts by the clock, no long pauses.

        Between two tasks the scheduler pauses once or twice: by default a second each, right for one that idles, but
        with a task a file it would be most of the time that files take.
        """
        changes = {
            "FUND_INGEST_SCHEDULE": "",
            "FUND_BUILD_SCHEDULE": "",
            "FUND_AUDIT_SCHEDULE": "",
            "FUND_WATCH_SCHEDULE": "",
            "FUND_REVIEW_SCHEDULE": "",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        }
        return Environment({**self.given, **changes}, self.layout, self.server)

    def _airflow_secrets(self) -> dict[str, str]:
        key = bytes.fromhex(self.layout.secret("airflow_fernet_key", 32))
        return {
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(key).decode(),
            "AIRFLOW__API__SECRET_KEY": self.layout.secret("airflow_secret_key", 32),
            "AIRFLOW__API_AUTH__JWT_SECRET": self.layout.secret("airflow_jwt_secret", 32),
        }


# Settings of Airflow's own, and the connections by which findings are told (reporting/alerts/routes.py).
_AIRFLOW_GIVEN = ("AIRFLOW__", "AIRFLOW_CONN_FUND_")
_SECRET_FILES = {f"{name}_FILE" for name in SECRETS}

_AIRFLOW_DEFAULTS = {
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    "AIRFLOW__CORE__PARALLELISM": "4",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Shanghai",
    "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",  # the default asks the DNS, which may be unreachable
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,approver:op",
    "AIRFLOW__API__HOST": "127.0.0.1",
    "AIRFLOW__API__INSTANCE_NAME": "医保合并基金账 Merged Fund",
    "AIRFLOW__API__EXPOSE_CONFIG": "False",
    # The first call makes the API server build its versioned routes, 6 s and more on a busy machine; default 5 s.
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
    # A worker that misses the end of its task notices it only at the next heartbeat and takes no other until then;
    # with the default of 5 s and two workers that was more than half of the time that files took.
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    "AIRFLOW__DAG_PROCESSOR__DAG_VERSION_INFLATION_CHECK_LEVEL": "error",
    "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
    "AIRFLOW__LOGGING__UVICORN_LOGGING_LEVEL": "WARNING",
    "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
}

_QUIET = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
}
