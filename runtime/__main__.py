"""The project's commands; each make target is one of them: python -m runtime <command> --help."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from types import FrameType

import psycopg2

from ingestion.disk_full import explanation
from ingestion.settings import SettingsError
from runtime import deployed, safekeeping
from runtime.airflow import APPROVER, AirflowError, LocalAirflow
from runtime.backup_manifest import BackupError
from runtime.environment import SECRETS, Environment
from runtime.postgres import PostgresError
from runtime.reader_accounts import ReaderAccountError, add_arguments, perform
from runtime.replay import ReplayError
from runtime.replay import command as replaying
from runtime.terminal import complain, say

Command = Callable[[Environment, argparse.Namespace], int]


def run(environment: Environment, _: argparse.Namespace) -> int:
    """Demonstration: sample files of two cities through the whole pipeline, then a summary. Exit codes as pipeline."""
    from runtime.demonstration import demonstrate

    return _finish(environment, demonstrate, show_summary=True)


def pipeline(environment: Environment, _: argparse.Namespace) -> int:
    """Take everything under FUND_LANDING_DIR to publication. Exit 0 published, 3 refused by the gate, 1 error.

    The last line printed is RESULT=published, RESULT=refused or RESULT=error.
    """
    from runtime.pipeline import run_pipeline

    return _finish(environment, run_pipeline, show_summary=False)


def prepare(environment: Environment, _: argparse.Namespace) -> int:
    """Start the embedded server where it is needed, make databases and roles, apply migrations."""
    from runtime.pipeline import prepare as make_ready

    make_ready(environment)
    return 0


def up(environment: Environment, _: argparse.Namespace) -> int:
    """Keep Airflow running in the background, with its user interface and its schedules."""
    from runtime.pipeline import one_at_a_time
    from runtime.pipeline import prepare as make_ready

    airflow = LocalAirflow(environment.layout)
    with one_at_a_time(environment):
        if airflow.is_running():
            say("Airflow is running already")
        else:
            make_ready(environment)
            airflow.start(environment, bound_to_us=False)
    print(
        f"\n  {airflow.url()}\n  user admin, password {airflow.password()}"
        f"\n  user approver, password {airflow.password(APPROVER)}: approves the closing of months\n"
    )
    return 0


def down(environment: Environment, _: argparse.Namespace) -> int:
    """Stop Airflow and the embedded PostgreSQL; data stay."""
    say("Airflow: stopped" if LocalAirflow(environment.layout).stop() else "Airflow was not running")
    say("PostgreSQL: stopped" if environment.server.stop() else "PostgreSQL was not running")
    return 0


def status(environment: Environment, _: argparse.Namespace) -> int:
    """Say what is running and where."""
    port = environment.server.running_port()
    airflow = LocalAirflow(environment.layout)
    print(f"PostgreSQL  {f'127.0.0.1:{port}' if port else 'not running'}")
    print(f"Airflow     {airflow.url() if airflow.is_running() else 'not running'}")
    print(f"local data  {environment.layout.local}")
    return 0


def report(environment: Environment, _: argparse.Namespace) -> int:
    """Write the overview page and the workbooks again, of what is in the warehouse now; prints their paths."""
    from reporting import write

    environment.adopt()
    for path in write():
        print(path)
    return 0


def url(environment: Environment, _: argparse.Namespace) -> int:
    """Print the warehouse's URL and nothing else; the embedded server is started when it is needed."""
    print(environment.warehouse_url())
    return 0


def env(environment: Environment, options: argparse.Namespace) -> int:
    """Run a command with the complete FUND_* variables: env -- python -m expectations show."""
    arguments = options.arguments[options.arguments[:1] == ["--"] :]
    variables = environment.without_airflow()
    if not arguments:
        print("\n".join(f"{name}={variables[name]}" for name in sorted(variables) if _is_told(name)))
        return 0
    return subprocess.run(arguments, env=variables, check=False).returncode


def _is_told(name: str) -> bool:
    return name.startswith("FUND_") and name not in SECRETS


