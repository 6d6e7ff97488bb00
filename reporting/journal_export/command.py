"""`python -m reporting export-journal`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ingestion.settings import Settings
from reporting import books
from reporting.journal_export.export import FORMATS, export, pieces


def register(commands: Any) -> None:  # noqa: ANN401 - argparse keeps the class of its subparsers to itself
    """Add the command to those of `python -m reporting`."""
    parser = commands.add_parser(
        "export-journal",
        help="导出已发布的明细账供其他记账软件独立核对 / export the published journal for other accounting programs",
        description="把一个统筹区已发布的全部分录写成 beancount、ledger-cli 或 hledger 的文本；"
        "不含个人编号、结算号、税票号 / write all published entries of a region as text of beancount, "
        "ledger-cli or hledger; numbers of persons, settlements and receipts are left out",
        epilog="核对示例 / to check: bean-check FILE · ledger -f FILE bal · hledger -f FILE bal -M --historical",
    )
    parser.add_argument("--format", required=True, choices=sorted(FORMATS), help="格式 / format")
    parser.add_argument("--region", required=True, metavar="CODE", help="统筹区代码，如 320100 / code of the region")
    parser.add_argument(
        "--to", type=Path, metavar="FILE", help="写入的文件，缺省为标准输出 / file to write, standard output by default"
    )
    parser.set_defaults(command_main=run)


def run(options: argparse.Namespace) -> None:
    """Write the journal; the file's name and how many entries it has go to standard error."""
    with books.one_state(Settings.from_env()) as connection:
        if options.to is None:
            for text in pieces(connection, options.region, options.format):
                sys.stdout.write(text)
            return
        entries = export(connection, options.region, options.format, options.to)
    print(f"{options.to}: {entries} 笔分录 / entries", file=sys.stderr)
