"""Commands of the nightly audit and of freezes: `python -m expectations audit|look|review|freeze|lift|frozen`."""

from __future__ import annotations

import argparse
import logging
import sys
import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Any

from expectations import freeze
from expectations.audit.parts import AuditError, audit
from expectations.check import LOOK, REVIEW
from expectations.look import LookError, look
from expectations.report import explain
from expectations.review import ReviewError, review
from ingestion.database import connect
from ingestion.settings import BEIJING, Settings

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Any]

EXIT_RED = 3


def add_commands(commands: Commands) -> None:
    """Add the commands; each sets `run`, which takes the options and returns the exit code."""
    auditing = commands.add_parser(
        "audit",
        help="夜间审计：核验日志、重算账簿、检查全部历史 / nightly audit: the log, the books, all checks over history",
        description="有不通过的统筹区即暂停发布；0 通过，3 不通过或未完成。"
        " / Freezes publication of regions that fail; exit 0 green, 3 red or not completed.",
    )
    auditing.add_argument("--run-id", help="编号，缺省自动生成 / name of the run, made up by default")
    auditing.set_defaults(run=_audit)
    looking = commands.add_parser(
        "look",
        help="巡视时效：来源是否静默、发布与审计是否逾期 / a look at freshness: silent sources, late publication",
    )
    looking.add_argument("--run-id", help="编号，缺省自动生成 / name of the run, made up by default")
    looking.set_defaults(run=_look)
    reviewing = commands.add_parser(
        "review",
        help="政策审视与智能监控：检查已发布的数据 / review of what is published: policy carried out, claims monitored",
        description="结果记录在案并告知责任岗位，不影响发布；0 已完成（含有发现），3 有检查未能执行。"
        " / What it finds is recorded and told to its owners, and refuses nothing; exit 0: made, 3: "
        "a check could not be run.",
    )
    reviewing.add_argument("--run-id", help="编号，缺省自动生成 / name of the run, made up by default")
    reviewing.set_defaults(run=_review)
    freezing = commands.add_parser("freeze", help="暂停一个统筹区的发布 / freeze publication of a region")
    freezing.set_defaults(run=_freeze)
    lifting = commands.add_parser(
        "lift",
        help="恢复一个统筹区的发布 / lift the freeze of a region",
        description="记录姓名、原因和当时未通过的检查；下一次运行各项检查通过后发布。下一次审计仍不通过则再次暂停。"
        " / Recorded with name, reason and the checks that fail; published by the next run whose checks are green."
        " The next audit that fails freezes again.",
    )
    lifting.set_defaults(run=_lift)
    for parser in (freezing, lifting):
        parser.add_argument("--region", required=True, help="统筹区代码 / code of the region")
        parser.add_argument("--by", required=True, help="操作人姓名 / name of who acts")
        parser.add_argument("--reason", required=True, help="原因与依据 / reason")
    listing = commands.add_parser("frozen", help="列出已暂停发布的统筹区 / list the regions that are frozen")
    listing.set_defaults(run=_list)


def _audit(options: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        print(audit(options.run_id or f"manual-audit-{uuid.uuid4()}").text())
    except AuditError as error:
        print(error)
        return EXIT_RED
    return 0


def _look(options: argparse.Namespace) -> int:
    run_id = options.run_id or f"manual-look-{uuid.uuid4()}"
    try:
        look(run_id)
    except LookError as error:
        print(error)
        return EXIT_RED
    print(explain(run_id, scope=LOOK))
    return 0


def _review(options: argparse.Namespace) -> int:
    run_id = options.run_id or f"manual-review-{uuid.uuid4()}"
    try:
        verdicts = review(run_id)
    except ReviewError as error:
        print(error)
        return EXIT_RED
    print(explain(run_id, scope=REVIEW) if verdicts else "没有已发布的统筹区 / no region is published")
    return 0


def _freeze(options: argparse.Namespace) -> int:
    outcome = freeze.freeze(options.region, options.by, options.reason, Settings.from_env())
    said = {"frozen": "已暂停发布 / publication frozen", "already": "此前已暂停发布 / frozen already"}
    print(f"{options.region}: {said[outcome]}")
    return 0


def _lift(options: argparse.Namespace) -> int:
    outcome, codes = freeze.lift(options.region, options.by, options.reason, Settings.from_env())
    said = {
        "lifted": "已恢复，下一次运行通过后发布 / lifted, published by the next green run",
        "already": "未被暂停 / not frozen",
    }
    print(f"{options.region}: {said[outcome]}")
    if codes:
        print(f"  ! 最近一次审计仍未通过 / the newest audit still fails: {', '.join(codes)}")
    return 0


def _list(_: argparse.Namespace) -> int:
    with closing(connect("fund_quality")) as connection:
        frozen = freeze.frozen_regions(connection)
    if not frozen:
        print("没有暂停发布的统筹区 / no region is frozen")
    for one in frozen.values():
        when = f"{one.frozen_at.astimezone(BEIJING):%Y-%m-%d %H:%M}"
        codes = f" · {', '.join(one.codes)}" if one.codes else ""
        run = f" · run_id = {one.run_id}" if one.run_id else ""
        print(f"{one.region_code}: {when} {one.frozen_by}: {one.reason}{codes}{run}")
    return 0
