"""Command line of the gate: `python -m expectations --help`."""

from __future__ import annotations

import argparse
import sys
import uuid
from collections.abc import Callable

from expectations import decision_commands, freezing_commands
from expectations.adoption import Adoption, adopt
from expectations.freeze import FreezeError
from expectations.gate import GateRefusedError, check, explain, publish

EXIT_REFUSED = 3
EXIT_USAGE = 2


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: green or shown; 3: at least one region is refused; any other: an error."""
    options = _parser().parse_args(arguments)
    if command := getattr(options, "run", None):
        return _told(command, options)
    if options.command == "check":
        return _check(options.run_id or f"manual-{uuid.uuid4()}")
    if options.command == "publish":
        return _publish(options.run_id)
    if options.command == "adopt-rules":
        return _adopt(options.region, options.by, options.reason)
    if options.command in decision_commands.COMMANDS:
        return decision_commands.run(options)
    print(explain(options.run_id))
    return 0


def _told(command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    try:
        return command(options)
    except FreezeError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE


def _adopt(region: str | None, by: str, reason: str) -> int:
    try:
        adoptions = adopt([region] if region else None, by, reason)
    except ValueError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    for adoption in adoptions:
        print(_adoption_line(adoption))
    return 0


def _adoption_line(adoption: Adoption) -> str:
    said = {
        "adopted": f"已采用，seq {adoption.seq}，下次运行起可发布 / adopted, published from the next run on",
        "already": f"此前已采用，seq {adoption.seq} / adopted before",
        "unchanged": "与上次发布相同，无需采用 / the same as last published, nothing to adopt",
        "first": "尚未发布过，无需采用 / nothing published yet, nothing to adopt",
    }
    return f"{adoption.region_code} {adoption.rules_sha256[:12]}: {said[adoption.outcome]}"


def _check(run_id: str) -> int:
    verdicts = check(run_id)
    print(explain(run_id))
    return 0 if all(verdict.green for verdict in verdicts) else EXIT_REFUSED


def _publish(run_id: str) -> int:
    try:
        publish(run_id)
    except GateRefusedError as refusal:
        print(refusal)
        return EXIT_REFUSED
    print(explain(run_id))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m expectations", description="质量闸 / quality gate between build and publication"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser(
        "check", help="检查所有候选数据并记录结果 / check every candidate and record the results"
    )
    checking.add_argument("--run-id", help="编号，缺省自动生成 / name of the run, made up by default")
    publishing = commands.add_parser(
        "publish", help="发布检查通过的统筹区 / publish the regions that a run found green"
    )
    publishing.add_argument("--run-id", required=True, help="做过检查的编号 / the run that checked")
    showing = commands.add_parser("show", help="显示结论 / show the verdict")
    showing.add_argument("--run-id", help="缺省为最近一次 / the newest by default")
    adopting = commands.add_parser(
        "adopt-rules",
        help="在日志中采用变更后的记账规则 / adopt changed posting rules in a region's log",
        description="规则种子表变更后，每个统筹区的日志中须有一个 rules.adopted 事件，才能继续发布。"
        " / After a change of the seeds that posting reads, each region's log needs an event rules.adopted before more"
        " is published.",
    )
    whom = adopting.add_mutually_exclusive_group(required=True)
    whom.add_argument("--region", help="统筹区代码 / code of the region")
    whom.add_argument("--all", action="store_true", help="全部已发布过的统筹区 / every region published before")
    adopting.add_argument("--by", required=True, help="经办人 / who adopts them")
    adopting.add_argument("--reason", required=True, help="变更原因与依据 / what has changed, and why")
    decision_commands.add_to(commands)
    freezing_commands.add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
