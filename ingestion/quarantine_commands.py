"""python -m ingestion quarantine: what is open, and workbooks to send back to the sources."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from ingestion.corrections.export import export
from ingestion.corrections.open_rows import RegionTotal, totals
from ingestion.runs import session
from ingestion.settings import BEIJING, Settings, local_dir
from ingestion.tables import table

_HEADER = (
    "统筹区 region",
    "来源 source",
    "类别 family",
    "行 rows",
    "金额（元）amount",
    "金额不明 unknown",
    "最早 oldest",
    "天 days",
)


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `quarantine list` and `quarantine export`."""
    text = "rows that are set aside: list them by region, export them for their senders"
    own = commands.add_parser("quarantine", help=text, description=text).add_subparsers(required=True, metavar="what")
    listing = own.add_parser("list", help="open rows, amount and age by region")
    listing.set_defaults(command=_list)
    out = own.add_parser("export", help="write open rows as workbooks that can be corrected and landed again")
    out.add_argument("--source", required=True, help="source system")
    out.add_argument("--region", help="rows of this region only")
    out.add_argument("--to", type=Path, help="folder; default: `quarantine` in FUND_LOCAL_DIR")
    out.set_defaults(command=_export)


def _list(_: argparse.Namespace) -> int:
    with session(Settings.from_env()) as connection, connection.cursor() as cursor:
        found = totals(cursor)
    lines = [_line(total) for total in found]
    whole = ("合计 total", "", "", sum(t.rows for t in found), _money(sum((t.amount for t in found), Decimal(0))))
    lines.append((*whole, sum(t.unknown for t in found), "", ""))
    print(table(_HEADER, lines, right=(3, 4, 5, 7)))
    return 0


def _line(total: RegionTotal) -> tuple[object, ...]:
    oldest = total.oldest_at.astimezone(BEIJING).date()
    age = (datetime.now(BEIJING).date() - oldest).days
    where = (total.region_code, total.source_system, total.family)
    return (*where, total.rows, _money(total.amount), total.unknown, oldest, age)


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _export(options: argparse.Namespace) -> int:
    settings = Settings.from_env()
    folder = (options.to or local_dir() / "quarantine").absolute()
    with session(settings) as connection:
        done = export(connection, settings, options.source, options.region, folder)
    for path, rows in done.files.items():
        print(json.dumps({"file": str(path), "rows": rows}, ensure_ascii=False))
    for row in done.left_out:
        told = {"left_out": row.number, "file_name": row.file_name, "line_no": row.line_no}
        print(json.dumps(told, ensure_ascii=False))
    return int(bool(done.left_out))
