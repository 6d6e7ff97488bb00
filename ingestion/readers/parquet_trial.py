"""Decodes a Parquet file once and throws the result away: a program of its own, `python parquet_trial.py FILE BYTES`.

A damaged file may make the decoder ask for exabytes or abort its process; so the first to decode it is one that nobody
misses. It says READY once it has started, and at the end how many bytes the largest batch had. Exit code 0: the file
can be read within BYTES of memory.
"""

from __future__ import annotations

import resource
import sys

import pyarrow as pa
from pyarrow import parquet

BATCH_ROWS = 50_000


def main(path: str, memory: int) -> None:
    """Decode every column that is not nested."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    print("READY", flush=True)
    with parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as source:
        plain = [field.name for field in source.schema_arrow if not pa.types.is_nested(field.type)]
        batches = source.iter_batches(BATCH_ROWS, columns=plain, use_threads=False)
        print("LARGEST", max((batch.nbytes for batch in batches), default=0))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
