"""Waits until its starter has gone, then stops the Airflow that the starter started: python -m runtime.guard DIR OWNER.

Its standard input is a pipe that the starter holds open; the kernel closes it however the starter ends.
"""

from __future__ import annotations

import sys
from pathlib import Path

from runtime.airflow import LocalAirflow
from runtime.layout import Layout

if __name__ == "__main__":
    sys.stdin.buffer.read()
    LocalAirflow(Layout(Path(sys.argv[1]))).stop(owner=sys.argv[2])
