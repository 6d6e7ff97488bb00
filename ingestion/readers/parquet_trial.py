"""Decodes a Parquet file once and throws the result away: a program of its own, `python parquet_trial.py FILE BYTES`.

A damaged file may make the decoder ask for exabytes and abort its process; so the first to decode it is one that nobody
misses. It says READY once it has started. Exit code 0: the file can be read within BYTES of memory.
"""

from __future__ import annotations

import resource
import sys

import polars as pl

_BATCH_ROWS = 50_000


def main(path: str, memory: int) -> None:
    """Decode every column that is not nested."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    print("READY", flush=True)
    source = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    plain = [name for name, dtype in source.collect_schema().items() if not dtype.is_nested()]
    for _ in source.select(plain).collect_batches(chunk_size=_BATCH_ROWS, maintain_order=True):
        pass


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
