"""From source files to the append-only event log: reading, checking, accepting, quarantining."""

import os

# The other half of the machine is PostgreSQL's: both work at the same time, and each waits for the slower one.
os.environ.setdefault("POLARS_MAX_THREADS", str(max(1, (os.cpu_count() or 2) // 2)))
