"""python -m benchmarks.memory: the most memory that the process taking a file in ever holds, by the file's length."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from benchmarks.common import command, machine, server
from benchmarks.databases import fresh
from benchmarks.files import land, premiums
from ingestion.schema import migrate
from ingestion.settings import Settings


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 5_000_000])
    options = parser.parse_args()
    print(f"{command()}\n{machine()}\n\n| rows | file | MB at most | s |\n|---|---|---|---|")
    with server() as empty:
        migrate(Settings.from_env())
        for rows in options.rows:
            for name in ("a.contribution.1.csv", "a.parquet"):
                fresh(empty)
                item = land(premiums(rows), name)
                began = time.monotonic()
                peak = _peak_mb(item["source_system"], item["file_name"])
                print(f"| {rows:,} | {name} | {peak:.0f} | {time.monotonic() - began:.1f} |", flush=True)
    return 0


def _peak_mb(source_system: str, file_name: str) -> float:
    line = [sys.executable, "-m", "ingestion", "ingest", source_system, file_name]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"{file_name}: exit status {status}"
    return usage.ru_maxrss / 1024


if __name__ == "__main__":
    raise SystemExit(main())
