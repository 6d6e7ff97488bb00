"""python -m closing: the figures of an accounting month, its close and signature, and the review of vouchers."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

from psycopg2 import OperationalError, errors

from closing.commands import add_commands
from closing.figures import FiguresError, figures, published_seq, seq_at
from ingestion.database import Connection, connect
from ingestion.errors import PeriodRefused
from ingestion.schema import SchemaVersionError, check_version
from ingestion.settings import SettingsError
from runtime.dbt import DbtError

_TOLD = (FiguresError, PeriodRefused, DbtError, SettingsError, SchemaVersionError, OperationalError)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 on success, 1 when something is wrong."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except _TOLD as error:
        print(str(error).strip(), file=sys.stderr)
    except (errors.UndefinedFunction, errors.UndefinedTable):
        print(
            "账簿的表和函数尚未建立：先运行 make run，或等待下一次记账 /"
            " the tables and functions of the books are not there yet: make run first, or wait for the next build",
            file=sys.stderr,
        )
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m closing",
        description="Close accounting months. Settings: FUND_* environment variables.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_figures(commands)
    add_commands(commands)
    return parser


def _add_figures(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "figures of a month as known at a seq: canonical CSVs and their hashes, the same bytes for ever"
    one = commands.add_parser("figures", help=text, description=text)
    one.add_argument("--region", required=True, help="six digits")
    one.add_argument("--month", required=True, type=_month, metavar="YYYY-MM", help="accounting month")
    when = one.add_mutually_exclusive_group()
    when.add_argument(
        "--seq", type=int, help="as known at this seq of the region's log; default: all that is published"
    )
    when.add_argument(
        "--at",
        type=datetime.fromisoformat,
        metavar="TIME",
        help="as known at this time, ISO 8601; Beijing time without a zone",
    )
    one.add_argument(
        "--to", type=Path, metavar="FOLDER", help="write the CSVs there; without it only the hashes are told"
    )
    one.set_defaults(command=_figures)


def _month(text: str) -> date:
    return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone


def _figures(options: argparse.Namespace) -> int:
    with closing(connect()) as connection:
        check_version(connection)
    with closing(connect("auditor")) as connection:
        seq = _seq(connection, options)
        found = figures(connection, options.region, options.month, seq)
    return _say(
        {
            "region_code": found.region_code,
            "month": f"{found.month:%Y-%m}",
            "seq": found.seq,
            "parts": {part.name: {"rows": part.rows, "sha256": part.sha256} for part in found.parts},
            "ledger_sha256": found.ledger_sha256,
            "written": [str(path) for path in found.write(options.to)] if options.to else [],
        }
    )


def _seq(connection: Connection, options: argparse.Namespace) -> int:
    if options.at is not None:
        return seq_at(connection, options.region, options.at)
    return published_seq(connection, options.region) if options.seq is None else int(options.seq)


def _say(what: object) -> int:
    print(json.dumps(what, ensure_ascii=False, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main())
