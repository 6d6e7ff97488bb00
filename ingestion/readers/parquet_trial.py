"""Decodes a Parquet file once and throws the result away: a program of its own, run as `python parquet_trial.py FILE`.

A damaged file may make the decoder ask for exabytes and abort its process; so the first to decode it is one that nobody
misses. Exit code 0: the file can be read within the limit of memory.
"""

from __future__ import annotations

import resource
import sys

import polars as pl

_MEMORY_BYTES_MAX = 8 * 1024**3
_BATCH_ROWS = 50_000


def main(path: str) -> None:
    """Decode every column that is not nested."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    plain = [name for name, dtype in source.collect_schema().items() if not dtype.is_nested()]
    for _ in source.select(plain).collect_batches(chunk_size=_BATCH_ROWS, maintain_order=True):
        pass


if __name__ == "__main__":
    main(sys.argv[1])
