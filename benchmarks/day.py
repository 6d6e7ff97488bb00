"""python -m benchmarks.day: what a day of new events costs on ledgers of different lengths.

A day is 20,000 events of one date and one region in four files. Each step runs as the DAG runs it, in a process of its
own: build, check, publish. After each day the same steps run once more with nothing new: that is their start-up, of
which the one on the shortest ledger is taken off each day's figures, so that what grows with history shows in them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import psycopg2

from benchmarks import audit
from benchmarks.common import Server, Timing, command, machine, medians, server, timed
from benchmarks.databases import execute, fresh, quiet, use
from benchmarks.ledgers import DAY_FILES, END, day, fill, ledger, prepare
from ingestion import heads

STEPS = {
    "build": "from runtime.dbt import build; build({run!r})",
    "check": "from expectations.gate import check; check({run!r})",
    "publish": "from expectations.gate import publish; publish({run!r})",
}
SLOWEST_CHECKS = 6


@dataclass
class Measured:
    """Timings of one ledger by step: of days, and of the same with nothing new."""

    events: int
    lines: int
    turnover_rows: int
    days: dict[str, list[Timing]]
    idle: dict[str, list[Timing]]
    checks: list[tuple[str, float]]

    def wall(self, step: str, of: str = "days") -> float:
        """Median seconds of a step, `all` for the sum of the steps' medians."""
        timings: dict[str, list[Timing]] = getattr(self, of)
        return sum(medians(timings[name]).wall for name in STEPS if step in (name, "all"))

    def server(self, step: str) -> float:
        """Median processor seconds of the server in a step of a day."""
        return sum(medians(self.days[name]).server for name in STEPS if step in (name, "all"))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.day", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--onto", type=int, nargs="+", default=[200_000, 2_000_000, 10_000_000], help="events that are there, rising"
    )
    parser.add_argument("--days", type=int, default=3, help="of which the medians are told (default: three)")
    parser.add_argument("--audit", action="store_true", help="audit the longest ledger afterwards (benchmarks.audit)")
    options = parser.parse_args()
    print(f"{command()}\n{machine()}\n", flush=True)
    with server() as empty:
        prepare()
        measured = [_measure(empty, events, options.days) for events in options.onto]
        _report(measured, options.days)
        if options.audit:
            audit.measure(use(_named(empty, options.onto[-1])), options.onto[-1])
    return 0


def _named(empty: Server, events: int) -> Server:
    """The ledger of so many events that `_measure` has made."""
    url, superuser_url = (f"{of.rpartition('/')[0]}/ledger_{events}" for of in (empty.url, empty.superuser_url))
    return Server(url, superuser_url, empty.postmaster, empty.local)


def _measure(empty: Server, events: int, days: int) -> Measured:
    """Build one ledger and put days onto it; one more day comes first, unmeasured, to warm up."""
    target = fresh(empty, f"ledger_{events}")
    os.environ["FUND_HEADS_DIR"] = str(
        empty.local / f"heads-{events}"
    )  # copies of a database are the same log to the heads
    began = time.monotonic()
    ledger(target, events)
    print(f"{events:,} events built in {time.monotonic() - began:.0f} s", flush=True)
    timings: dict[str, dict[str, list[Timing]]] = {kind: {step: [] for step in STEPS} for kind in ("days", "idle")}
    for number in range(days + 1):
        fill(target, day(target, number))
        heads.record()
        for kind, steps in timings.items():
            quiet(target)
            for step, measured in steps.items():
                timing = timed(partial(_run, step, f"{kind}-{number}", number), target)
                if number > 0:
                    measured.append(timing)
        print(f"  day {number} is published", flush=True)
    ((lines, rows),) = execute(
        target, "SELECT (SELECT count(*) FROM ledger.journal_line), (SELECT count(*) FROM ledger.account_turnover)"
    )
    return Measured(events, int(str(lines)), int(str(rows)), **timings, checks=_slowest_checks(target))


def _run(step: str, run: str, number: int) -> None:
    """One step in a clean process, on the morning after the day."""
    environment = {**os.environ, "FUND_BUSINESS_DATE": (END + timedelta(number + 1)).isoformat()}
    arguments: Sequence[str] = [sys.executable, "-c", STEPS[step].format(run=run)]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{step} of {run} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def _slowest_checks(target: Server) -> list[tuple[str, float]]:
    """Checks by the median milliseconds of their query on the days measured, all regions together."""
    with closing(psycopg2.connect(target.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT code, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FROM ("
            " SELECT run_id, code, sum(duration_ms) AS ms FROM quality.check_result"
            " WHERE run_id LIKE 'days-%' AND run_id <> 'days-0' GROUP BY 1, 2) AS run"
            " GROUP BY code ORDER BY 2 DESC, 1"
        )
        return [(str(code), float(ms)) for code, ms in cursor.fetchall()]


def _report(measured: Sequence[Measured], days: int) -> None:
    smallest = measured[0]
    startup = smallest.wall("all", "idle")
    print(
        f"\nmedian of {days} days of {sum(DAY_FILES):,} events; seconds by the clock, of the server by the processor\n"
    )
    names = [*STEPS, "all"]
    print(f"| onto | {' | '.join(names)} | server | ratio | nothing new | ratio | without start-up | ratio |")
    print("|" + "---|" * (len(names) + 7))
    for one in measured:
        whole, idle = one.wall("all"), one.wall("all", "idle")
        figures = [f"{one.wall(name):.2f}" for name in names] + [
            f"{one.server('all'):.2f}", f"{whole / smallest.wall('all'):.2f}", f"{idle:.2f}", f"{idle / startup:.2f}",
            f"{whole - startup:.2f}", f"{(whole - startup) / (smallest.wall('all') - startup):.2f}",
        ]  # fmt: skip
        print(f"| {one.events:,} | {' | '.join(figures)} |")
    print(
        "\n| onto | gate, s | ratio | with nothing new | queries of the checks, s | server, s | ratio |\n|" + "---|" * 7
    )
    for one in measured:
        queries = sum(ms for _, ms in one.checks) / 1000
        gate, of_server = one.wall("check"), one.server("check")
        print(
            f"| {one.events:,} | {gate:.2f} | {gate / smallest.wall('check'):.2f} | {one.wall('check', 'idle'):.2f}"
            f" | {queries:.2f} | {of_server:.2f} | {of_server / smallest.server('check'):.2f} |"
        )
    print()
    for one in measured:
        checks = ", ".join(f"{code} {ms:.0f}" for code, ms in one.checks[:SLOWEST_CHECKS])
        total = sum(ms for _, ms in one.checks)
        print(
            f"{one.events:,}: {one.lines:,} lines and {one.turnover_rows:,} rows of turnover at the end;"
            f" queries of the checks {total:.0f} ms, the slowest: {checks}"
        )


if __name__ == "__main__":
    raise SystemExit(main())
