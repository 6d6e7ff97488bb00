"""Command line of the gate: `python -m expectations check|publish|show`."""

from __future__ import annotations

import argparse
import sys
import uuid

from expectations.gate import GateRefusedError, check, explain, publish

EXIT_REFUSED = 3


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: green or shown; 3: at least one region is refused; any other: an error."""
    options = _parser().parse_args(arguments)
    if options.command == "check":
        return _check(options.run_id or f"manual-{uuid.uuid4()}")
    if options.command == "publish":
        return _publish(options.run_id)
    print(explain(options.run_id))
    return 0


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
    return parser


if __name__ == "__main__":
    sys.exit(main())
