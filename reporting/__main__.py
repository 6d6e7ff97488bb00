"""Command line of the reports: `python -m reporting --help`."""

from __future__ import annotations

import argparse
import sys

import psycopg2

from ingestion.settings import SettingsError
from reporting import write
from reporting.alerts import command as notify
from reporting.journal_export import NothingPublishedError
from reporting.journal_export import command as journal_export
from reporting.publish import ReportsError
from reporting.tie_out import command as tie_out


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: written; 1: at least one report could not be written, and the last line says why."""
    options = _parser().parse_args(arguments)
    try:
        options.command_main(options)
    except (SettingsError, OSError, psycopg2.Error, ReportsError, NothingPublishedError) as error:
        print(f"报告未能全部生成 / not all reports were written: {error}".strip(), file=sys.stderr)
        return 1
    return 0


def _write(options: argparse.Namespace) -> None:
    for path in write(options.run):
        print(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reporting",
        description="总览页、工作簿与导出 / overview page, workbooks and exports",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser(
        "write",
        help="生成全部报告 / write all reports",
        description="生成各统筹区工作簿、总览页 index.html 和质量检查技术文档 data_docs/，放入 FUND_REPORTS_DIR / "
        "write a workbook per region, the overview page index.html and data_docs/ into FUND_REPORTS_DIR",
        epilog="总览页只反映最近一次运行；同时只有一个进程写入，其余等待 / "
        "the page shows the newest run only; one process writes at a time, others wait",
    )
    writing.add_argument(
        "--run",
        metavar="RUN_ID",
        help="运行编号，缺省为最近一次；已有更新的运行时不改动任何文件，退出码 1；没有留下任何记录的运行视为最近一次 / "
        "the newest run by default; of an older one nothing is written, exit code 1; "
        "a run that left no trace counts as the newest",
    )
    writing.set_defaults(command_main=_write)
    notify.register(commands)
    journal_export.register(commands)
    tie_out.register(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
