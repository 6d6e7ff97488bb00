"""python -m benchmarks.growth: new rows onto a long log beside the same number onto an empty one."""

from __future__ import annotations

import argparse

from benchmarks.common import Server, Timing, command, machine, medians, server, timed
from benchmarks.databases import execute, fresh, quiet, use
from benchmarks.files import land, premiums
from ingestion import runs
from ingestion.schema import migrate
from ingestion.settings import Settings

FILE_ROWS = 1_000_000


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="new ones (default: a hundred thousand)")
    parser.add_argument("--log", type=int, default=10_000_000, help="events that are there (default: ten million)")
    parser.add_argument("--runs", type=int, default=3, help="of which the medians are told (default: three)")
    options = parser.parse_args()
    print(f"{command()}\n{machine()}\n")
    with server() as empty:
        migrate(Settings.from_env())
        long = _filled(fresh(empty, "long"), options.log)
        onto: dict[str, list[Timing]] = {"an empty log": [], f"a log of {options.log:,} events": []}
        for number in range(options.runs):
            begin = options.log + number * options.rows
            for name, target in zip(onto, (fresh(empty), long), strict=True):
                onto[name].append(_ingest(target, begin, options.rows, f"{number}.contribution.1.csv"))
    print(f"median of {options.runs}, {options.rows:,} new rows; processor seconds of client and server\n")
    print("| onto | s | client | server | ratio of s |\n|---|---|---|---|---|")
    reference = medians(next(iter(onto.values()))).wall
    for name, timings in onto.items():
        told = medians(timings)
        print(f"| {name} | {told.wall:.2f} | {told.client:.2f} | {told.server:.2f} | {told.wall / reference:.2f} |")
    return 0


def _filled(target: Server, events: int) -> Server:
    """A log of premiums, by files of a million rows."""
    for begin in range(0, events, FILE_ROWS):
        runs.ingest(land(premiums(min(FILE_ROWS, events - begin), begin), f"log-{begin}.contribution.1.csv"))
        print(f"{begin + FILE_ROWS:,} events are there", flush=True)
    execute(target, "VACUUM (ANALYZE) events.event")
    return target


def _ingest(target: Server, begin: int, rows: int, name: str) -> Timing:
    use(target)
    item = land(premiums(rows, begin), name)
    quiet(target)
    return timed(lambda: runs.ingest(item), target)


if __name__ == "__main__":
    raise SystemExit(main())
