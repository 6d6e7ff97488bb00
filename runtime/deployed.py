"""The commands of a deployment, where supervisors such as containers or systemd keep the processes running."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from runtime.component import COMPONENTS, Deployment, become, become_airflow
from runtime.environment import Environment
from runtime.terminal import complain


def component(environment: Environment, options: argparse.Namespace) -> int:
    """Become one component of Airflow, in the foreground: for containers and systemd. Nothing is made up."""
    become(options.component, Deployment.of(environment))


def healthy(environment: Environment, options: argparse.Namespace) -> int:
    """Exit 0 when a component of a deployment is well, 1 with a reason otherwise."""
    from runtime.health import complaint

    try:
        wrong = complaint(options.component, Deployment.of(environment))
    except OSError as error:
        wrong = f"no answer: {error}"
    if wrong:
        complain(wrong)
    return 1 if wrong else 0


def migrate(environment: Environment, _: argparse.Namespace) -> int:
    """Bring a deployment's databases to this code's version; add the first administrator. Safe to repeat."""
    from runtime.installation import install

    install(Deployment.of(environment))
    return 0


def airflow(environment: Environment, options: argparse.Namespace) -> int:
    """Airflow's own command line with a deployment's environment, e.g. `airflow -- users list`."""
    arguments = options.arguments[options.arguments[:1] == ["--"] :]
    become_airflow(arguments, Deployment.of(environment))


def secrets(_: Environment, options: argparse.Namespace) -> int:
    """Make the missing files of a folder of secrets for docker-compose.yml; existing ones are never touched."""
    from runtime.secret_files import write

    for name in write(options.folder):
        print(f"made {options.folder / name}")
    return 0


COMMANDS = (component, healthy, migrate, airflow, secrets)


def add_arguments(command: Callable[..., int], parser: argparse.ArgumentParser) -> None:
    """The arguments of a command of this module; nothing for others."""
    if command in (component, healthy):
        parser.add_argument("component", choices=sorted(COMPONENTS))
    if command is airflow:
        parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to Airflow")
    if command is secrets:
        parser.add_argument("folder", type=Path, help="for docker-compose.yml: secrets")
