"""python -m ingestion quarantine: what is open, and workbooks to send back to the sources."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from ingestion.corrections.export import export
from ingestion.corrections.open_rows import RegionTotal, each_once, totals
from ingestion.database import connect
from ingestion.runs import session
from ingestion.schema import check_version
from ingestion.settings import BEIJING, Settings, local_dir
from ingestion.tables import table

_HEADER = (
    "统筹区 region",
    "可识别 readable",
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
    with closing(connect(autocommit=True, settings=Settings.from_env())) as connection, connection.cursor() as cursor:
        check_version(connection)
        cursor.execute("SET ROLE auditor")  # who may read what the view is over
        found = totals(cursor)
    once = each_once(found)
    whole = (sum(t.rows for t in once), _money(sum((t.amount for t in once), Decimal(0))), sum(t.unknown for t in once))
    lines = [*map(_line, found), ("合计 total", "", "", "", *whole, "", "")]
    print(table(_HEADER, lines, right=(4, 5, 6, 8)))
    return 0


def _line(total: RegionTotal) -> tuple[object, ...]:
    where = (total.region_code, "是 yes" if total.readable else "否 no", total.source_system, total.family)
    oldest = total.oldest_at.astimezone(BEIJING).date()
    return (*where, total.rows, _money(total.amount), total.unknown, oldest, total.days)


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
