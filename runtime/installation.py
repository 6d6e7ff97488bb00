"""Brings a deployment to this code's version: both databases, the views, the first administrator. Safe to repeat."""

from __future__ import annotations

import os
import subprocess

from ingestion.schema import migrate
from ingestion.settings import Settings, SettingsError, secret
from runtime.airflow import AirflowError, command
from runtime.component import AUTH_MANAGER, Deployment, needs
from runtime.dbt import deploy
from runtime.terminal import say, step

ADMINISTRATOR = "admin"
_PASSWORD = "FUND_ADMIN_PASSWORD"


def install(deployment: Deployment) -> None:
    """Migrate the warehouse, then Airflow's database, deploy the models, add the first user when there is none.

    The warehouse comes first: a database that is newer than this code stops everything before anything has changed.
    """
    deployment.require(*needs("scheduler", "LocalExecutor"))
    variables = deployment.complete()
    os.environ.clear()
    os.environ.update(variables)
    with step("Warehouse: migrations"):
        for name in migrate(Settings.from_env()):
            say(f"  applied {name}")
    with step("Airflow: metadata database"):
        _run_airflow("db", "migrate", variables=variables)
    if variables["AIRFLOW__CORE__AUTH_MANAGER"] == AUTH_MANAGER:
        with step("Airflow: users"):
            say(f"  {_add_administrator()}")
    with step("Warehouse: seeds and views"):
        say("  deployed" if deploy("installation") else "  already there")


def _run_airflow(*arguments: str, variables: dict[str, str]) -> None:
    if subprocess.run(command(*arguments), env=variables, cwd="/", check=False).returncode != 0:
        raise AirflowError(f"`airflow {' '.join(arguments)}` failed; its messages are above")


def _add_administrator() -> str:
    """Not by `airflow users create`: a password among the arguments can be read by every user of the machine."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager = builder.sm
        if manager.get_all_users():
            return "there are users already"
        password = secret(_PASSWORD, os.environ)
        if not password:
            raise SettingsError(f"{_PASSWORD}_FILE must name a file with the first administrator's password")
        role = manager.find_role("Admin")
        if not manager.add_user(ADMINISTRATOR, "Fund", "Administrator", "admin@localhost", role, password=password):
            raise AirflowError("the first administrator could not be added; Airflow's messages are above")
    return f"added {ADMINISTRATOR}"
