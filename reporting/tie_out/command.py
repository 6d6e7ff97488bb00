"""`python -m reporting tie-out`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ingestion.database import Connection
from ingestion.settings import Settings
from reporting import books
from reporting.files import replace_file
from reporting.journal_export import NothingPublishedError
from reporting.names import name_of
from reporting.tie_out.reading import KINDS, OUTCOMES, STATUSES, Figure, Item, figures, items, newest_month
from runtime.terminal import table

_FIGURE_HEADS = (
    *("基金 fund", "报表 statement", "科目/机构 of", "日期 date", "账面 ours", "对方 theirs", "差额 difference"),
    *("前期 carried", "已说明 explained", "在途 in transit", "未说明 unexplained", "结论 outcome"),
)
_ITEM_HEADS = (
    *("基金 fund", "科目/机构 of", "报表日 stated", "状态 status", "项目日 date", "金额 amount", "差额 difference"),
    *("我方 ours", "对方 theirs"),
)


def register(commands: Any) -> None:  # noqa: ANN401 - argparse keeps the class of its subparsers to itself
    """Add the command to those of `python -m reporting`."""
    parser = commands.add_parser(
        "tie-out",
        help="与银行、税务、财政、机构对账 / tie the books out against outside statements",
        description="列出一个统筹区一个月的外部报表数、账面数、差额，以及造成差额的每一笔分录或报表行 / "
        "list what outside parties state for a month beside our figures, and each entry or row that makes a difference",
        epilog="同样的内容在 marts.tie_out 和 marts.tie_out_item / the same is in marts.tie_out and marts.tie_out_item",
    )
    parser.add_argument("--region", required=True, metavar="CODE", help="统筹区代码，如 320100 / code of the region")
    parser.add_argument(
        "--month",
        type=_month,
        metavar="YYYY-MM",
        help="月份，缺省为最近有报表的月份 / the newest month with statements by default",
    )
    parser.add_argument(
        "--to", type=Path, metavar="FILE", help="写入文件，缺省为标准输出 / file, standard output by default"
    )
    parser.set_defaults(command_main=run)


def run(options: argparse.Namespace) -> None:
    """Write the report of one month."""
    with books.one_state(Settings.from_env()) as connection:
        text = "\n".join(report(connection, options.region, options.month)) + "\n"
    if options.to is None:
        print(text, end="")
    else:
        replace_file(options.to, text.encode())
        print(options.to)


def report(connection: Connection, region_code: str, month: date | None) -> Iterator[str]:
    """The report line by line. Raises NothingPublishedError when nobody has stated anything for the region."""
    month = month or newest_month(connection, region_code)
    if month is None:
        raise NothingPublishedError(
            f"E-TIE-OUT-REGION 统筹区 {region_code} 没有已发布的外部报表，请核对代码或报送 balance.stated"
            f" / nothing is stated for region {region_code}; check the code, or send balance.stated"
        )
    stated, differing = figures(connection, region_code, month), items(connection, region_code, month)
    open_figures = sum(1 for figure in stated if figure.status == "unexplained")
    offsetting = sum(1 for figure in stated if figure.status == "offsetting")
    yield f"对账 / tie-out {region_code} {month:%Y-%m}"
    yield (
        f"{len(stated)} 个报表数，{open_figures} 个有未说明差额，{offsetting} 个差错相抵，{len(differing)} 个差异项 / "
        f"{len(stated)} stated figures, {open_figures} with an unexplained difference, "
        f"{offsetting} with errors that cancel each other, "
        f"{len(differing)} items that differ"
    )
    if stated:
        yield ""
        yield from table([_FIGURE_HEADS, *map(_figure_row, stated)], right=range(4, 11))
    if differing:
        yield ""
        yield from table([_ITEM_HEADS, *map(_item_row, differing)], right=(5, 6))


def _figure_row(figure: Figure) -> tuple[str, ...]:
    amounts = (
        *(figure.ours_amount, figure.stated_amount, figure.difference, figure.carried_difference),
        *(figure.explained_amount, figure.in_transit_amount, figure.unexplained_amount),
    )
    outcome, kind = name_of(OUTCOMES, figure.status), name_of(KINDS, figure.statement_kind)
    return (
        figure.fund_code,
        f"{kind.zh} {kind.en}",
        figure.account_code or figure.institution_code or "",
        f"{figure.stated_on}",
        *(f"{amount:,.2f}" for amount in amounts),
        f"{outcome.zh} {outcome.en}",
    )


def _item_row(item: Item) -> tuple[str, ...]:
    status = name_of(STATUSES, item.status)
    return (
        item.fund_code,
        item.place,
        f"{item.stated_on}",
        f"{status.zh} {status.en}",
        f"{item.item_date}",
        f"{item.amount:,.2f}",
        f"{item.difference:,.2f}",
        item.ours,
        item.theirs,
    )


def _month(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no time zone
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r}：月份写作 YYYY-MM，如 2020-03 / a month is written YYYY-MM, like 2020-03"
        ) from error
