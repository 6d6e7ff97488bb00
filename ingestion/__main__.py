"""python -m ingestion: the steps of a run without a scheduler."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from psycopg2 import OperationalError

from ingestion import (
    archive_verification,
    calendar_commands,
    disk_full,
    heads,
    quarantine_commands,
    reference,
    runs,
    verification,
)
from ingestion.archive import archive
from ingestion.archive_month import ArchiveError
from ingestion.errors import FileRejected, ReadingInterrupted
from ingestion.heads import HeadsError
from ingestion.runs import FilesLeftError
from ingestion.schema import SchemaVersionError, migrate
from ingestion.seeds import SeedError
from ingestion.settings import SettingsError
from ingestion.verification import UnknownRegionError

_TOLD = (
    SettingsError,
    SchemaVersionError,
    SeedError,
    FileRejected,
    FilesLeftError,
    ReadingInterrupted,
    HeadsError,
    UnknownRegionError,
    ArchiveError,
    OperationalError,
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 on success, 1 when something is wrong."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except _TOLD as error:
        print(disk_full.explanation(error) or str(error).strip(), file=sys.stderr)
        return 1
    except OSError as error:
        if (told := disk_full.explanation(error)) is None:
            raise
        print(told, file=sys.stderr)
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
    check = "recompute all hashes of the log from its stored columns and compare with the heads outside"
    verify = commands.add_parser("verify", help=check, description=f"{check}; 1 when anything is found")
    verify.add_argument("--region", nargs="+", metavar="CODE", help="only these regions")
    verify.set_defaults(command=_verify)
    _add_archive(commands)
    quarantine_commands.add_commands(commands)
    calendar_commands.add_commands(commands)
    return parser


def _add_archive(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "write a region's old months as Parquet files with their hashes; nothing is deleted"
    one = commands.add_parser("archive", help=text, description=text)
    one.add_argument("--region", required=True, help="six digits")
    one.add_argument("--before", required=True, metavar="YYYY-MM", help="months recorded before this one")
    one.add_argument("--to", required=True, type=Path, metavar="DIR", help="folder of the archive")
    one.set_defaults(command=_archive)
    text = "verify an archive from its files alone"
    one = commands.add_parser("archive-verify", help=text, description=text)
    one.add_argument("folder", type=Path, help="folder of the archive")
    one.add_argument("--heads", type=Path, metavar="DIR", help="compare with this log's heads kept outside")
    one.add_argument(
        "--from-month", metavar="YYYY-MM", help="verify from this month on; else the log's beginning is due"
    )
    one.set_defaults(command=_archive_verify)


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
    try:
        for result in runs.run_all():
            _say(result)
    except FilesLeftError:
        _say({"heads": heads.record()})
        raise
    return _say({"heads": heads.record()})


def _record_heads(_: argparse.Namespace) -> int:
    return _say(heads.record())


def _verify_heads(_: argparse.Namespace) -> int:
    problems = heads.verify()
    _say({"problems": problems})
    return int(bool(problems))


def _verify(options: argparse.Namespace) -> int:
    reports = verification.verify(options.region)
    ok = not any(report.found for report in reports)
    _say({"ok": ok, "regions": [report.as_json() for report in reports]})
    return int(not ok)


def _archive(options: argparse.Namespace) -> int:
    return _say(archive(options.region, options.before, options.to))


def _archive_verify(options: argparse.Namespace) -> int:
    told = archive_verification.verify(options.folder, options.heads, options.from_month)
    return _say(told) or int(bool(told["problems"]))


def _docs(_: argparse.Namespace) -> int:
    return _say({"written": reference.write()})


def _say(what: object) -> int:
    print(json.dumps(what, ensure_ascii=False, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main())
