"""Private folders for copies of what is read from elsewhere, gone with the process that made them."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def folder(root: Path) -> Iterator[Path]:
    """A new folder below `root` that only this user may enter; removed at the end, whatever happens.

    Folders of processes that were killed are removed by the next one: a living process holds a lock on its own.
    OSError when none can be made.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(root):
        for other in root.iterdir():
            _remove_if_abandoned(other)
        own = Path(tempfile.mkdtemp(dir=root))
        held = _opened(own)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)
        os.close(held)


def _remove_if_abandoned(place: Path) -> None:
    with suppress(FileNotFoundError):  # its process has just removed it
        held = _opened(place)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(place, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(held)


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    held = _opened(place)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _opened(place: Path) -> int:
    return os.open(place, os.O_RDONLY)
