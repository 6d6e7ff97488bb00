"""python -m benchmarks.regions: two regions at once, by two processes, beside one after the other."""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

from benchmarks.common import Server, Timing, command, machine, medians, server, timed
from benchmarks.databases import execute, fresh, quiet
from benchmarks.files import land, premiums
from ingestion.runs import Item
from ingestion.schema import migrate
from ingestion.settings import Settings

REGIONS = ("320100", "340400")
_WAITS = "SELECT locktype FROM pg_locks WHERE NOT granted"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regions", description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000, help="of each region (default: half a million)")
    parser.add_argument("--runs", type=int, default=3, help="of which the medians are told (default: three)")
    options = parser.parse_args()
    print(f"{command()}\n{machine()}\n")
    one_by_one, at_once = [], []
    waits: Counter[str] = Counter()
    with server() as empty:
        migrate(Settings.from_env())
        for _ in range(options.runs):
            target = fresh(empty)
            items = _land(target, options.rows)
            one_by_one.append(timed(partial(_take, [[item] for item in items]), target))
            target = fresh(empty)
            items = _land(target, options.rows)
            watch = _Watch(target)
            at_once.append(timed(partial(_take, [items]), target))
            waits += watch.stop()
    print(f"median of {options.runs}, {options.rows:,} rows of each of {len(REGIONS)} regions\n")
    print("| regions | s | server | gain |\n|---|---|---|---|")
    reference = medians(one_by_one).wall
    for name, timings in (("one after the other", one_by_one), ("at once", at_once)):
        told: Timing = medians(timings)
        print(f"| {name} | {told.wall:.2f} | {told.server:.2f} | {reference / told.wall:.2f} |")
    print(f"\nlocks waited for while both were at work, by kind, of all samples of pg_locks: {dict(waits) or 'none'}")
    return 0


def _land(target: Server, rows: int) -> list[Item]:
    items = [land(premiums(rows, region=region), f"{region}.contribution.1.csv") for region in REGIONS]
    quiet(target)
    return items


def _begin(item: Item) -> subprocess.Popen[bytes]:
    arguments = ["-m", "ingestion", "ingest", item["source_system"], item["file_name"]]
    return subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)


def _take(groups: Iterable[Sequence[Item]]) -> None:
    """Take files in, those of a group at once, each by a process of its own."""
    for items in groups:
        for process in [_begin(item) for item in items]:
            assert process.wait() == 0


class _Watch:
    """Counts ungranted locks, twenty times a second, until it is stopped."""

    def __init__(self, target: Server) -> None:
        self._target = target
        self._seen: Counter[str] = Counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def stop(self) -> Counter[str]:
        """How many were seen of each kind."""
        self._over.set()
        self._thread.join()
        return self._seen

    def _look(self) -> None:
        while not self._over.wait(0.05):
            self._seen.update(str(kind) for (kind,) in execute(self._target, _WAITS))


if __name__ == "__main__":
    raise SystemExit(main())