def psql(environment: Environment, options: argparse.Namespace) -> int:
    """Open psql on the warehouse; further arguments go to psql."""
    from runtime.postgres_clients import without_password

    target, secret = without_password(environment.warehouse_url())
    program = str(environment.server.program("psql"))
    arguments = options.arguments[options.arguments[:1] == ["--"] :]
    return subprocess.run([program, "-d", target, *arguments], env={**os.environ, **secret}, check=False).returncode


def reader(environment: Environment, options: argparse.Namespace) -> int:
    """Accounts that read the books, each bound to its regions: add, list, remove."""
    print(perform(environment.warehouse_url(), options))
    return 0


def clean(environment: Environment, options: argparse.Namespace) -> int:
    """Delete all local data: databases, landed files, heads, logs, secrets. Asks first unless --yes."""
    local = environment.layout.local
    if not local.exists():
        return 0
    if not options.yes and not _confirmed(f"Delete all data under {local}, source files and keys included? Type yes: "):
        print("nothing deleted")
        return 1
    down(environment, options)
    environment.server.remove()
    shutil.rmtree(local)
    print(f"deleted {local}")
    return 0


def _confirmed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _finish(environment: Environment, work: Callable[..., object], *, show_summary: bool) -> int:
    """Run the pipeline, explain its end, print RESULT= as the last line."""
    from expectations.gate import explain
    from runtime.pipeline import Outcome, PipelineResult
    from runtime.summary import short_summary, summary

    try:
        result = work(environment)
        assert isinstance(result, PipelineResult)
        whole = show_summary and result.outcome is not Outcome.ERROR
        told = summary(result.run_id, environment.layout) if whole else short_summary(result.run_id)
        print(f"\n{told}\n")
        if result.outcome is Outcome.REFUSED:
            print("\n" + explain(result.run_id) + "\n")
        outcome = result.outcome
    except KeyboardInterrupt:
        print("RESULT=error", flush=True)
        raise
    except Exception as error:  # whatever it is, the last line must say so
        _complain_about(error)
        outcome = Outcome.ERROR
    print(f"RESULT={outcome.name.lower()}", flush=True)
    return outcome.value


def _complain_about(error: BaseException) -> None:
    if os.environ.get("FUND_TRACEBACK"):
        complain("".join(traceback.format_exception(error)))
    elif full := explanation(error):
        complain(f"error: {full}")
    elif isinstance(error, _PLAIN_ERRORS):
        complain(f"error: {str(error).strip()}")
    else:
        complain("".join(traceback.format_exception(error)))


# Errors whose message says all there is to say to whoever started the command.
_PLAIN_ERRORS = (
    AirflowError,
    BackupError,
    PostgresError,
    ReaderAccountError,
    ReplayError,
    SettingsError,
    TimeoutError,
    psycopg2.OperationalError,
)

COMMANDS: tuple[Command, ...] = (
    *(run, pipeline, prepare, up, down, status, report, url, psql, env, reader, clean),
    *safekeeping.COMMANDS,
    *deployed.COMMANDS,
    *replaying.COMMANDS,
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m runtime", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in COMMANDS:
        text = command.__doc__ or ""
        one = commands.add_parser(command.__name__, help=text.splitlines()[0], description=text)
        one.set_defaults(command=command)
        if command is clean:
            one.add_argument("--yes", action="store_true", help="do not ask")
        if command is reader:
            add_arguments(one)
        if command is psql:
            one.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to psql")
        if command is env:
            one.add_argument("arguments", nargs=argparse.REMAINDER, help="the command; none: tell the settings")
        safekeeping.add_arguments(command, one)
        deployed.add_arguments(command, one)
        replaying.add_arguments(command, one)
    return parser


def _interrupt(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def main() -> int:
    """Entry point. SIGTERM and SIGHUP end a command like Ctrl-C does: what it started is stopped first."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    options = _parser().parse_args()
    try:
        environment = Environment.current()
    except SettingsError as error:
        _complain_about(error)
        return 1
    had_server = environment.server.running_port() is not None
    try:
        return int(options.command(environment, options))
    except KeyboardInterrupt:
        complain("interrupted")
        if not had_server:
            environment.server.stop()
        return 130
    except (*_PLAIN_ERRORS, RuntimeError, OSError) as error:
        _complain_about(error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
