"""From source files to the append-only event log: reading, checking, accepting, quarantining."""

import os
import sys


def _polars_threads() -> int:
    """Loading shares the machine with PostgreSQL, each waiting for the slower; verification has most of it alone."""
    processors = os.cpu_count() or 1
    verifies = {"verify", "benchmarks.verify"} & {*sys.orig_argv}
    return processors if verifies else max(1, processors // 2)


os.environ.setdefault("POLARS_MAX_THREADS", str(_polars_threads()))  # read when polars is imported
