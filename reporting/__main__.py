"""Command line of the reports: `python -m reporting write`."""

from __future__ import annotations

import argparse
import sys

import psycopg2

from ingestion.settings import SettingsError
from reporting import write


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: written; 1: at least one report could not be written, and the last line says why."""
    options = _parser().parse_args(arguments)
    try:
        for path in write(options.run):
            print(path)
    except (SettingsError, OSError, psycopg2.Error) as error:
        print(f"报告未能全部生成 / not all reports were written: {error}".strip(), file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reporting",
        description="总览页与工作簿 / overview page and workbooks",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser(
        "write",
        help="生成全部报告 / write all reports",
        description="生成各统筹区工作簿和总览页 index.html，放入 FUND_REPORTS_DIR / "
        "write a workbook per region and the overview page index.html into FUND_REPORTS_DIR",
    )
    writing.add_argument("--run", metavar="RUN_ID", help="运行编号，缺省为最近一次 / the newest run by default")
    return parser


if __name__ == "__main__":
    sys.exit(main())
