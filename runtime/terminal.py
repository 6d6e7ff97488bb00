"""Progress and tables on a terminal: elapsed time on every line, columns aligned by display width (CJK counts two)."""

from __future__ import annotations

import sys
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_STARTED = time.monotonic()


def say(text: str) -> None:
    """One line of progress, with the time since the command began."""
    elapsed = int(time.monotonic() - _STARTED)
    print(f"[{elapsed // 60:d}:{elapsed % 60:02d}] {text}", flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step, and say how long it took once it is done."""
    say(f"{title} …")
    began = time.monotonic()
    yield
    say(f"{title}: done in {time.monotonic() - began:.1f} s")


def complain(text: str) -> None:
    """One message to stderr."""
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = (), indent: int = 2) -> list[str]:
    """Lines of a table; `right` names the columns that are aligned right (numbers)."""
    if not rows:
        return []
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        (" " * indent + "  ".join(_pad(cell, widths[n], right=n in right) for n, cell in enumerate(row))).rstrip()
        for row in rows
    ]


def _pad(text: str, columns: int, *, right: bool) -> str:
    space = " " * (columns - width(text))
    return space + text if right else text + space
