"""python -m benchmarks.memory: the most memory that the process taking a file in ever holds, by the file's length."""

from __future__ import annotations

import argparse
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


# The most that the process itself held: what getrusage tells of a child begins with what its parent held.
_TAKE = """
import re, sys
from pathlib import Path
from ingestion.__main__ import main
status = main(["ingest", *sys.argv[1:]])
print("PEAK", re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1])
sys.exit(status)
"""


def _peak_mb(source_system: str, file_name: str) -> float:
    line = [sys.executable, "-c", _TAKE, source_system, file_name]
    told = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True).stdout
    return int(told.rpartition("PEAK")[2]) / 1024


if __name__ == "__main__":
    raise SystemExit(main())
