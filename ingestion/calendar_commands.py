"""python -m ingestion calendar: which files are due, which are missing, late or early."""

from __future__ import annotations

import argparse
from datetime import date

from ingestion.contracts import FAMILIES
from ingestion.runs import session
from ingestion.settings import Settings
from ingestion.source_calendar import Activation, CalendarRow, activate, active, due_files
from ingestion.tables import table

_STATES = {
    "missing": "逾期未到 missing",
    "awaited": "未到期 awaited",
    "on_time": "按时 on time",
    "late": "迟到 late",
    "early": "早于期末 early",
    "unreadable": "规则不可读 unreadable rule",
}
_CALENDAR = ("来源 source", "类别 family", "规则 rule", "起算 from", "统筹区 region")
_DUE = (
    "来源 source",
    "类别 family",
    "统筹区 region",
    "期间 period",
    "应到 due",
    "状态 state",
    "到达 arrived",
    "文件 file",
)


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `calendar`, `calendar list` and `calendar activate`."""
    text = "files that are due: missing, late, early and on time at a business date"
    own = commands.add_parser("calendar", help=text, description=text)
    own.add_argument("--date", type=date.fromisoformat, help="business date; default: FUND_BUSINESS_DATE or today")
    own.set_defaults(command=_show)
    kinds = own.add_subparsers(metavar="what")
    kinds.add_parser("list", help="which sources are active since when").set_defaults(command=_list)
    start = kinds.add_parser("activate", help="count files of a source as due, by the rules in its profile")
    start.add_argument("source_system", help="source system")
    start.add_argument("--from", dest="active_from", type=date.fromisoformat, required=True, help="first business date")
    start.add_argument("--until", help="last period, such as 2020-06 or 2020Q2")
    start.add_argument("--family", action="append", choices=list(FAMILIES), default=[], help="this family only")
    start.add_argument("--region", help="the region that waits for the files; default: every region of the source")
    start.set_defaults(command=_activate)


def _show(options: argparse.Namespace) -> int:
    settings = Settings.from_env()
    with session(settings) as connection, connection.cursor() as cursor:
        found = due_files(cursor, options.date or settings.business_date)
    lines = [
        (
            f.source_system,
            f.family,
            f.region_code,
            f.period or f.due_rule,
            f.due_on,
            _STATES[f.state],
            f.arrived_on,
            f.file_name,
        )
        for f in found
    ]
    print(table(_DUE, lines))
    return 0


def _list(_: argparse.Namespace) -> int:
    with session(Settings.from_env()) as connection, connection.cursor() as cursor:
        return _print(active(cursor))


def _activate(options: argparse.Namespace) -> int:
    settings = Settings.from_env()
    wanted = Activation(
        options.source_system, options.active_from, options.until, tuple(options.family), options.region
    )
    with session(settings) as connection, connection.cursor() as cursor:
        rows = activate(cursor, settings, wanted)
        connection.commit()
    return _print(rows)


def _print(rows: list[CalendarRow]) -> int:
    lines = [(r.source_system, r.family, r.due_rule, r.active_from, r.region_code) for r in rows]
    print(table(_CALENDAR, lines))
    return 0
