"""One component of Airflow in the foreground, for containers and systemd: `python -m runtime component scheduler`.

The process becomes Airflow's own (exec), so that its supervisor's signals reach it. In contrast to a local run nothing
is made up: databases, secrets and addresses are given, since several processes, perhaps machines, must agree on them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NoReturn

from ingestion.settings import SettingsError
from runtime.airflow import COMPONENTS as LOCAL_COMPONENTS
from runtime.airflow import command
from runtime.environment import METADATA_VARIABLE, SECRETS, Environment

COMPONENTS = {
    **LOCAL_COMPONENTS,
    # What a proxy says of the caller counts when the proxy's address is one of FORWARDED_ALLOW_IPS.
    "api-server": ["api-server", "--proxy-headers"],
    # Logs lie in a folder that all components share; log servers would listen on every interface.
    "celery-worker": ["celery", "worker", "--skip-serve-logs"],
}

AUTH_MANAGER = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
EXECUTOR = "AIRFLOW__CORE__EXECUTOR"
_AIRFLOW_NEEDS = (
    METADATA_VARIABLE,
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
)
_TASKS_NEED = ("FUND_DATABASE_URL", "FUND_PSEUDONYM_KEY")
_CELERY_NEEDS = ("AIRFLOW__CELERY__BROKER_URL",)
# Where a deployment's addresses win over those of a local run.
_GIVEN_WINS = ("AIRFLOW__API__BASE_URL", "AIRFLOW__CORE__EXECUTION_API_SERVER_URL")
_DEFAULTS = {"AIRFLOW__API__PORT": "8080", "AIRFLOW__CORE__AUTH_MANAGER": AUTH_MANAGER}


class Deployment(Environment):
    """Surroundings of a component among others: complete as given, no server started, no secret made up."""

    @classmethod
    def of(cls, environment: Environment) -> Deployment:
        """The same caller's variables and directories, read as a deployment's."""
        return cls({**_DEFAULTS, **environment.given}, environment.layout, environment.server)

    @property
    def executor(self) -> str:
        """Name of the executor, or of several."""
        return self.given.get(EXECUTOR) or "LocalExecutor"

    def fund(self) -> dict[str, str]:
        """The FUND_* variables that are given; a component that runs no task has neither database nor key."""
        given = {name: value for name, value in self.given.items() if name.startswith("FUND_")}
        kept = {name: value for name, value in given.items() if value or name.endswith("_SCHEDULE")}
        return {**kept, "FUND_LOCAL_DIR": str(self.layout.local)}

    def airflow(self) -> dict[str, str]:
        """The AIRFLOW* variables of a local run, with the given addresses instead of loopback ones."""
        self.require(*_AIRFLOW_NEEDS)
        by_tls = self.given.get("AIRFLOW__API__BASE_URL", "").startswith("https:")
        return {
            # Of all cookies the session of the form for signing in does not go by the request alone.
            **({"AIRFLOW__FAB__COOKIE_SECURE": "True"} if by_tls else {}),
            **super().airflow(),
            **{name: self.given[name] for name in _GIVEN_WINS if self.given.get(name)},
        }

    def require(self, *names: str) -> None:
        """SettingsError that names every variable that is missing, and how else it may be given."""
        if missing := [name for name in names if not self.given.get(name)]:
            told = ", ".join(f"{name} (or {name}_FILE)" if name in SECRETS else name for name in missing)
            raise SettingsError(f"{told} must be set: components must agree, so that none makes up its own")

    def _airflow_secrets(self) -> dict[str, str]:
        return {}


def needs(component: str, executor: str) -> tuple[str, ...]:
    """Variables without which a component can't work under an executor."""
    celery = "CeleryExecutor" in executor
    runs_tasks = component == "celery-worker" or (component == "scheduler" and "LocalExecutor" in executor)
    uses_broker = celery and component in ("scheduler", "celery-worker")
    return _AIRFLOW_NEEDS + (_TASKS_NEED if runs_tasks else ()) + (_CELERY_NEEDS if uses_broker else ())


def become(component: str, deployment: Deployment) -> NoReturn:
    """Turn this process into the component. SettingsError before that, when something is missing."""
    if component == "celery-worker" and "CeleryExecutor" not in deployment.executor:
        raise SettingsError(f"a Celery worker has nothing to do under {EXECUTOR}={deployment.executor}")
    deployment.require(*needs(component, deployment.executor))
    become_airflow(COMPONENTS[component], deployment)


def become_airflow(arguments: Sequence[str], deployment: Deployment) -> NoReturn:
    """Turn this process into Airflow's command line with these arguments and the deployment's environment."""
    variables = deployment.complete()
    os.chdir("/")
    line = command(*arguments)
    os.execve(line[0], line, variables)
