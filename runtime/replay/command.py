"""The command that replays the books: python -m runtime replay."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from runtime.environment import Environment
from runtime.replay import ReplayError, Request
from runtime.replay import replay as carry_out
from runtime.replay.report import text, write


def replay(environment: Environment, options: argparse.Namespace) -> int:
    """Rebuild the books from the log's first event and compare them row for row; --swap makes them live.

    Exit 0 equal or swapped, 3 different or refused, 1 error. The last line is RESULT=equal, swapped, different, refused
    or error. The system may be running; docs/operations.md tells what the report means and what to do.
    """
    run_id = options.run_id or f"replay-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    try:
        if (options.accept_differences or options.keep) and not options.swap:
            raise ReplayError("R-NO-SWAP: 须与 --swap 一起使用 / --accept-differences and --keep go with --swap")
        environment.adopt()
        ending = carry_out(run_id, Request(options.swap, options.accept_differences, options.keep))
    except BaseException:
        print("RESULT=error", flush=True)
        raise
    if options.report:
        write(ending, options.report)
    print(f"\n{text(ending)}\n\nRESULT={ending.outcome.value}", flush=True)
    return ending.outcome.exit_code


COMMANDS = (replay,)


def add_arguments(command: Callable[..., int], parser: argparse.ArgumentParser) -> None:
    """The arguments of a command of this module; nothing for others."""
    if command is not replay:
        return
    parser.add_argument("--swap", action="store_true", help="make the replayed books the live ones when they are equal")
    parser.add_argument(
        "--accept-differences",
        default="",
        metavar="REASON",
        help="swap although they differ: published figures may change, closed months not; the reason is recorded",
    )
    parser.add_argument("--keep", action="store_true", help="keep the former books, in schemas *_kept_<time>")
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write the report as JSON to this file")
    parser.add_argument("--run-id", default="", help="recorded with the results; default: replay-<time>")
