"""python -m ingestion: the steps of a run without a scheduler."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable

from psycopg2 import OperationalError

from ingestion import calendar_commands, heads, quarantine_commands, reference, runs
from ingestion.errors import FileRejected, ReadingInterrupted
from ingestion.schema import SchemaVersionError, migrate
from ingestion.seeds import SeedError
from ingestion.settings import SettingsError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 on success, 1 when something is wrong."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except (SettingsError, SchemaVersionError, SeedError, FileRejected, ReadingInterrupted, OperationalError) as error:
        print(str(error).strip(), file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ingestion",
        description="Take source files into the event log. Settings: FUND_* environment variables.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, function, text in (
        ("migrate", _migrate, "bring the database to this code's version"),
        ("discover", _discover, "list the files to be taken in, in order, as JSON"),
        ("retry", _retry, "try rows that wait for a reference again"),
        ("run", _run, "discover, ingest all, retry, record heads"),
        ("record-heads", _record_heads, "write moved heads outside the database"),
        ("verify-heads", _verify_heads, "compare the heads written outside with the database"),
        ("docs", _docs, "write docs/events.md from the contracts"),
    ):
        commands.add_parser(name, help=text, description=text).set_defaults(command=function)
    ingest = commands.add_parser("ingest", help="take one file in", description="Take one file of the landing area in.")
    ingest.add_argument("source_system", help="folder under the landing root")
    ingest.add_argument("file_name", help="path of the file below that folder")
    ingest.set_defaults(command=_ingest)
    quarantine_commands.add_commands(commands)
    calendar_commands.add_commands(commands)
    return parser


def _migrate(_: argparse.Namespace) -> int:
    return _say({"applied": migrate()})


def _discover(_: argparse.Namespace) -> int:
    return _say(runs.discover())


def _ingest(options: argparse.Namespace) -> int:
    result = runs.ingest({"source_system": options.source_system, "file_name": options.file_name, "family": None})
    return _say(result) or int(result["state"] == "missing")


def _retry(_: argparse.Namespace) -> int:
    return _say(runs.retry_waiting())


def _run(_: argparse.Namespace) -> int:
    for result in runs.run_all():
        _say(result)
    return _say({"heads": heads.record()})


def _record_heads(_: argparse.Namespace) -> int:
    return _say(heads.record())


def _verify_heads(_: argparse.Namespace) -> int:
    problems = heads.verify()
    _say({"problems": problems})
    return int(bool(problems))


def _docs(_: argparse.Namespace) -> int:
    return _say({"written": reference.write()})


def _say(what: object) -> int:
    print(json.dumps(what, ensure_ascii=False, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main())
